#include "keyshare/custody/asker_settings.hpp"

#include "keyshare/custody/group_file.hpp"
#include "test/keyshare/quorum/ceremony.hpp"
#include "test/net/tls_certificates.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <string>

namespace pgveil::custody {
namespace {

using ::testing::HasSubstr;

std::string entry(const std::string& name, const std::string& url, const std::string& identity) {
    return R"({"name": ")" + name + R"(", "url": ")" + url + R"(", "identity": ")" + identity +
           "\"}";
}

std::string fresh_identity() {
    return identity_text(quorum::MemberKey::generate().point());
}

std::string document(const std::string& custodians) {
    return R"({"custodians": [)" + custodians +
           R"(], "tls": {"ca": "ca.pem", "certificate": "own.pem", "key": "/elsewhere/own.key"}})";
}

std::string refusal_of(const std::string& text) {
    const auto parsed = parse_asker_settings("etc/custodians.json", text);
    return parsed.has_value() ? "" : parsed.error().message;
}

TEST(AskerSettingsTest, ReadsWhoTheCustodiansAre) {
    const std::string identity = fresh_identity();
    const auto parsed = parse_asker_settings(
        "etc/custodians.json", "// ours\n" + document(entry("ada", "https://ada:7643", identity))
    );
    ASSERT_TRUE(parsed.has_value());
    ASSERT_EQ(parsed->custodians.size(), 1U);
    EXPECT_EQ(parsed->custodians[0].url, "https://ada:7643");
    EXPECT_EQ(identity_text(parsed->custodians[0].identity), identity);
    EXPECT_EQ(parsed->tls.ca, "etc/ca.pem");
    EXPECT_EQ(parsed->tls.key, "/elsewhere/own.key");
}

TEST(AskerSettingsTest, RefusesWhatIsNotSaidClearly) {
    const std::string key = fresh_identity();
    EXPECT_THAT(refusal_of("{"), HasSubstr("etc/custodians.json: it is no JSON"));
    EXPECT_THAT(refusal_of(document("")), HasSubstr("at least one"));
    EXPECT_THAT(refusal_of(document(entry("ada", "http://ada", key))), HasSubstr("https://HOST"));
    EXPECT_THAT(
        refusal_of(document(entry("ada", "https://ada/x", key))), HasSubstr("https://HOST")
    );
    EXPECT_THAT(
        refusal_of(document(entry("ada", "https://u@ada", key))), HasSubstr("https://HOST")
    );
    EXPECT_THAT(refusal_of(document(entry("ada", "https://ada", "AAAA"))), HasSubstr("is no key"));
    EXPECT_THAT(
        refusal_of(
            document(entry("ada", "https://ada", key) + "," + entry("ben", "https://ben", key))
        ),
        HasSubstr("ada and ben have the same")
    );
    EXPECT_THAT(refusal_of(R"({"custodians": [], "extra": 1, "tls": {}})"), HasSubstr("\"extra\""));
}

TEST(AskerSettingsTest, ACertificateNamesWhoAsks) {
    net::TestAuthority authority;
    const auto name = requester_of(authority.issue({"clinic.example"}).certificate);
    ASSERT_TRUE(name.has_value());
    EXPECT_EQ(*name, "issued");
    EXPECT_FALSE(requester_of(authority.write("none.pem", "nothing")).has_value());
}

TEST(GroupFileTest, IsReadAsItWasWrittenOnly) {
    quorum::testing::Ceremony ceremony({2, 3});
    ceremony.run();
    const PinnedGroup pinned{ceremony.group, {"ada", "ben", "cleo"}};
    net::TestAuthority folder;
    const std::string file = folder.write("group.json", "");
    ASSERT_TRUE(save_group(file, pinned).has_value());
    const auto loaded = load_group(file);
    ASSERT_TRUE(loaded.has_value());
    EXPECT_EQ(*loaded, pinned);
    EXPECT_FALSE(std::filesystem::exists(file + ".new"));
    std::string altered = write_group(pinned);
    altered.replace(altered.find("cleo"), 4, "mike");
    EXPECT_TRUE(parse_group_file(file, altered).has_value());  // a name is the owner's to choose
    altered = write_group(pinned);
    altered.replace(altered.find("\"epoch\": 0"), 10, "\"epoch\": 1");
    EXPECT_FALSE(parse_group_file(file, altered).has_value());
}

}  // namespace
}  // namespace pgveil::custody
