#include "config/settings.hpp"
#include "test/config/settings_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pgveil::config {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::with;

std::string with_store(const std::string& store) {
    std::string text = with("");
    const std::string file = R"({"path":"s.db"})";
    return text.replace(text.find(file), file.size(), store);
}

TEST(Settings, AStoreOfSeveralProxiesNamesItsServers) {
    const auto settings = parse_settings(
        "/etc/pgveil/pgveil.json",
        with_store(R"({"kind":"postgresql","hosts":[{"host":"a"},{"host":"b","port":5433}],
                       "tls":{"ca":"ca.crt"},"password_file":"p","max_age_ms":500})")
    );
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    ASSERT_TRUE(settings->store_database.has_value());
    const StoreDatabaseSettings& store = *settings->store_database;
    ASSERT_EQ(store.hosts.size(), 2U);
    EXPECT_EQ(store.hosts[0].port, 5432);
    EXPECT_EQ(store.hosts[1].host + ":" + std::to_string(store.hosts[1].port), "b:5433");
    EXPECT_EQ(store.ca, "/etc/pgveil/ca.crt");
    EXPECT_EQ(store.password_file, "/etc/pgveil/p");
    EXPECT_EQ(store.max_age_ms, 500U);
    EXPECT_EQ(store.database, "pgveil_store");
    EXPECT_TRUE(settings->store_path.empty());
    EXPECT_FALSE(parse_settings("f", with(""))->store_database.has_value());
}

TEST(Settings, RefusesAStoreThatIsNeitherAFileNorServers) {
    const std::string hosts = R"("hosts":[{"host":"a"}])";
    EXPECT_EQ(error_of(with_store(R"({"kind":"sqlite","path":"s"})")), "") << "control";
    EXPECT_THAT(error_of(with_store("{" + hosts + "}")), HasSubstr(R"(add "kind": "postgresql")"));
    EXPECT_THAT(error_of(with_store(R"({"path":"s","user":"u"})")), HasSubstr("no other keys"));
    const std::string shared = R"({"kind":"postgresql",)" + hosts;
    EXPECT_THAT(error_of(with_store(shared + "}")), HasSubstr(R"(needs "tls")"));
    EXPECT_THAT(error_of(with_store(shared + R"(,"tls":{}})")), HasSubstr(R"(needs "ca")"));
    EXPECT_EQ(error_of(with_store(shared + R"(,"tls":{"mode":"disable"}})")), "") << "control";
    EXPECT_THAT(
        error_of(with_store(shared + R"(,"path":"s","tls":{"mode":"disable"}})")),
        HasSubstr(R"(has no "path")")
    );
}

/// Settings with this seal.
std::string sealed_by(std::string_view seal, std::string text = with("")) {
    constexpr std::string_view kFile = R"({"kind":"file","path":"k"})";
    return text.replace(text.find(kFile), kFile.size(), seal);
}

constexpr std::string_view kApprover =
    "BArSoxE5Hd_ESfRg7x0lFNpK11VRmTTwXUvC3HZEOwpOApSwz5tW81dY4IRqp1A5kYM2NyCFC8_z5GBi06kjPzo";

TEST(Settings, ReadsWhatATpmNeeds) {
    const auto settings = parse_settings(
        "/etc/pgveil/pgveil.json",
        sealed_by(
            R"({"kind":"tpm","path":"k","tpm":{"approver":")" + std::string(kApprover) +
            R"(","pcrs":[7]}})"
        )
    );
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    ASSERT_TRUE(settings->tpm.has_value());
    EXPECT_EQ(settings->tpm->tcti, "device:/dev/tpmrm0");
    EXPECT_EQ(settings->tpm->approvals, "/etc/pgveil/k.approvals");
    EXPECT_EQ(settings->tpm->pcrs, std::vector<std::uint32_t>{7});
    EXPECT_FALSE(parse_settings("/etc/pgveil/pgveil.json", with(""))->tpm.has_value());
}

TEST(Settings, RefusesCustodiansThatAreNotNamedOrNotUsed) {
    const std::string named = R"("custodians":{"file":"c","group":"g"})";
    EXPECT_EQ(error_of(sealed_by(R"({"kind":"custodians","path":"k",)" + named + "}")), "");
    EXPECT_EQ(
        error_of(sealed_by(
            R"({"kind":"tpm+custodians","path":"k",)" + named + R"(,"tpm":{"approver":")" +
            std::string(kApprover) + "\"}}"
        )),
        ""
    );
    EXPECT_THAT(error_of(sealed_by(R"({"kind":"custodians","path":"k"})")), HasSubstr("\"group\""));
    EXPECT_THAT(
        error_of(sealed_by(R"({"kind":"file","path":"k",)" + named + "}")),
        HasSubstr("its kind is \"file\"")
    );
    EXPECT_THAT(
        error_of(sealed_by(R"({"kind":"tpm+custodians","path":"k",)" + named + "}")),
        HasSubstr("approver")
    );
    const std::string shared =
        with_store(R"({"kind":"postgresql","hosts":[{"host":"a"}],"tls":{"mode":"disable"}})");
    EXPECT_THAT(
        error_of(sealed_by(R"({"kind":"custodians","path":"k",)" + named + "}", shared)),
        HasSubstr("/seal/kind: must be \"file\"")
    );
}

TEST(Settings, RefusesATpmForAStoreOfSeveralProxies) {
    const std::string shared =
        with_store(R"({"kind":"postgresql","hosts":[{"host":"a"}],"tls":{"mode":"disable"}})");
    const std::string tpm =
        R"({"kind":"tpm","path":"k","tpm":{"approver":")" + std::string(kApprover) + "\"}}";
    EXPECT_EQ(error_of(shared), "") << "control";
    EXPECT_EQ(error_of(sealed_by(tpm)), "") << "control";
    EXPECT_THAT(error_of(sealed_by(tpm, shared)), HasSubstr("/seal/kind: must be \"file\""));
}

TEST(Settings, RefusesATpmWithoutAnApproverAndOneThatIsNotUsed) {
    const std::string approver(kApprover);
    EXPECT_THAT(error_of(sealed_by(R"({"kind":"tpm","path":"k"})")), HasSubstr("approver"));
    EXPECT_THAT(
        error_of(sealed_by(R"({"kind":"file","path":"k","tpm":{"approver":")" + approver + "\"}}")),
        HasSubstr("its kind is \"file\"")
    );
    const std::string other(approver.size(), 'A');
    EXPECT_THAT(
        error_of(sealed_by(R"({"kind":"tpm","path":"k","tpm":{"approver":")" + other + "\"}}")),
        HasSubstr("/seal/tpm/approver: is no key")
    );
    EXPECT_THAT(
        error_of(sealed_by(
            R"({"kind":"tpm","path":"k","tpm":{"pcrs":[16],"approver":")" + approver + "\"}}"
        )),
        HasSubstr("/seal/tpm/pcrs")
    );
}

}  // namespace
}  // namespace pgveil::config
