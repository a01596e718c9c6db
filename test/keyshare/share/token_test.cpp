#include "keyshare/share/token.hpp"

#include "test/keyshare/share/samples.hpp"

#include <gtest/gtest.h>

namespace pgveil::share {
namespace {

using samples::kNow;

class Token : public testing::Test {
protected:
    UserKey user() const {
        UserKey key{"acme", "nurse", 1, proxy_.identity.verifying_key().point(), {}};
        key.groups.push_back({"default", samples::counting<UserPart>(40)});
        key.groups.push_back({"medical", samples::counting<UserPart>(80)});
        return key;
    }

    TokenPublicKey public_key() const { return {77, pair_.point}; }

    std::string text() const {
        const auto made = make_token(user(), public_key(), {kNow, 60}, core::system_random());
        return std::string(core::as_text(made->reveal()));
    }

    bool opens(std::string_view token) const {
        const auto parsed = parse_token(core::as_bytes(token));
        return parsed.has_value() && open_token(*parsed, pair_, "acme").has_value();
    }

    samples::Proxy proxy_;
    core::HpkeKeyPair pair_ = core::HpkeKeyPair::generate();
};

TEST_F(Token, SaysWhatWasPutIn) {
    const std::string token = text();
    EXPECT_TRUE(token.starts_with("pgvt1."));
    const auto parsed = parse_token(core::as_bytes(token));
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->key_id, 77U);
    const auto contents = open_token(*parsed, pair_, "acme");
    ASSERT_TRUE(contents.has_value());
    EXPECT_EQ(contents->tenant, "acme");
    EXPECT_EQ(contents->user_id, "nurse");
    EXPECT_EQ(contents->issued_at_s, kNow);
    EXPECT_EQ(contents->expires_at_s, kNow + 60);
    EXPECT_EQ(contents->audience, proxy_.identity.verifying_key().point().fingerprint());
    EXPECT_EQ(contents->epoch, 1U);
    ASSERT_EQ(contents->groups.size(), 2U);
    EXPECT_EQ(contents->groups[1].group, "medical");
    EXPECT_EQ(
        core::to_hex(contents->groups[1].part.reveal()),
        core::to_hex(samples::counting<UserPart>(80).reveal())
    );
}

TEST_F(Token, EveryFlippedBitIsRefused) {
    const std::string token = text();
    ASSERT_TRUE(opens(token));
    for (std::size_t at = 0; at < token.size(); ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            ASSERT_FALSE(opens(samples::flip(token, at, bit))) << "byte " << at << " bit " << bit;
        }
    }
}

TEST_F(Token, CutOrLengthenedIsRefused) {
    const std::string token = text();
    for (std::size_t size = 0; size < token.size(); ++size) {
        ASSERT_FALSE(opens(token.substr(0, size)));
    }
    EXPECT_FALSE(opens(token + "A"));
    EXPECT_FALSE(opens(token + "\n"));
    EXPECT_FALSE(opens(" " + token));
}

TEST_F(Token, AnotherTenantsInfoOrAnotherKeyDoesNotOpen) {
    const auto parsed = parse_token(core::as_bytes(text()));
    ASSERT_TRUE(parsed.has_value());
    EXPECT_TRUE(open_token(*parsed, pair_, "acme").has_value());
    EXPECT_FALSE(open_token(*parsed, pair_, "other").has_value());
    EXPECT_FALSE(open_token(*parsed, core::HpkeKeyPair::generate(), "acme").has_value());
}

TEST_F(Token, TwoTokensOfOneSecondDiffer) {
    EXPECT_NE(text(), text());
}

TEST_F(Token, IsNotMadeWithoutLife) {
    EXPECT_FALSE(make_token(user(), public_key(), {kNow, 0}, core::system_random()).has_value());
    EXPECT_FALSE(make_token(user(), public_key(), {kNow, -5}, core::system_random()).has_value());
}

TEST_F(Token, UserKeyComesBackFromItsBytes) {
    const core::SecretBytes bytes = serialize(user());
    const auto back = parse_user_key(bytes.reveal());
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->user_id, "nurse");
    EXPECT_EQ(back->proxy_identity, proxy_.identity.verifying_key().point());
    EXPECT_EQ(back->groups.size(), 2U);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        ASSERT_FALSE(parse_user_key(bytes.reveal().first(size)).has_value());
    }
}

}  // namespace
}  // namespace pgveil::share
