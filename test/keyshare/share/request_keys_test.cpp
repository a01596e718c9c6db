#include "keyshare/share/request_keys.hpp"

#include "test/keyshare/share/samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <type_traits>

namespace pgveil::share {
namespace {

static_assert(!std::is_copy_constructible_v<RequestKeys>);
static_assert(!std::is_copy_assignable_v<RequestKeys>);

class RequestKeysTest : public testing::Test {
protected:
    RequestKeys make() const {
        std::vector<RequestKeys::Group> groups;
        const TenantKeyPlace place{samples::kTenant, "default", kFirstEpoch};
        groups.push_back({"default", kFirstEpoch, wrapping_key_of(enrolment_.groups[0].key, place)}
        );
        return RequestKeys(
            {"acme", "nurse", samples::kNow},
            std::make_shared<const Keyring>(enrolment_.keyring),
            std::move(groups)
        );
    }

    samples::Proxy proxy_;
    Enrolment enrolment_ = samples::enrol(proxy_);
};

TEST_F(RequestKeysTest, GivesTheSameKeyTwiceAndAcrossRequests) {
    RequestKeys keys = make();
    const auto one = keys.column_key({"default", "public.p.ssn", "equality", "siv", 64});
    const auto two = keys.column_key({"default", "public.p.ssn", "equality", "siv", 64});
    ASSERT_TRUE(one.has_value());
    ASSERT_TRUE(two.has_value());
    EXPECT_EQ(one->key, two->key);
    EXPECT_EQ(one->key_id, 1U);
    EXPECT_EQ(one->key->size(), 64U);
    RequestKeys later = make();
    const auto three = later.column_key({"default", "public.p.ssn", "equality", "siv", 64, 1});
    ASSERT_TRUE(three.has_value());
    EXPECT_TRUE(std::ranges::equal(three->key->reveal(), one->key->reveal()));
}

TEST_F(RequestKeysTest, SeparatesContextsSchemesAndPurposes) {
    RequestKeys keys = make();
    const auto base = keys.column_key({"default", "a", "randomized", "xaes", 32});
    for (const ColumnKeyRequest& other :
         {ColumnKeyRequest{"default", "b", "randomized", "xaes", 32},
          ColumnKeyRequest{"default", "a", "equality", "xaes", 32},
          ColumnKeyRequest{"default", "a", "randomized", "siv", 32}}) {
        const auto key = keys.column_key(other);
        ASSERT_TRUE(key.has_value());
        EXPECT_FALSE(std::ranges::equal(key->key->reveal(), base->key->reveal()));
    }
}

TEST_F(RequestKeysTest, EarlierReferencesStayGood) {
    RequestKeys keys = make();
    const auto first = keys.column_key({"default", "a", "randomized", "xaes", 32});
    const core::Bytes before = core::to_bytes(first->key->reveal());
    for (int at = 0; at < 100; ++at) {
        const std::string context = "c" + std::to_string(at);
        ASSERT_TRUE(keys.column_key({"default", context, "randomized", "xaes", 32}).has_value());
    }
    EXPECT_TRUE(std::ranges::equal(first->key->reveal(), before));
}

TEST_F(RequestKeysTest, RefusesGroupsOutsideTheSharesAndUnknownKeyIds) {
    RequestKeys keys = make();
    const auto group = keys.column_key({"medical", "a", "randomized", "xaes", 32});
    ASSERT_FALSE(group.has_value());
    EXPECT_EQ(group.error().code, ErrorCode::kUnknownGroup);
    const auto key_id = keys.column_key({"default", "a", "randomized", "xaes", 32, 9});
    ASSERT_FALSE(key_id.has_value());
    EXPECT_EQ(key_id.error().code, ErrorCode::kUnknownKey);
    EXPECT_EQ(*keys.sealing_key_id("default", true), 1U);
}

}  // namespace
}  // namespace pgveil::share
