#include "keyshare/share/triple.hpp"

#include "test/keyshare/share/samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace pgveil::share {
namespace {

bool same(core::ByteView left, core::ByteView right) {
    return std::ranges::equal(left, right);
}

TEST(Triple, P1_ThreePartsGiveTheKeyBack) {
    const auto key = samples::counting<TenantKey>(3);
    const Triple triple = split(key, core::system_random());
    const TenantKey back = combine(triple.user, triple.app, triple.proxy);
    EXPECT_TRUE(same(back.reveal(), key.reveal()));
}

TEST(Triple, P1_EachUserGetsAnIndependentTriple) {
    const auto key = samples::counting<TenantKey>(3);
    const Triple one = split(key, core::system_random());
    const Triple two = split(key, core::system_random());
    EXPECT_FALSE(same(one.user.reveal(), two.user.reveal()));
    EXPECT_FALSE(same(one.app.reveal(), two.app.reveal()));
    EXPECT_FALSE(same(one.proxy.reveal(), two.proxy.reveal()));
}

TEST(Triple, P14_NoTwoPartsOfThreeGiveTheKey) {
    const auto key = samples::counting<TenantKey>(3);
    const Triple triple = split(key, core::system_random());
    EXPECT_FALSE(same(combine(triple.user, triple.app, ProxyPart()).reveal(), key.reveal()));
    EXPECT_FALSE(same(combine(triple.user, AppPart(), triple.proxy).reveal(), key.reveal()));
    EXPECT_FALSE(same(combine(UserPart(), triple.app, triple.proxy).reveal(), key.reveal()));
}

TEST(Triple, PartsOfTwoUsersDoNotCombine) {
    const auto key = samples::counting<TenantKey>(3);
    const Triple one = split(key, core::system_random());
    const Triple two = split(key, core::system_random());
    EXPECT_FALSE(same(combine(one.user, two.app, one.proxy).reveal(), key.reveal()));
}

TEST(Triple, RenewalKeepsTheUsersPartOnly) {
    const auto key = samples::counting<TenantKey>(3);
    const Triple before = split(key, core::system_random());
    const Triple after = split_keeping(key, before.user, core::system_random());
    EXPECT_TRUE(same(after.user.reveal(), before.user.reveal()));
    EXPECT_FALSE(same(after.app.reveal(), before.app.reveal()));
    EXPECT_TRUE(same(combine(before.user, after.app, after.proxy).reveal(), key.reveal()));
    EXPECT_FALSE(same(combine(before.user, before.app, after.proxy).reveal(), key.reveal()));
}

}  // namespace
}  // namespace pgveil::share
