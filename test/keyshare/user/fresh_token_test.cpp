#include "keyshare/user/fresh_token.hpp"

#include "keyshare/core/hpke.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/share/token_key.hpp"
#include "keyshare/user/private_file.hpp"
#include "test/keyshare/user/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pgveil::user {

namespace {

using testing::HasSubstr;

constexpr std::int64_t kNow = 1'800'000'000;

/// A proxy as far as tokens go.
struct Proxy {
    core::SigningKey identity = core::SigningKey::generate();
    core::HpkeKeyPair token_key = core::HpkeKeyPair::generate();

    std::string statement(std::int64_t from = kNow - 10, std::int64_t to = kNow + 3600) const {
        const share::TokenKeyStatement said{
            .tenant = "clinic",
            .key = {.key_id = 7, .point = token_key.point},
            .not_before_s = from,
            .not_after_s = to};
        return share::sign_statement(said, identity);
    }
};

share::UserKey nurse_of(const Proxy& proxy) {
    share::UserKey key{
        .tenant = "clinic",
        .user_id = "nurse",
        .epoch = 1,
        .proxy_identity = proxy.identity.verifying_key().point(),
        .groups = {}};
    key.groups.push_back({"default", core::random_secret<share::UserPart>(core::system_random())});
    return key;
}

}  // namespace

TEST(FreshToken, P13_OpensAtThePinnedProxyOnly) {
    const Proxy proxy;
    const auto token = fresh_token(nurse_of(proxy), proxy.statement(), {kNow, 60});
    ASSERT_TRUE(token) << token.error().message;
    const auto sealed = share::parse_token(token->reveal());
    ASSERT_TRUE(sealed);
    const auto contents = share::open_token(*sealed, proxy.token_key, "clinic");
    ASSERT_TRUE(contents);
    EXPECT_EQ(contents->user_id, "nurse");
    EXPECT_EQ(contents->expires_at_s, kNow + 60);
    EXPECT_FALSE(share::open_token(*sealed, Proxy().token_key, "clinic"));
}

TEST(FreshToken, P12_NotMadeForAnImpostorsStatement) {
    const Proxy proxy;
    const Proxy impostor;
    const auto token = fresh_token(nurse_of(proxy), impostor.statement(), {kNow, 60});
    ASSERT_FALSE(token);
    EXPECT_EQ(token.error().code, Exit::kFailed);
    EXPECT_THAT(token.error().message, HasSubstr("not that of the proxy this key file knows"));
}

TEST(FreshToken, NotMadeForAStatementOutOfForce) {
    const Proxy proxy;
    const auto key = nurse_of(proxy);
    EXPECT_FALSE(fresh_token(key, proxy.statement(kNow - 7200, kNow - 3600), {kNow, 60}));
    EXPECT_FALSE(fresh_token(key, "not a statement", {kNow, 60}));
}

TEST(Statement, IsReadFromAFile) {
    const Scratch scratch;
    const std::string path = scratch / "statement";
    ASSERT_TRUE(create_file(path, core::as_bytes("a.b.c\n"), Audience::kAnybody));
    const auto text = fetch_statement({"", path});
    ASSERT_TRUE(text);
    EXPECT_EQ(*text, "a.b.c");
}

TEST(Statement, OverHttpIsSaidToBeMissing) {
    const auto text = fetch_statement({"https://proxy:9643/token-key", ""});
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, Exit::kUsage);
    EXPECT_THAT(text.error().message, HasSubstr("not available in this version"));
}

}  // namespace pgveil::user
