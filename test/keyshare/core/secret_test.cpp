#include "keyshare/core/secret.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <type_traits>

namespace pgveil::core {
namespace {

using UserShare = Secret<struct UserShareRole>;
using AppShare = Secret<struct AppShareRole>;

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
    out << value;
};

static_assert(!std::is_copy_constructible_v<SecretBytes> && !std::is_copy_assignable_v<SecretBytes>);
static_assert(!std::is_copy_constructible_v<UserShare> && !std::is_copy_assignable_v<UserShare>);
static_assert(std::is_nothrow_move_constructible_v<SecretBytes> && std::is_nothrow_move_assignable_v<UserShare>);
static_assert(!std::is_constructible_v<UserShare, AppShare> && !std::is_assignable_v<UserShare&, AppShare>);
static_assert(!Printable<SecretBytes> && !Printable<UserShare> && Printable<int>);

TEST(SecretBytes, StartsEmptyOrZeroed) {
    EXPECT_TRUE(SecretBytes().empty());
    EXPECT_EQ(to_hex(SecretBytes(3).reveal()), "000000");
}

TEST(SecretBytes, MovingHandsTheBlockOverAndEmptiesTheSource) {
    SecretBytes source = SecretBytes::copy_of(as_bytes("secret"));
    const std::uint8_t* block = source.reveal().data();
    SecretBytes target = std::move(source);
    EXPECT_EQ(target.reveal().data(), block);
    EXPECT_TRUE(source.empty());  // NOLINT(bugprone-use-after-move): the promise under test
    SecretBytes assigned = SecretBytes::copy_of(as_bytes("old"));
    assigned = std::move(target);
    EXPECT_EQ(as_text(assigned.reveal()), "secret");
    EXPECT_TRUE(target.empty());  // NOLINT(bugprone-use-after-move): the promise under test
}

TEST(SecretBytes, MovingToItselfKeepsTheBytes) {
    SecretBytes secret = SecretBytes::copy_of(as_bytes("secret"));
    SecretBytes& same = secret;
    secret = std::move(same);
    EXPECT_EQ(as_text(secret.reveal()), "secret");
}

TEST(SecretBytes, ShrinkingWipesTheTail) {
    SecretBytes secret = SecretBytes::copy_of(as_bytes("secret"));
    const std::uint8_t* block = secret.reveal().data();
    secret.resize_down(2);
    EXPECT_EQ(as_text(secret.reveal()), "se");
    EXPECT_EQ(block[2], 0);
    EXPECT_EQ(block[5], 0);
}

TEST(SecretBytes, AppendsAcrossGrowth) {
    SecretBytes secret;
    std::string expected;
    for (int i = 0; i < 1000; ++i) {
        secret.append(as_bytes("abc"));
        secret.append({});
        expected += "abc";
    }
    EXPECT_EQ(as_text(secret.reveal()), expected);
    secret.wipe();
    EXPECT_TRUE(secret.empty());
    secret.append(as_bytes("again"));
    EXPECT_EQ(as_text(secret.reveal()), "again");
}

TEST(SecretBytesDeathTest, GrowingByResizeEndsTheProcess) {
    SecretBytes secret(2);
    EXPECT_DEATH(secret.resize_down(3), "only made shorter");
}

TEST(Secret, TakesExactlyItsSize) {
    EXPECT_TRUE(UserShare::from(Bytes(32)).has_value());
    EXPECT_EQ(UserShare::from(Bytes(31)).error().code, ErrorCode::kLength);
    EXPECT_EQ(UserShare::from(Bytes(33)).error().code, ErrorCode::kLength);
    EXPECT_EQ(UserShare::from(SecretBytes(31)).error().code, ErrorCode::kLength);
    EXPECT_TRUE(UserShare::from(SecretBytes(32)).has_value());
}

TEST(Secret, TakesABlockOverWithoutCopying) {
    SecretBytes bytes(32);
    const std::uint8_t* block = bytes.reveal().data();
    auto share = UserShare::from(std::move(bytes));
    ASSERT_TRUE(share.has_value());
    EXPECT_EQ(share->reveal().data(), block);
    const SecretBytes released = (*std::move(share)).release();
    EXPECT_EQ(released.reveal().data(), block);
}

TEST(Secret, DuplicateIsIndependent) {
    UserShare share;
    UserShare copy = share.duplicate();
    copy.reveal_mutable()[0] = 1;
    EXPECT_EQ(share.reveal()[0], 0);
}

TEST(SecretDeathTest, ReadingAMovedFromSecretEndsTheProcess) {
    UserShare share;
    const UserShare taken = std::move(share);
    EXPECT_DEATH(
        static_cast<void>(share.reveal()), "moved-from"
    );  // NOLINT(bugprone-use-after-move)
}

TEST(EqualInConstantTime, ComparesSizeAndBytes) {
    EXPECT_TRUE(equal_in_constant_time({}, {}));
    EXPECT_TRUE(equal_in_constant_time(Bytes{1, 2}, Bytes{1, 2}));
    EXPECT_FALSE(equal_in_constant_time(Bytes{1, 2}, Bytes{1, 3}));
    EXPECT_FALSE(equal_in_constant_time(Bytes{1, 2}, Bytes{1, 2, 3}));
}

}  // namespace
}  // namespace pgveil::core
