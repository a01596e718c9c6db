// What a refused parameter's error says beside its message.
#include "proxy/relay/refusal.hpp"

#include <gtest/gtest.h>

namespace pgveil::relay {
namespace {

types::Error not_an_integer() {
    return types::invalid_value("22P02", "invalid input syntax for type integer: \"x\"");
}

TEST(Refusal, OfAnUnreadParameterSaysWhereAsPostgreSQLDoes) {
    Refusal text = unread_parameter(refusal(not_an_integer()), 2, true);
    name_portal(text, "");
    EXPECT_EQ(text.where, "unnamed portal parameter $2 = '...'");
    EXPECT_EQ(text.sqlstate, "22P02");
    EXPECT_EQ(text.detail, "");
    Refusal binary = unread_parameter(refusal(not_an_integer()), 1, false);
    name_portal(binary, "p");
    EXPECT_EQ(binary.where, "portal \"p\" parameter $1");
}

TEST(Refusal, HasATextForEveryReason) {
    for (int reason = 0; reason <= static_cast<int>(Reason::kUnreadDrop); ++reason) {
        const Refusal refused = refusal(static_cast<Reason>(reason), "subject");
        EXPECT_EQ(refused.sqlstate.size(), 5U) << reason;
        EXPECT_FALSE(refused.message.empty()) << reason;
    }
}

TEST(Refusal, TellsASilentShareStoreFromSharesThatAreWrong) {
    const share::Denial silent{share::DenialKind::kStoreUnavailable, "silent"};
    EXPECT_EQ(refusal(silent).sqlstate, "58030");
    EXPECT_EQ(refusal(share::Denial{share::DenialKind::kLocked, "locked"}).sqlstate, "58030");
    const share::Denial wrong{share::DenialKind::kUserShareWrong, "wrong"};
    EXPECT_EQ(refusal(wrong).sqlstate, "28000");
}

TEST(Refusal, OfACastNamesNoPortal) {
    Refusal refused = refusal(types::invalid_value("22001", "value too long"));
    name_portal(refused, "p");
    EXPECT_EQ(refused.where, "");
}

TEST(Refusal, OfAValueThatCannotBeSealedNamesTheColumn) {
    field::ProtectedColumn column;
    column.schema = "public";
    column.table = "people";
    column.name = "age";
    const auto unsupported = types::unsupported_form("this number cannot be used");
    EXPECT_EQ(
        refusal(unsupported, &column).message,
        "this number cannot be used (for the encrypted column public.people.age)"
    );
    EXPECT_EQ(refusal(unsupported, &column).sqlstate, "0A000");
    EXPECT_FALSE(refusal(unsupported, &column).hint.empty());
    EXPECT_EQ(refusal(unsupported, nullptr).message, "this number cannot be used");
    EXPECT_EQ(refusal(not_an_integer(), &column).message, not_an_integer().message)
        << "PostgreSQL's own error stays as it is";
}

}  // namespace
}  // namespace pgveil::relay
