#include "proxy/agent/relay.hpp"

#include "keyshare/core/hpke.hpp"
#include "keyshare/core/jws.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/share/challenge.hpp"
#include "proxy/wire/authentication.hpp"
#include "proxy/wire/error_response.hpp"
#include "proxy/wire/frontend.hpp"
#include "proxy/wire/row.hpp"
#include "test/keyshare/user/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

namespace pgveil::agent {

namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kStart = 1'800'000'000;

Account account_of(const core::SigningKey& proxy) {
    share::UserKey key{
        .tenant = "clinic",
        .user_id = "nurse",
        .epoch = 1,
        .proxy_identity = proxy.verifying_key().point(),
        .groups = {}};
    key.groups.push_back({"default", core::random_secret<share::UserPart>(core::system_random())});
    return {std::move(key), core::SecretBytes::copy_of(core::as_bytes("pgva1.AAAA"))};
}

/// A session with a proxy that the test plays.
class RelayTest : public testing::Test {
protected:
    std::string statement(const core::SigningKey& signer) const {
        const share::TokenKeyStatement said{
            .tenant = "clinic",
            .key = {.key_id = 7, .point = token_key_.point},
            .not_before_s = kStart - 10,
            .not_after_s = kStart + 3600};
        return share::sign_statement(said, signer);
    }

    /// What goes upstream.
    std::string startup() {
        session::ClientStartup startup;
        startup.parameters = {{"user", "app"}, {"database", "clinic"}};
        wire::Output out;
        relay_.append_startup(out, startup);
        return std::string(wire::as_text(out.bytes()));
    }

    std::string from_client(const wire::Output& said) {
        waiting_.append(wire::as_text(said.bytes()));
        return offer();
    }

    std::string offer() {
        wire::Output out;
        waiting_.erase(0, relay_.on_client(wire::as_bytes(waiting_), out));
        return std::string(wire::as_text(out.bytes()));
    }

    /// What the client gets.
    std::string from_proxy(const wire::Output& said) {
        wire::Output out;
        const std::size_t used = relay_.on_upstream(said.bytes(), out);
        EXPECT_TRUE(used == said.size() || relay_.failure());
        return std::string(wire::as_text(out.bytes()));
    }

    std::string ready(wire::TransactionStatus status = wire::TransactionStatus::kIdle) {
        wire::Output said;
        wire::append_ready_for_query(said, status);
        return from_proxy(said);
    }

    static wire::Output query(std::string_view text) {
        wire::Output out;
        wire::append_query(out, text);
        return out;
    }

    /// The proxy's answer to a call with one row.
    std::string answers(std::string_view value) {
        wire::Output said;
        wire::append_empty(said, wire::BackendType::kParseComplete);
        wire::append_empty(said, wire::BackendType::kBindComplete);
        wire::RowWriter row(said, 1);
        row.add(wire::as_bytes(value));
        row.finish();
        wire::append_command_complete(said, "SELECT 1");
        wire::append_ready_for_query(said, wire::TransactionStatus::kIdle);
        return from_proxy(said);
    }

    /// Past login, token key and first request.
    void settle() {
        startup();
        ready();
        from_client(query("SELECT 1"));
        answers(statement(identity_));
        offer();
        ready();
        ready();
    }

    core::SigningKey identity_ = core::SigningKey::generate();
    core::HpkeKeyPair token_key_ = core::HpkeKeyPair::generate();
    std::shared_ptr<Account> account_ = std::make_shared<Account>(account_of(identity_));
    TokenSource tokens_{60};
    std::int64_t now_s_ = kStart;
    Relay relay_{tokens_, nullptr, account_, [this] {
                     return now_s_;
                 }};
    std::string waiting_;
};

}  // namespace

TEST_F(RelayTest, TheFirstSessionAsksForTheTokenKeyAndSaysSharesBehindItsLogin) {
    EXPECT_THAT(startup(), Not(HasSubstr("pgveil.")));
    ready();
    const std::string asked = from_client(query("SELECT secret"));
    EXPECT_THAT(asked, HasSubstr("SELECT pgveil.token_key()"));
    EXPECT_THAT(asked, Not(HasSubstr("secret"))) << "the client's request waits";
    EXPECT_TRUE(relay_.client_waits());
    EXPECT_EQ(answers(statement(identity_)), "") << "the client sees nothing of it";
    const std::string given = offer();
    EXPECT_THAT(given, HasSubstr("SET pgveil.user_id = 'nurse'"));
    EXPECT_THAT(given, HasSubstr("SET pgveil.app_share = 'pgva1.AAAA'"));
    EXPECT_THAT(given, HasSubstr("SET pgveil.user_token = 'pgvt1."));
    EXPECT_LT(given.find("pgvt1."), given.find("SELECT secret"));
    EXPECT_EQ(ready(), "");
    EXPECT_NE(ready(), "") << "this one answers the client";
}

TEST_F(RelayTest, TheTokensAreForNoMoreThanTheAccountSays) {
    account_->scope = {.read_only = true, .tables = {"*.patients"}};
    ASSERT_TRUE(tokens_.take(account_->key, statement(identity_), now_s_));
    const std::string packet = startup();
    const std::size_t begin = packet.find("pgvt1.");
    const std::string token = packet.substr(begin, packet.find('\0', begin) - begin);
    const auto contents =
        share::open_token(*share::parse_token(core::as_bytes(token)), token_key_, "clinic");
    ASSERT_TRUE(contents.has_value());
    EXPECT_EQ(*share::parse_token_scope(contents->scope), account_->scope);
}

TEST_F(RelayTest, ALaterSessionHasItsSharesInTheStartupPacket) {
    ASSERT_TRUE(tokens_.take(account_->key, statement(identity_), now_s_));
    const std::string packet = startup();
    EXPECT_THAT(packet, HasSubstr("pgveil.user_id"));
    EXPECT_THAT(packet, HasSubstr("pgvt1."));
    EXPECT_THAT(packet, HasSubstr("pgva1.AAAA"));
    ready();
    EXPECT_EQ(from_client(query("SELECT 1")), wire::as_text(query("SELECT 1").bytes()));
}

TEST_F(RelayTest, WithChallengesEachTokenAnswersOneOfItsSession) {
    TokenSource tokens(60, true);
    relay_ = Relay(tokens, nullptr, account_, [this] { return now_s_; });
    now_s_ += 7200;  // behind the end of the token key, by a clock that is wrong
    EXPECT_THAT(startup(), Not(HasSubstr("pgveil.")));
    ready();
    EXPECT_THAT(from_client(query("SELECT secret")), HasSubstr("SELECT pgveil.token_key()"));
    answers(statement(identity_));
    share::Challenges given;
    for (int renewal = 0; renewal < 2; ++renewal) {
        const std::string asked = renewal == 0 ? offer() : from_client(query("SELECT secret"));
        EXPECT_THAT(asked, HasSubstr("SELECT pgveil.challenge()"));
        EXPECT_THAT(asked, Not(HasSubstr("secret"))) << "the client's request waits";
        const share::Nonce challenge = given.give(core::system_random(), now_s_);
        EXPECT_EQ(answers(share::challenge_text(challenge)), "") << "the client sees nothing of it";
        const std::string said = offer();
        const std::size_t begin = said.find("pgvt1.");
        ASSERT_NE(begin, std::string::npos);
        const std::string token = said.substr(begin, said.find('\'', begin) - begin);
        const auto contents =
            share::open_token(*share::parse_token(core::as_bytes(token)), token_key_, "clinic");
        ASSERT_TRUE(contents.has_value());
        EXPECT_EQ(share::parse_token_scope(contents->scope)->challenge, challenge);
        ready();
        ready();
        now_s_ += 30;
    }
}

TEST_F(RelayTest, WhatIsNoChallengeGetsNoShares) {
    TokenSource tokens(60, true);
    relay_ = Relay(tokens, nullptr, account_, [this] { return now_s_; });
    startup();
    ready();
    from_client(query("SELECT 1"));
    answers(statement(identity_));
    offer();
    answers("pgvc1.");
    ASSERT_TRUE(relay_.failure());
    EXPECT_THAT(offer(), Not(HasSubstr("pgva1.")));
}

TEST_F(RelayTest, AnotherProxyThanThePinnedOneGetsNoShares) {
    startup();
    ready();
    from_client(query("SELECT 1"));
    answers(statement(core::SigningKey::generate()));
    ASSERT_TRUE(relay_.failure());
    EXPECT_EQ(relay_.failure()->sqlstate, "28000");
    EXPECT_THAT(offer(), Not(HasSubstr("pgva1.")));
}

TEST_F(RelayTest, ATokenIsRenewedInFrontOfTheNextRequest) {
    settle();
    now_s_ += 29;
    EXPECT_THAT(from_client(query("SELECT 1")), Not(HasSubstr("pgvt1.")));
    ready();
    now_s_ += 1;
    const std::string given = from_client(query("SELECT 1"));
    EXPECT_THAT(given, HasSubstr("SET pgveil.user_token = 'pgvt1."));
    EXPECT_THAT(given, Not(HasSubstr("pgva1.")));
    EXPECT_EQ(ready(), "");
}

TEST_F(RelayTest, WhoDoesNotWaitForRepliesIsHeldUntilTheyHaveCome) {
    settle();
    from_client(query("SELECT 1"));
    now_s_ += 30;
    EXPECT_EQ(from_client(query("SELECT 2")), "");
    EXPECT_TRUE(relay_.client_waits());
    ready();
    const std::string said = offer();
    EXPECT_THAT(said, HasSubstr("pgvt1."));
    EXPECT_THAT(said, HasSubstr("SELECT 2"));
}

TEST_F(RelayTest, DiscardAllGivesEverythingAgain) {
    settle();
    from_client(query("DISCARD ALL"));
    wire::Output said;
    wire::append_command_complete(said, "DISCARD ALL");
    from_proxy(said);
    ready();
    EXPECT_THAT(from_client(query("SELECT 1")), HasSubstr("pgva1.AAAA"));
}

TEST_F(RelayTest, AFailedTransactionIsLeftAlone) {
    settle();
    from_client(query("BEGIN; SELECT 1/0"));
    ready(wire::TransactionStatus::kFailed);
    now_s_ += 300;
    EXPECT_THAT(from_client(query("ROLLBACK")), Not(HasSubstr("pgvt1.")));
    ready();
    EXPECT_THAT(from_client(query("SELECT 1")), HasSubstr("pgvt1."));
}

TEST_F(RelayTest, ARefusalForWantOfSharesIsPassedOnAndGivesThemAgain) {
    settle();
    from_client(query("SELECT 1"));
    wire::Report report;
    report.sqlstate = "28000";
    report.message = "expired";
    wire::Output said;
    wire::append_error(said, report);
    EXPECT_THAT(from_proxy(said), HasSubstr("expired"));
    ready();
    EXPECT_THAT(from_client(query("SELECT 1")), HasSubstr("pgva1.AAAA"));
}

TEST_F(RelayTest, ChannelBindingIsNotOfferedWhereThereIsNoChannel) {
    startup();
    const std::array<std::string_view, 2> mechanisms = {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"};
    wire::Output said;
    wire::append_authentication_sasl(said, mechanisms);
    wire::Output expected;
    wire::append_authentication_sasl(expected, std::span(mechanisms).last(1));
    EXPECT_EQ(from_proxy(said), wire::as_text(expected.bytes()));
}

TEST_F(RelayTest, MessagesMayComeByteByByte) {
    settle();
    now_s_ += 30;
    const wire::Output said = query("SELECT 1");
    std::string upstream;
    for (const std::uint8_t byte : said.bytes()) {
        waiting_.push_back(static_cast<char>(byte));
        upstream += offer();
    }
    EXPECT_THAT(upstream, HasSubstr("pgvt1."));
    EXPECT_TRUE(upstream.ends_with(wire::as_text(said.bytes())));
}

TEST_F(RelayTest, AClientThatSaysTerminateKnowsWhyTheConnectionEnds) {
    settle();
    EXPECT_FALSE(relay_.said_farewell());
    wire::Output said;
    wire::append_empty(said, wire::FrontendType::kTerminate);
    from_client(said);
    EXPECT_TRUE(relay_.said_farewell());
}

TEST_F(RelayTest, AnotherAccountCountsFromTheNextRequestOutsideATransaction) {
    settle();
    from_client(query("BEGIN"));
    ready(wire::TransactionStatus::kInTransaction);
    auto clerk = std::make_shared<Account>(account_of(identity_));
    clerk->key.user_id = "clerk";
    relay_.take_up(clerk);
    EXPECT_THAT(from_client(query("COMMIT")), Not(HasSubstr("pgveil.")));
    ready();
    const std::string given = from_client(query("SELECT secret"));
    EXPECT_THAT(given, HasSubstr("SET pgveil.user_id = 'clerk'"));
    EXPECT_THAT(given, HasSubstr("SET pgveil.user_token = 'pgvt1."));
    EXPECT_THAT(given, HasSubstr("SELECT secret"));
    ready();
    ready();
    EXPECT_THAT(from_client(query("SELECT secret")), Not(HasSubstr("pgveil.")));
}

TEST_F(RelayTest, AnAppShareOfACallStaysHereAndItsRequestComesAlone) {
    const user::Scratch scratch;
    ShareTable table = *ShareTable::open(scratch / "shares");
    const std::string text = "SELECT pgveil.add_user('clerk', 'pgva1.BBBB', 'a.b.c')";
    relay_ = Relay(tokens_, &table, account_, [this] { return now_s_; });
    settle();
    const std::string upstream = from_client(query(text));
    EXPECT_THAT(upstream, HasSubstr("SELECT pgveil.add_user('clerk', NULL, 'a.b.c')"));
    EXPECT_THAT(upstream, Not(HasSubstr("pgva1.")));
    EXPECT_EQ(from_client(query("SELECT 2")), "");
    EXPECT_TRUE(relay_.client_waits());
    const std::string client = answers("no receipt");
    EXPECT_THAT(client, HasSubstr("no receipt"));
    EXPECT_THAT(client, HasSubstr("has not changed its share of user clerk"));
    EXPECT_EQ(table.find("clerk"), nullptr);
    EXPECT_THAT(offer(), HasSubstr("SELECT 2"));
}

TEST_F(RelayTest, TheConsoleGetsNothing) {
    Relay console(tokens_, nullptr, nullptr, [this] { return now_s_; });
    wire::Output login;
    wire::append_ready_for_query(login, wire::TransactionStatus::kIdle);
    wire::Output client;
    console.on_upstream(login.bytes(), client);
    const wire::Output said = query("SHOW STATE");
    wire::Output upstream;
    console.on_client(said.bytes(), upstream);
    EXPECT_EQ(wire::as_text(upstream.bytes()), wire::as_text(said.bytes()));
}

}  // namespace pgveil::agent
