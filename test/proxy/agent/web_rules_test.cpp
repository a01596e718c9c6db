#include "proxy/agent/web_rules.hpp"

#include "proxy/agent/web_agent.hpp"

#include <gtest/gtest.h>

namespace pgveil::agent {

namespace {

/// The status of the refusal; 0: it may pass.
unsigned refused(net::HttpFields fields, const WebRules& rules = WebRules("127.0.0.1", 8643)) {
    net::HttpRequest request;
    request.method = "GET";
    request.target = "/";
    request.fields = std::move(fields);
    const auto refusal = rules.refusal_of(request);
    return refusal ? refusal->status : 0;
}

net::HttpFields from_site(const std::string& site) {
    return {{"Host", "127.0.0.1:8643"}, {"Sec-Fetch-Site", site}};
}

net::HttpFields from_origin(const std::string& host, const std::string& origin) {
    return {{"host", host}, {"origin", origin}};
}

TEST(WebRules, PassesTheUsersOwnRequests) {
    EXPECT_EQ(refused(from_site("same-origin")), 0U);
    EXPECT_EQ(refused(from_site("none")), 0U);
    EXPECT_EQ(refused(from_origin("localhost:8643", "http://localhost:8643")), 0U);
    EXPECT_EQ(refused(from_origin("127.0.0.1:8643", "http://127.0.0.1:8643")), 0U);
    EXPECT_EQ(refused(from_origin("[::1]:1", "http://[::1]:1"), WebRules("::1", 1)), 0U);
}

TEST(WebRules, RefusesAnotherPagesRequests) {
    for (const char* const site : {"cross-site", "same-site", "", "Same-Origin", "none, none"}) {
        EXPECT_EQ(refused(from_site(site)), 403U) << site;
    }
    for (const char* const origin :
         {"http://localhost:8643",
          "https://127.0.0.1:8643",
          "http://127.0.0.1",
          "null",
          "",
          "http://127.0.0.1:8643.evil.example",
          "http://127.0.0.1:3000"}) {
        EXPECT_EQ(refused(from_origin("127.0.0.1:8643", origin)), 403U) << origin;
    }
}

/// One that says yes does not outweigh one that says no.
TEST(WebRules, RefusesWhatContradictsItself) {
    net::HttpFields fields = from_site("same-origin");
    fields.push_back({"Origin", "http://evil.example"});
    EXPECT_EQ(refused(fields), 403U);
    fields = from_site("cross-site");
    fields.push_back({"Origin", "http://127.0.0.1:8643"});
    EXPECT_EQ(refused(fields), 403U);
    fields = from_site("same-origin");
    fields.push_back({"sec-fetch-site", "cross-site"});
    EXPECT_EQ(refused(fields), 403U);
}

TEST(WebRules, RefusesARequestThatDoesNotSayWhereItComesFrom) {
    EXPECT_EQ(refused({{"Host", "127.0.0.1:8643"}}), 403U);
}

/// A name that an attacker lets point to this machine makes his page "same-origin".
TEST(WebRules, RefusesOtherNamesOfThisMachine) {
    for (const char* const host :
         {"evil.example:8643",
          "127.0.0.1",
          "127.0.0.1:80",
          "localhost",
          "localhost.:8643",
          "127.0.0.1:8643.evil.example",
          "LOCALHOST:8643",
          ""}) {
        net::HttpFields fields{{"Host", host}, {"Sec-Fetch-Site", "same-origin"}};
        EXPECT_EQ(refused(fields), 421U) << host;
    }
}

TEST(WebRules, StripsEveryFieldThatCouldBeReadAsAShare) {
    net::HttpFields fields{
        {"Pgveil-User", "clerk"},
        {"pgveil-user-share", "pgvt1.x"},
        {"PGVEIL_USER", "clerk"},
        {"Pgveil-User_Share", "pgvt1.x"},
        {"Pgveil", "kept"},
        {"X-Pgveil-User", "kept"}};
    WebRules::strip_shares(fields);
    ASSERT_EQ(fields.size(), 2U);
    EXPECT_EQ(fields[0].name, "Pgveil");
    EXPECT_EQ(fields[1].name, "X-Pgveil-User");
}

TEST(ParseApplication, TakesAUrlApart) {
    struct Case {
        const char* url;
        const char* host;
        std::uint16_t port;
        const char* authority;
    };

    for (const Case& each :
         {Case{"https://clinic.example", "clinic.example", 443, "clinic.example"},
          Case{"https://clinic.example:8443/", "clinic.example", 8443, "clinic.example:8443"},
          Case{"http://127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1:8080"},
          Case{"http://[::1]:8080", "::1", 8080, "[::1]:8080"},
          Case{"https://[2001:db8::1]/", "2001:db8::1", 443, "[2001:db8::1]"}}) {
        const auto origin = parse_application(each.url);
        ASSERT_TRUE(origin.has_value()) << each.url;
        EXPECT_EQ(origin->host, each.host);
        EXPECT_EQ(origin->port, each.port);
        EXPECT_EQ(origin->authority, each.authority);
    }
}

TEST(ParseApplication, RefusesWhatIsNoOriginOrNotProtected) {
    for (const char* const url :
         {"clinic.example",
          "ftp://clinic.example",
          "https://",
          "https://a/path",
          "https://a?b",
          "https://user@a",
          "https://a:0",
          "https://a:65536",
          "https://a:",
          "https://a b",
          "https://a\r\nX: y",
          "http://clinic.example",
          "http://192.0.2.1:8080"}) {
        EXPECT_FALSE(parse_application(url).has_value()) << url;
    }
}

}  // namespace

}  // namespace pgveil::agent
