#include "keyshare/share/tenant.hpp"

#include "test/keyshare/share/samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace pgveil::share {
namespace {

using samples::kNow;

class TenantTest : public testing::Test {
protected:
    Receipt receipt(std::uint64_t store_version) const {
        return Receipt{
            .tenant = "acme",
            .sequence = 0,
            .hash = {},
            .outcome = Outcome::kApplied,
            .reason = {},
            .at_s = kNow,
            .store_version = store_version,
            .keyring = enrolment_.keyring,
            .next_command_key = {2, core::HpkeKeyPair::generate().point}};
    }

    samples::Proxy proxy_;
    Enrolment enrolment_ = samples::enrol(proxy_);
};

TEST_F(TenantTest, IdentityComesBackFromItsBytes) {
    const TenantIdentity identity = TenantIdentity::generate();
    const core::SecretBytes bytes = serialize(identity);
    const auto back = parse_tenant_identity(bytes.reveal());
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(fingerprint_of(*back), fingerprint_of(identity));
    EXPECT_FALSE(parse_tenant_identity(bytes.reveal().first(bytes.size() - 1)).has_value());
}

TEST_F(TenantTest, EnrolmentComesBackFromItsBytes) {
    const core::SecretBytes bytes = serialize(enrolment_);
    const auto back = parse_enrolment(bytes.reveal());
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->keyring, enrolment_.keyring);
    EXPECT_EQ(back->command_key, enrolment_.command_key);
    EXPECT_EQ(back->head.hash, enrolment_.head.hash);
    EXPECT_TRUE(check_keys(*back).has_value());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        ASSERT_FALSE(parse_enrolment(bytes.reveal().first(size)).has_value());
    }
}

TEST_F(TenantTest, AKeyringThatDoesNotFitTheKeyIsNoticed) {
    EXPECT_TRUE(check_keys(enrolment_).has_value());
    enrolment_.groups[0].key.reveal_mutable()[0] ^= 1U;
    EXPECT_FALSE(check_keys(enrolment_).has_value());
}

TEST_F(TenantTest, FingerprintTextComesBackInAnyGrouping) {
    const Digest fingerprint = fingerprint_of(TenantIdentity::generate());
    EXPECT_EQ(*parse_fingerprint(fingerprint_text(fingerprint)), fingerprint);
    EXPECT_FALSE(parse_fingerprint("00").has_value());
    EXPECT_FALSE(parse_fingerprint(fingerprint_text(fingerprint) + "0").has_value());
}

TEST_F(TenantTest, MakesUsersOfKnownGroupsOnly) {
    core::RandomSource& random = core::system_random();
    EXPECT_TRUE(make_user(enrolment_, "nurse", {"medical", "default"}, 1, random).has_value());
    EXPECT_FALSE(make_user(enrolment_, "nurse", {"finance"}, 1, random).has_value());
    EXPECT_FALSE(make_user(enrolment_, "nurse", {}, 1, random).has_value());
    EXPECT_FALSE(make_user(enrolment_, "", {"default"}, 1, random).has_value());
    EXPECT_FALSE(make_user(enrolment_, "a\nb", {"default"}, 1, random).has_value());
}

TEST_F(TenantTest, RenewedPartsFitTheKeptShareAndNoOlderPart) {
    core::RandomSource& random = core::system_random();
    const auto old = make_user(enrolment_, "nurse", {"medical", "default"}, 1, random);
    const auto kept = user_key_of(*old, enrolment_);
    const auto fresh = renew_user(enrolment_, kept, 2, random);
    ASSERT_TRUE(fresh.has_value());
    EXPECT_EQ(serialize(user_key_of(*fresh, enrolment_)).size(), serialize(kept).size());
    EXPECT_TRUE(core::equal_in_constant_time(
        serialize(user_key_of(*fresh, enrolment_)).reveal(), serialize(kept).reveal()
    ));
    ASSERT_EQ(fresh->groups.size(), old->groups.size());
    for (std::size_t at = 0; at < old->groups.size(); ++at) {
        const Triple& before = old->groups[at].triple;
        const Triple& after = fresh->groups[at].triple;
        const auto opens = [&](const AppPart& app, const ProxyPart& proxy) {
            const TenantKey key = combine(after.user, app, proxy);
            return std::ranges::any_of(enrolment_.groups, [&](const GroupKey& one) {
                return core::equal_in_constant_time(one.key.reveal(), key.reveal());
            });
        };
        EXPECT_TRUE(opens(after.app, after.proxy));
        EXPECT_TRUE(opens(before.app, before.proxy));  // whoever took both still has TK
        EXPECT_FALSE(opens(after.app, before.proxy));
        EXPECT_FALSE(opens(before.app, after.proxy));
    }
    EXPECT_FALSE(renew_user(enrolment_, kept, 1, random).has_value());
}

TEST_F(TenantTest, TakesOverTheNextCommandKeyOnce) {
    const Receipt newer = receipt(5);
    ASSERT_TRUE(absorb(enrolment_, newer).has_value());
    EXPECT_EQ(enrolment_.command_key, newer.next_command_key);
    EXPECT_EQ(enrolment_.store_version, 5U);
    ASSERT_TRUE(absorb(enrolment_, receipt(4)).has_value());
    EXPECT_EQ(enrolment_.command_key, newer.next_command_key);
}

TEST_F(TenantTest, RefusesAKeyringPutBackAndReceiptsOfCommandsNeverMade) {
    Receipt changed = receipt(5);
    changed.keyring.rows[0].zero[0] ^= 1U;
    EXPECT_FALSE(absorb(enrolment_, changed).has_value());
    Receipt unknown = receipt(5);
    unknown.sequence = 9;
    EXPECT_FALSE(absorb(enrolment_, unknown).has_value());
}

}  // namespace
}  // namespace pgveil::share
