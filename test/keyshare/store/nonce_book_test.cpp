#include "keyshare/store/nonce_book.hpp"

#include <gtest/gtest.h>

namespace pgveil::store {
namespace {

TEST(NonceBook, TheFirstLoginKeepsTheToken) {
    NonceBook book;
    EXPECT_EQ(book.claim({1}, "clinic", {40, 100}, 50), Claim::kFirst);
    EXPECT_EQ(book.claim({1}, "clinic", {40, 100}, 60), Claim::kOwn);
    EXPECT_EQ(book.claim({1}, "thief", {40, 100}, 60), Claim::kTaken);
    EXPECT_EQ(book.claim({2}, "thief", {40, 100}, 60), Claim::kFirst);
}

TEST(NonceBook, ForgetsExpiredClaimsOnly) {
    NonceBook book;
    book.claim({1}, "clinic", {40, 100}, 50);
    book.claim({2}, "clinic", {40, 200}, 50);
    book.forget_expired(100);
    EXPECT_EQ(book.claim({1}, "other", {40, 300}, 100), Claim::kFirst);
    EXPECT_EQ(book.claim({2}, "other", {40, 300}, 100), Claim::kTaken);
}

TEST(NonceBook, WhatWasForgottenIsNotNewWhenTheClockIsSetBack) {
    NonceBook book;
    book.claim({1}, "clinic", {40, 100}, 50);
    book.forget_expired(1000);
    EXPECT_EQ(book.claim({1}, "thief", {40, 100}, 50), Claim::kForgotten);
    EXPECT_EQ(book.claim({2}, "clinic", {40, 101}, 50), Claim::kFirst);
    EXPECT_EQ(book.claim({3}, "clinic", {41, 90}, 50), Claim::kFirst) << "the clock only ran ahead";
}

TEST(NonceBook, AReleasedTokenIsFree) {
    NonceBook book;
    book.claim({1}, "clinic", {40, 100}, 50);
    book.release({1});
    EXPECT_EQ(book.claim({1}, "other", {40, 100}, 50), Claim::kFirst);
}

}  // namespace
}  // namespace pgveil::store
