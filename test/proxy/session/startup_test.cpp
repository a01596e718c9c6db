#include "proxy/session/startup.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace pgveil::session {
namespace {

using Pairs = std::vector<wire::StartupParameter>;

core::SecretBytes packet_of(const Pairs& pairs, std::uint32_t version = wire::kProtocol30) {
    wire::Output out;
    wire::append_startup_message(out, version, pairs);
    return core::SecretBytes::copy_of(out.bytes());
}

StartupRules rules_without_tls() {
    StartupRules rules;
    rules.requires_tls = false;
    return rules;
}

std::string state_of(const Pairs& pairs, bool is_tls, const StartupRules& rules = StartupRules()) {
    const auto startup = check_startup(packet_of(pairs), is_tls, rules);
    return startup.has_value() ? "accepted" : startup.error().sqlstate;
}

TEST(Startup, TakesUserDatabaseAndEveryParameterInOrder) {
    const Pairs pairs{
        {"user", "nurse"},
        {"database", "clinic"},
        {"_pq_.grease", "1"},
        {"application_name", "psql"},
        {"options", "-c work_mem=4MB"}};
    auto checked = check_startup(packet_of(pairs), true, StartupRules());
    ASSERT_TRUE(checked.has_value()) << checked.error().summary();
    const ClientStartup startup = std::move(*checked);
    EXPECT_EQ(startup.user, "nurse");
    EXPECT_EQ(startup.database, "clinic");
    EXPECT_TRUE(startup.is_private);
    ASSERT_EQ(startup.parameters.size(), 4U);
    EXPECT_EQ(startup.parameters[2].name, "application_name");
    EXPECT_EQ(startup.parameters[3].value, "-c work_mem=4MB");
}

TEST(Startup, UsesTheUserNameWhereNoDatabaseIsNamed) {
    const auto startup = check_startup(packet_of({{"user", "nurse"}}), true, StartupRules());
    ASSERT_TRUE(startup.has_value());
    EXPECT_EQ(startup->database, "nurse");
}

TEST(Startup, RefusesPlainConnectionsWhereTlsIsRequired) {
    EXPECT_EQ(state_of({{"user", "nurse"}}, false), "28000");
    EXPECT_EQ(state_of({{"user", "nurse"}}, true), "accepted");
    EXPECT_EQ(state_of({{"user", "nurse"}}, false, rules_without_tls()), "accepted");
}

TEST(Startup, RefusesMissingUserAndReplication) {
    EXPECT_EQ(state_of({}, true), "28000");
    EXPECT_EQ(state_of({{"user", ""}}, true), "28000");
    EXPECT_EQ(state_of({{"user", "nurse"}, {"replication", "database"}}, true), "0A000");
    EXPECT_EQ(state_of({{"user", "nurse"}, {"replication", "true"}}, true), "0A000");
    EXPECT_EQ(state_of({{"user", "nurse"}, {"replication", "OFF"}}, true), "accepted");
}

TEST(Startup, RefusesOtherProtocolsInTheServersWords) {
    const core::Bytes version2{0, 0, 0, 9, 0, 2, 0, 0, 0};
    const auto startup = check_startup(core::SecretBytes::copy_of(version2), true, StartupRules());
    ASSERT_FALSE(startup.has_value());
    EXPECT_EQ(startup.error().sqlstate, "0A000");
    EXPECT_EQ(
        startup.error().message, "unsupported frontend protocol 2.0: server supports 3.0 to 3.2"
    );
}

TEST(Startup, RefusesSharesThatCameWithoutTlsAndSaysTheyAreExposed) {
    const std::vector<Pairs> exposing{
        {{"user", "nurse"}, {"pgveil.app_share", "pgva1.x"}},
        {{"user", "nurse"}, {"PgVeil.User_Token", "pgvt1.x"}},
        {{"user", "nurse"}, {"options", "-c pgveil.app_share=pgva1.x"}},
        {{"user", "nurse"}, {"options", "-cpgveil.app_share=pgva1.x"}},
        {{"user", "nurse"}, {"options", "--PGVEIL.app-share=pgva1.x"}},
        {{"user", "nurse"}, {"options", "-c pg\\veil.app_share=pgva1.x"}},
        {{"user", "nurse"}, {"options", "-Q pgveil.app_share=pgva1.x"}}};
    for (const Pairs& pairs : exposing) {
        const auto startup = check_startup(packet_of(pairs), false, rules_without_tls());
        ASSERT_FALSE(startup.has_value()) << pairs.back().value;
        EXPECT_EQ(startup.error().sqlstate, "28000");
        EXPECT_NE(
            startup.error().detail.find("app share of this user is now exposed"), std::string::npos
        );
        EXPECT_EQ(startup.error().summary().find("pgva1.x"), std::string::npos);
        EXPECT_EQ(state_of(pairs, true), "accepted");
    }
    EXPECT_EQ(
        state_of(
            {{"user", "pgveil.app_share"}, {"options", "-c application_name=pgveil.io"}},
            false,
            rules_without_tls()
        ),
        "accepted"
    );
}

TEST(Startup, AsksTheHookWhereOneIsGiven) {
    StartupRules rules = rules_without_tls();
    rules.exposes_shares = [](const wire::StartupMessage&) {
        return true;
    };
    EXPECT_EQ(state_of({{"user", "nurse"}}, false, rules), "28000");
}

TEST(Negotiation, IsDueForALaterMinorVersionOrUnknownOptions) {
    const auto due = [](const Pairs& pairs, std::uint32_t version) {
        const core::SecretBytes packet = packet_of(pairs, version);
        const auto decoded = wire::decode_startup(packet.reveal());
        const auto negotiation = negotiate(std::get<wire::StartupMessage>(*decoded));
        const std::string agreed = negotiation.version == wire::kProtocol32 ? "3.2" : "3.0";
        std::string text = negotiation.needed ? "due " + agreed : "none";
        for (const std::string_view name : negotiation.unrecognized) {
            text += " " + std::string(name);
        }
        return text;
    };
    EXPECT_EQ(due({{"user", "nurse"}}, 0x00030000), "none");
    EXPECT_EQ(due({{"user", "nurse"}}, 0x00030001), "due 3.0");
    EXPECT_EQ(due({{"user", "nurse"}}, 0x00030002), "none");
    EXPECT_EQ(due({{"user", "nurse"}}, 0x00030003), "due 3.2");
    // What libpq of PostgreSQL 19 beta sends as grease.
    EXPECT_EQ(
        due({{"user", "nurse"}, {"_pq_.test_protocol_negotiation", ""}}, 0x0003270F),
        "due 3.2 _pq_.test_protocol_negotiation"
    );
    EXPECT_EQ(
        due({{"user", "n"}, {"_pq_.a", "1"}, {"_pq_.b", "2"}}, 0x00030000), "due 3.0 _pq_.a _pq_.b"
    );
}

TEST(Startup, AgreesOnTheNewestVersionThatBothSidesKnow) {
    const auto agreed = [](std::uint32_t version) {
        const auto startup =
            check_startup(packet_of({{"user", "nurse"}}, version), true, StartupRules());
        return startup.has_value() ? startup->version : 0;
    };
    EXPECT_EQ(agreed(wire::kProtocol30), wire::kProtocol30);
    EXPECT_EQ(agreed(0x00030001), wire::kProtocol30);
    EXPECT_EQ(agreed(wire::kProtocol32), wire::kProtocol32);
    EXPECT_EQ(agreed(0x0003270F), wire::kProtocol32);
}

TEST(Startup, SaysWhyReplicationIsRefused) {
    const auto startup = check_startup(
        packet_of({{"user", "nurse"}, {"replication", "database"}}), true, StartupRules()
    );
    ASSERT_FALSE(startup.has_value());
    EXPECT_NE(startup.error().detail.find("encrypted form"), std::string::npos);
    EXPECT_NE(startup.error().hint.find("straight to the database server"), std::string::npos);
}

TEST(Startup, TakesReplicationWhereThePolicyHasNothingAgainstIt) {
    StartupRules rules;
    rules.policy = std::make_shared<const config::Policy>(config::PolicyContent{});
    const auto startup =
        check_startup(packet_of({{"user", "nurse"}, {"replication", "database"}}), true, rules);
    ASSERT_TRUE(startup.has_value()) << startup.error().summary();
    EXPECT_EQ(startup->replication, Replication::kLogical);
    EXPECT_EQ(startup->parameters.size(), 2U) << "the server has to hear of it, too";
}

TEST(Startup, CutsTheNameOfTheDatabaseAsTheServerDoes) {
    const std::string longest(63, 'c');
    const std::string longer = longest + "x";
    const auto startup =
        check_startup(packet_of({{"user", "nurse"}, {"database", longer}}), true, StartupRules());
    ASSERT_TRUE(startup.has_value());
    EXPECT_EQ(startup->database, longest);
    EXPECT_EQ(startup->parameters[1].value, longer);
}

TEST(Startup, NeverTakesBytesThatAreCutShort) {
    const core::SecretBytes whole =
        packet_of({{"user", "nurse"}, {"database", "clinic"}, {"options", "-c a.b=c"}});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto startup = check_startup(
            core::SecretBytes::copy_of(whole.reveal().first(size)), true, StartupRules()
        );
        EXPECT_FALSE(startup.has_value()) << size;
    }
}

}  // namespace
}  // namespace pgveil::session
