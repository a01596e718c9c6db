#include "keyshare/store/nonce_book.hpp"

#include <gtest/gtest.h>

namespace pgveil::store {
namespace {

TEST(NonceBook, TheFirstLoginKeepsTheToken) {
    NonceBook book;
    EXPECT_TRUE(book.claim({1}, "clinic", 100, 50));
    EXPECT_TRUE(book.claim({1}, "clinic", 100, 60));
    EXPECT_FALSE(book.claim({1}, "thief", 100, 60));
    EXPECT_TRUE(book.claim({2}, "thief", 100, 60));
}

TEST(NonceBook, ForgetsExpiredClaimsOnly) {
    NonceBook book;
    EXPECT_TRUE(book.claim({1}, "clinic", 100, 50));
    EXPECT_TRUE(book.claim({2}, "clinic", 200, 50));
    book.forget_expired(100);
    EXPECT_TRUE(book.claim({1}, "other", 300, 100));
    EXPECT_FALSE(book.claim({2}, "other", 300, 100));
}

}  // namespace
}  // namespace pgveil::store
