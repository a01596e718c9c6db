#include "keyshare/share/keyring.hpp"

#include "keyshare/core/hash.hpp"
#include "test/keyshare/share/samples.hpp"

#include <gtest/gtest.h>

namespace pgveil::share {
namespace {

using samples::kTenant;

Keyring two_groups() {
    const samples::Proxy proxy;
    return samples::enrol(proxy).keyring;
}

TEST(Keyring, ComesBackFromItsJson) {
    const Keyring keyring = two_groups();
    const auto back = parse_keyring(serialize(keyring));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, keyring);
    const auto row = parse_keyring_row(serialize(keyring.rows[0]));
    ASSERT_TRUE(row.has_value());
    EXPECT_EQ(*row, keyring.rows[0]);
}

TEST(Keyring, RefusesEveryOtherFormOfItsJson) {
    const std::string json = serialize(two_groups());
    EXPECT_FALSE(parse_keyring(" " + json).has_value());
    EXPECT_FALSE(parse_keyring(json + "\n").has_value());
    EXPECT_FALSE(parse_keyring(json.substr(0, json.size() - 1)).has_value());
    std::string extra = json;
    extra.insert(1, "\"new\":1,");
    EXPECT_FALSE(parse_keyring(extra).has_value());
    std::string twice = json;
    twice.insert(1, "\"version\":1,");
    EXPECT_FALSE(parse_keyring(twice).has_value());
    EXPECT_FALSE(parse_keyring("").has_value());
    EXPECT_FALSE(parse_keyring("[]").has_value());
    EXPECT_FALSE(parse_keyring("{\"version\":1,\"rows\":[1]}").has_value());
}

TEST(Keyring, FindsTheLiveKeyOfAGroup) {
    const Keyring keyring = two_groups();
    ASSERT_NE(keyring.live("medical"), nullptr);
    EXPECT_EQ(keyring.live("medical")->key_id, 2U);
    EXPECT_EQ(keyring.live("finance"), nullptr);
    EXPECT_NE(keyring.find("default", 1), nullptr);
    EXPECT_EQ(keyring.find("default", 2), nullptr);
}

TEST(Keyring, ANewVersionNamesTheHashOfTheOneBefore) {
    const Keyring before = two_groups();
    const Keyring after =
        with_rows(before, {samples::row_of("finance", 3, samples::counting<TenantKey>(5))});
    EXPECT_EQ(after.version, before.version + 1);
    EXPECT_EQ(after.rows.back().version, after.version);
    EXPECT_EQ(after.rows.back().previous, core::sha256(core::as_bytes(serialize(before))));
    EXPECT_TRUE(check_rows(after).has_value());
}

TEST(Keyring, RefusesTwoLiveKeysOfAGroupAndRepeatedKeyIds) {
    Keyring keyring = two_groups();
    keyring.rows[1].group = "default";
    EXPECT_FALSE(check_rows(keyring).has_value());
    keyring.rows[1].state = KeyState::kRetired;
    EXPECT_TRUE(check_rows(keyring).has_value());
    keyring.rows[1].key_id = 1;
    EXPECT_FALSE(check_rows(keyring).has_value());
    keyring.rows[1].key_id = 0;
    EXPECT_FALSE(check_rows(keyring).has_value());
}

TEST(KeyringMirror, OpensWithTheSignersKeyOnly) {
    const samples::Proxy proxy;
    const samples::Proxy other;
    const Keyring keyring = samples::enrol(proxy).keyring;
    const auto mirror = make_mirror(keyring, kTenant, proxy.identity);
    ASSERT_EQ(mirror.size(), 2U);
    const auto opened = open_mirror_row(mirror[1], kTenant, proxy.identity.verifying_key());
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(*opened, keyring.rows[1]);
    EXPECT_FALSE(open_mirror_row(mirror[1], kTenant, other.identity.verifying_key()).has_value());
    EXPECT_FALSE(open_mirror_row(mirror[1], "other", proxy.identity.verifying_key()).has_value());
}

TEST(KeyringMirror, RefusesColumnsThatSayAnotherThingThanTheSignedPart) {
    const samples::Proxy proxy;
    const auto mirror = make_mirror(samples::enrol(proxy).keyring, kTenant, proxy.identity);
    MirrorRow moved = mirror[0];
    moved.group = "medical";
    EXPECT_FALSE(open_mirror_row(moved, kTenant, proxy.identity.verifying_key()).has_value());
    MirrorRow newer = mirror[0];
    newer.version += 1;
    EXPECT_FALSE(open_mirror_row(newer, kTenant, proxy.identity.verifying_key()).has_value());
}

}  // namespace
}  // namespace pgveil::share
