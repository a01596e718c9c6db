#include "config/custodian_settings.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::config {
namespace {

const std::string kIdentity(44, 'A');

std::string custodian_text(const std::string& more) {
    return R"({"name": "one", "listen": {"host": "*"}, "administrators": ["admin"],
        "tls": {"certificate": "a.crt", "key": "a.key", "client_ca": "/ca.crt"},
        "store": {"folder": "store", "seal": "../seal.key"})" +
           more + "}";
}

std::string error_of(const std::string& text) {
    const auto settings = parse_custodian_settings("/etc/pgveil/custodian.json", text);
    return settings.has_value() ? "" : settings.error().message;
}

std::string peer(const std::string& name, const std::string& identity) {
    return R"({"name": ")" + name + R"(", "identity": ")" + identity + R"("})";
}

TEST(CustodianSettings, PathsAreRelativeToTheFile) {
    const auto settings =
        parse_custodian_settings("/etc/pgveil/custodian.json", custodian_text(""));
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    EXPECT_EQ(settings->certificate, "/etc/pgveil/a.crt");
    EXPECT_EQ(settings->client_authority, "/ca.crt");
    EXPECT_EQ(settings->seal_file, "/etc/seal.key");
    EXPECT_EQ(settings->store_file(), "/etc/pgveil/store/custodian.db");
    EXPECT_EQ(settings->port, 7643);
    EXPECT_TRUE(settings->peers.empty());
}

TEST(CustodianSettings, TheExampleIsRight) {
    const auto settings = load_custodian_settings(PGVEIL_SOURCE "/config/examples/custodian.json");
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    EXPECT_EQ(settings->peers.size(), 2U);
}

TEST(CustodianSettings, EachOtherCustodianStandsThereOnce) {
    const std::string other(44, 'B');
    const auto with = [](const std::string& peers) {
        return custodian_text(R"(, "peers": [)" + peers + "]");
    };
    EXPECT_EQ(error_of(with(peer("two", kIdentity) + "," + peer("three", other))), "");
    EXPECT_NE(error_of(with(peer("two", kIdentity) + "," + peer("two", other))), "");
    EXPECT_NE(error_of(with(peer("two", kIdentity) + "," + peer("three", kIdentity))), "");
    EXPECT_NE(error_of(with(peer("one", kIdentity))), "");
    EXPECT_NE(error_of(with(peer("two", "short"))), "");
}

TEST(CustodianSettings, WhatIsMissingOrUnknownIsSaid) {
    EXPECT_EQ(error_of(custodian_text("")), "");
    EXPECT_NE(error_of(custodian_text(R"(, "more": 1)")).find("more"), std::string::npos);
    EXPECT_NE(error_of("{}"), "");
}

}  // namespace
}  // namespace pgveil::config
