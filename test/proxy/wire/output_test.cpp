#include "proxy/wire/output.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace pgveil::wire {

namespace {

static_assert(!std::is_copy_constructible_v<Output>);
static_assert(std::is_nothrow_move_constructible_v<Output>);

TEST(Output, ClosesAMessageWithTheLengthOfItsBodyPlusFour) {
    Output out;
    out.append_text("before");
    const std::size_t start = out.open_message(FrontendType::kQuery);
    out.append_cstring("ab");
    out.close_message(start);
    EXPECT_EQ(as_text(out.bytes()), std::string_view("beforeQ\0\0\0\7ab\0", 14));
}

TEST(Output, EndsACstringAtANulInside) {
    Output out;
    out.append_cstring(std::string_view("ab\0cd", 5));
    EXPECT_EQ(as_text(out.bytes()), std::string_view("ab\0", 3));
}

TEST(Output, WipesWhatItDrops) {
    Output out;
    out.append_text("public");
    out.append_text("secret");
    const ByteView all = out.bytes();
    ASSERT_EQ(as_text(all.subspan(6)), "secret");
    out.truncate(6);
    EXPECT_EQ(as_text(all.subspan(6)), std::string_view("\0\0\0\0\0\0", 6));
    EXPECT_EQ(as_text(out.bytes()), "public");
}

}  // namespace

}  // namespace pgveil::wire
