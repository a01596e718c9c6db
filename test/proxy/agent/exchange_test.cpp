#include "proxy/agent/exchange.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace pgveil::agent {

namespace {

/// Messages as letters: what the client sends, what the proxy answers.
void says(Exchange& exchange, std::string_view letters) {
    for (const char letter : letters) {
        exchange.on_client(wire::frontend_type(static_cast<std::uint8_t>(letter)));
    }
}

int own_among(Exchange& exchange, std::string_view letters) {
    int count = 0;
    for (const char letter : letters) {
        count +=
            exchange.on_upstream(wire::backend_type(static_cast<std::uint8_t>(letter))) ? 1 : 0;
    }
    return count;
}

/// Past its login.
struct LoggedIn : Exchange {
    LoggedIn() { own_among(*this, "RSSKZ"); }
};

}  // namespace

TEST(Exchange, NothingIsInsertedBeforeTheLoginIsOver) {
    Exchange exchange;
    EXPECT_FALSE(exchange.may_insert());
    EXPECT_FALSE(exchange.would_begin(wire::FrontendType::kPasswordMessage));
    own_among(exchange, "RRSKZ");
    EXPECT_TRUE(exchange.may_insert());
    EXPECT_TRUE(exchange.would_begin(wire::FrontendType::kQuery));
}

TEST(Exchange, ARequestLastsFromItsFirstMessageToItsReadyForQuery) {
    LoggedIn exchange;
    says(exchange, "P");
    EXPECT_FALSE(exchange.may_insert());
    EXPECT_FALSE(exchange.would_begin(wire::FrontendType::kBind));
    says(exchange, "BDES");
    EXPECT_FALSE(exchange.may_insert());
    own_among(exchange, "12TDC");
    EXPECT_FALSE(exchange.may_insert());
    own_among(exchange, "Z");
    EXPECT_TRUE(exchange.may_insert());
}

TEST(Exchange, ABatchWithoutSyncIsOneRequestHoweverOftenItIsFlushed) {
    LoggedIn exchange;
    says(exchange, "PBEH");
    own_among(exchange, "12DC");
    EXPECT_FALSE(exchange.may_insert());
    EXPECT_FALSE(exchange.would_begin(wire::FrontendType::kParse));
}

TEST(Exchange, OnlyTheRepliesToTheAgentsOwnRequestAreItsOwn) {
    LoggedIn exchange;
    exchange.on_own_request();
    says(exchange, "Q");
    EXPECT_EQ(own_among(exchange, "12C33"), 5);
    EXPECT_EQ(own_among(exchange, "NSA"), 0)
        << "notices, settings and notifications are the client's";
    EXPECT_EQ(own_among(exchange, "Z"), 1);
    EXPECT_EQ(own_among(exchange, "TDCZ"), 0);
    EXPECT_TRUE(exchange.may_insert());
}

TEST(Exchange, ASimpleCopyEndsWithTheReadyForQueryOfItsQuery) {
    LoggedIn exchange;
    says(exchange, "Q");
    own_among(exchange, "G");
    EXPECT_FALSE(exchange.would_begin(wire::FrontendType::kQuery)) << "the proxy awaits data";
    says(exchange, "ddc");
    EXPECT_FALSE(exchange.may_insert());
    own_among(exchange, "CZ");
    EXPECT_TRUE(exchange.may_insert());
}

TEST(Exchange, TheSyncBehindAnExtendedCopyIsReadOver) {
    LoggedIn exchange;
    says(exchange, "PBDES");  // libpq sends Sync at once, and another behind the data
    own_among(exchange, "12nG");
    says(exchange, "ddcS");
    own_among(exchange, "CZ");
    EXPECT_TRUE(exchange.may_insert()) << "no second ReadyForQuery comes";
}

TEST(Exchange, ACopyWhoseDataWasSentAheadOfItsAnswer) {
    LoggedIn exchange;
    says(exchange, "PBEddcS");
    own_among(exchange, "12GC");
    EXPECT_FALSE(exchange.may_insert());
    own_among(exchange, "Z");
    EXPECT_TRUE(exchange.may_insert());
}

TEST(Exchange, ACopyThatFailsEndsInEitherProtocol) {
    LoggedIn exchange;
    says(exchange, "Q");
    own_among(exchange, "GE");
    says(exchange, "dc");  // under way before the error was seen
    own_among(exchange, "Z");
    EXPECT_TRUE(exchange.may_insert());
    says(exchange, "PBES");
    own_among(exchange, "12GE");
    says(exchange, "fS");
    own_among(exchange, "Z");
    EXPECT_TRUE(exchange.may_insert());
}

}  // namespace pgveil::agent
