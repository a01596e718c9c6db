#include "keyshare/share/hierarchy.hpp"

#include "keyshare/core/bytes.hpp"
#include "keyshare/share/bootstrap_secrets.hpp"
#include "keyshare/share/commitment.hpp"
#include "test/keyshare/share/samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace pgveil::share {
namespace {

constexpr TenantKeyPlace kPlace{"acme", "default", 1};

// The expected values below were computed with Python's hmac and hashlib from the formulas of
// docs/FORMATS.md.

TEST(Hierarchy, KeyCheckZeroKeyAndKekFollowTheirFormulas) {
    const auto key = samples::counting<TenantKey>(0);
    EXPECT_EQ(
        core::to_hex(key_check_of(key, kPlace)),
        "1c0a8776921d0da47157aa555e7f2c816b7f7f55974e753e9b9329737b976e13"
    );
    EXPECT_EQ(
        core::to_hex(zero_key_of(key, kPlace).reveal()),
        "dc2cc1f569473a0f92ecdd9cc4e2d0867374d89027bd4c6ea86fa0ec7e831015"
    );
    EXPECT_EQ(
        core::to_hex(wrapping_key_of(key, kPlace).reveal()),
        "2678a650f753d476320cd8f05a878b128a759016943b5089dc4c2e851aefa798"
    );
}

TEST(Hierarchy, ColumnKeyFollowsItsFormula) {
    const auto key = samples::counting<DataKey>(0);
    const ColumnKeyPlace place{"acme", "default", 7, "public.patients.ssn", "equality", "siv"};
    EXPECT_EQ(
        core::to_hex(column_key_of(key, place, 64).reveal()),
        "9b0a3412a0c7cbacb5b2669a3ba52e5517a6c661c6aaa39244500c3fa252969e"
        "935572431512136b241dc634ecc2c8bcc199d6b5e9297fb2073f207e635b0728"
    );
}

TEST(Hierarchy, CommitmentsFollowTheirFormula) {
    const SharePlace place{"acme", "nurse", "default", 3};
    EXPECT_EQ(
        core::to_hex(commitment_of(samples::counting<UserPart>(0), place)),
        "61b7a2c6612f5c860e180e2d83eacba6c4ee22a8a55cee9d1d1573eb692f6da0"
    );
    EXPECT_EQ(
        core::to_hex(commitment_of(samples::counting<AppPart>(0), place)),
        "b6b66a49bc28a3495bb315f710c58e6290935d9d1efdcf0e86c30e128e45e79d"
    );
}

TEST(Hierarchy, BootstrapKeyAndCommitmentFollowTheirFormulas) {
    ProxyContribution proxy;
    TenantContribution tenant;
    std::ranges::fill(proxy.reveal_mutable(), 1);
    std::ranges::fill(tenant.reveal_mutable(), 2);
    EXPECT_EQ(
        core::to_hex(derive_tenant_key(proxy, tenant, "acme", "default").reveal()),
        "72fff19ef5f2d5221b957e15c07d5df7fdc460b5c9d70575d912eedcf1fbd551"
    );
    EXPECT_EQ(
        core::to_hex(contribution_commitment("acme", proxy)),
        "217c3387257dcb3d1e9209fae846625648903475863b10c5656a12c517a84f2f"
    );
}

TEST(Hierarchy, TheZeroOpensUnderItsOwnKeyAndPlaceOnly) {
    const auto key = samples::counting<TenantKey>(0);
    const core::Bytes sealed = seal_zero(zero_key_of(key, kPlace), kPlace, core::system_random());
    EXPECT_TRUE(opens_to_zero(zero_key_of(key, kPlace), kPlace, sealed));
    const auto other = samples::counting<TenantKey>(1);
    EXPECT_FALSE(opens_to_zero(zero_key_of(other, kPlace), kPlace, sealed));
    EXPECT_FALSE(opens_to_zero(zero_key_of(key, kPlace), {"acme", "default", 2}, sealed));
    EXPECT_FALSE(opens_to_zero(zero_key_of(key, kPlace), kPlace, {}));
}

TEST(Hierarchy, EveryFlippedBitOfTheZeroIsNoticed) {
    const auto key = zero_key_of(samples::counting<TenantKey>(0), kPlace);
    const core::Bytes sealed = seal_zero(key, kPlace, core::system_random());
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        core::Bytes damaged = sealed;
        damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1U << (bit % 8)));
        EXPECT_FALSE(opens_to_zero(key, kPlace, damaged));
    }
}

TEST(Hierarchy, AWrappedDataKeyOpensInItsPlaceOnly) {
    const auto kek = wrapping_key_of(samples::counting<TenantKey>(0), kPlace);
    const auto dek = samples::counting<DataKey>(9);
    const core::Bytes wrap = wrap_data_key(kek, {kPlace, 1, 5}, dek, core::system_random());
    const auto opened = unwrap_data_key(kek, {kPlace, 1, 5}, wrap);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(core::to_hex(opened->reveal()), core::to_hex(dek.reveal()));
    EXPECT_FALSE(unwrap_data_key(kek, {kPlace, 1, 6}, wrap).has_value());
    EXPECT_FALSE(unwrap_data_key(kek, {kPlace, 2, 5}, wrap).has_value());
    EXPECT_FALSE(unwrap_data_key(kek, {{"acme", "medical", 1}, 1, 5}, wrap).has_value());
    EXPECT_FALSE(unwrap_data_key(kek, {{"other", "default", 1}, 1, 5}, wrap).has_value());
}

}  // namespace
}  // namespace pgveil::share
