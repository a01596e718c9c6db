#include "keyshare/share/app_share.hpp"

#include "keyshare/share/commitment.hpp"
#include "test/keyshare/share/samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace pgveil::share {
namespace {

AppShare sample() {
    AppShare share{"acme", "nurse", 4, {}};
    share.groups.push_back({"default", samples::counting<AppPart>(7)});
    return share;
}

std::string text() {
    return std::string(core::as_text(serialize(sample()).reveal()));
}

// What P does: form, names and commitment must all fit.
bool accepted(std::string_view text_form, const Digest& expected) {
    const auto share = parse_app_share(core::as_bytes(text_form));
    if (!share.has_value() || share->tenant != "acme" || share->user_id != "nurse" ||
        share->epoch != 4 || share->groups.size() != 1 || share->groups[0].group != "default") {
        return false;
    }
    return commitment_of(share->groups[0].part, {"acme", "nurse", "default", 4}) == expected;
}

TEST(AppShareText, ComesBack) {
    const auto back = parse_app_share(core::as_bytes(text()));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->tenant, "acme");
    EXPECT_EQ(back->user_id, "nurse");
    EXPECT_EQ(back->epoch, 4U);
    ASSERT_EQ(back->groups.size(), 1U);
    EXPECT_TRUE(
        std::ranges::equal(back->groups[0].part.reveal(), samples::counting<AppPart>(7).reveal())
    );
}

TEST(AppShareText, EveryFlippedBitIsRefused) {
    const Digest expected =
        commitment_of(samples::counting<AppPart>(7), {"acme", "nurse", "default", 4});
    const std::string good = text();
    ASSERT_TRUE(accepted(good, expected));
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            ASSERT_FALSE(accepted(samples::flip(good, at, bit), expected)) << at << "/" << bit;
        }
    }
}

TEST(AppShareText, ATokenIsNoAppShare) {
    std::string wrong = text();
    wrong[3] = 't';
    EXPECT_FALSE(parse_app_share(core::as_bytes(wrong)).has_value());
    EXPECT_FALSE(parse_app_share({}).has_value());
}

TEST(AppShareText, RefusesRepeatedGroups) {
    AppShare share = sample();
    share.groups.push_back({"default", samples::counting<AppPart>(8)});
    EXPECT_FALSE(parse_app_share(serialize(share).reveal()).has_value());
}

}  // namespace
}  // namespace pgveil::share
