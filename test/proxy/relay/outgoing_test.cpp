#include "proxy/relay/outgoing.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::relay {

namespace {

std::string all_of(Outgoing& outgoing) {
    std::string text;
    outgoing.for_each([&text](wire::ByteView slice) { text += wire::as_text(slice); });
    return text;
}

TEST(Outgoing, MayWaitOnlyWhileNothingIsAViewOfTheCallersBuffer) {
    const std::string buffer = "passed";
    Outgoing outgoing;
    EXPECT_TRUE(outgoing.is_all_made());
    outgoing.made().append_text("made, ");
    EXPECT_TRUE(outgoing.is_all_made());
    outgoing.pass(wire::as_bytes(buffer));
    EXPECT_FALSE(outgoing.is_all_made());
    outgoing.made().append_text(", made");
    EXPECT_FALSE(outgoing.is_all_made());
    EXPECT_EQ(all_of(outgoing), "made, passed, made");
    outgoing.clear();
    EXPECT_TRUE(outgoing.is_all_made());
}

TEST(Outgoing, KeepsTheOrderOfWhatWasMadeBetweenTwoLooks) {
    Outgoing outgoing;
    outgoing.made().append_text("first");
    EXPECT_EQ(all_of(outgoing), "first");
    outgoing.made().append_text(" second");
    EXPECT_TRUE(outgoing.is_all_made());
    EXPECT_EQ(outgoing.size(), std::string("first second").size());
    EXPECT_EQ(all_of(outgoing), "first second");
}

}  // namespace

}  // namespace pgveil::relay
