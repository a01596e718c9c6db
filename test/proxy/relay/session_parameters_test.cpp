#include "proxy/relay/session_parameters.hpp"

#include <gtest/gtest.h>

namespace pgveil::relay {
namespace {

using analysis::SessionParameter;

class SessionParametersTest : public ::testing::Test {
protected:
    std::string give(SessionParameter which, std::string_view value) {
        return parameters.remember(which, core::as_bytes(value));
    }

    std::string token() const {
        const auto* const value = parameters.current(SessionParameter::kUserToken);
        return value == nullptr ? "none" : std::string(core::as_text(value->reveal()));
    }

    SessionParameters parameters{core::system_random()};
};

TEST_F(SessionParametersTest, CountsNothingBeforeItWasReadBack) {
    const std::string handle = give(SessionParameter::kUserToken, "t1");
    EXPECT_TRUE(parameters.must_read_back());
    EXPECT_EQ(token(), "none");
    parameters.read_back({"", handle, ""}, true);
    EXPECT_FALSE(parameters.must_read_back());
    EXPECT_EQ(token(), "t1");
}

TEST_F(SessionParametersTest, GivesEveryValueAHandleOfItsOwn) {
    EXPECT_NE(give(SessionParameter::kUserToken, "t"), give(SessionParameter::kUserToken, "t"));
}

TEST_F(SessionParametersTest, IsCrowdedLongBeforeItIsFullUntilSupersededValuesAreWiped) {
    int count = 0;
    while (!parameters.is_crowded()) {
        give(SessionParameter::kUserToken, "t");
        ++count;
    }
    EXPECT_TRUE(parameters.has_room());
    EXPECT_GT(count, 3) << "one transaction alone";
    parameters.read_back({"", "", ""}, false);
    EXPECT_TRUE(parameters.is_crowded()) << "a rollback may bring them back";
    parameters.read_back({"", "", ""}, true);
    EXPECT_FALSE(parameters.is_crowded());
}

TEST_F(SessionParametersTest, HasNoShareForAForgedHandle) {
    give(SessionParameter::kUserToken, "t1");
    parameters.read_back({"", "00112233445566778899aabbccddeeff", ""}, false);
    EXPECT_EQ(token(), "none");
}

TEST_F(SessionParametersTest, DoesNotTakeOneParameterForAnother) {
    const std::string handle = give(SessionParameter::kUserId, "nurse");
    parameters.read_back({"", handle, ""}, true);
    EXPECT_EQ(token(), "none");
}

TEST_F(SessionParametersTest, KeepsTheOldValueUntilTheNewOneIsCommitted) {
    const std::string old_handle = give(SessionParameter::kUserToken, "old");
    parameters.read_back({"", old_handle, ""}, true);
    const std::string new_handle = give(SessionParameter::kUserToken, "new");
    parameters.read_back({"", new_handle, ""}, false);
    EXPECT_EQ(token(), "new");
    parameters.touch_if_unsettled();  // ROLLBACK
    EXPECT_TRUE(parameters.must_read_back());
    parameters.read_back({"", old_handle, ""}, true);
    EXPECT_EQ(token(), "old");
    parameters.read_back({"", new_handle, ""}, true);
    EXPECT_EQ(token(), "none") << "the superseded value was wiped";
}

TEST_F(SessionParametersTest, ShowsTheUserIdAndHidesShares) {
    EXPECT_EQ(parameters.shown(give(SessionParameter::kUserId, "nurse")), "nurse");
    EXPECT_EQ(parameters.shown(give(SessionParameter::kAppShare, "pgva1.x")), "(hidden)");
    EXPECT_EQ(parameters.shown("anything else"), "");
}

TEST_F(SessionParametersTest, WipesSharesButNotTheUserId) {
    const std::string user = give(SessionParameter::kUserId, "nurse");
    const std::string handle = give(SessionParameter::kUserToken, "t1");
    parameters.read_back({user, handle, ""}, true);
    parameters.wipe_shares();
    EXPECT_EQ(token(), "none");
    EXPECT_NE(parameters.current(SessionParameter::kUserId), nullptr);
}

}  // namespace
}  // namespace pgveil::relay
