#include "keyshare/tenant/user_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgveil::tenant {
namespace {

using testing::ElementsAre;

std::string refusal_of(const std::string& text) {
    const auto list = read_user_list(text, "staff");
    return list ? "" : list.error().message;
}

TEST(UserList, HasOneUserALine) {
    const auto list = read_user_list("# the ward\nnurse\n\n \tdoctor \r\nlast", "staff");
    ASSERT_TRUE(list);
    EXPECT_THAT(*list, ElementsAre("nurse", "doctor", "last"));
    EXPECT_TRUE(read_user_list("", "staff")->empty());
}

TEST(UserList, SaysInWhichLineSomethingIsWrong) {
    EXPECT_EQ(refusal_of("nurse\ndoctor\n\nnurse\n"), "staff:4: nurse is listed twice: remove one");
    EXPECT_THAT(refusal_of("nurse\n../x\n"), testing::StartsWith("staff:2: no user id"));
    EXPECT_THAT(refusal_of("a nurse\n"), testing::StartsWith("staff:1: no user id"));
}

}  // namespace
}  // namespace pgveil::tenant
