#include "keyshare/user/user_file.hpp"

#include "keyshare/core/p256.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pgveil::user {

namespace {

using testing::HasSubstr;

constexpr std::uint32_t kFewIterations = 10;

share::UserKey nurse() {
    share::UserKey key{
        .tenant = "clinic",
        .user_id = "nurse",
        .epoch = 3,
        .proxy_identity = core::SigningKey::generate().verifying_key().point(),
        .groups = {}};
    key.groups.push_back({"default", core::random_secret<share::UserPart>(core::system_random())});
    return key;
}

core::SecretBytes passphrase(std::string_view text) {
    return core::SecretBytes::copy_of(core::as_bytes(text));
}

std::string text_of(const core::SecretBytes& bytes) {
    return std::string(core::as_text(bytes.reveal()));
}

std::string closed_file(const share::UserKey& key, const core::SecretBytes* secret) {
    auto file = write_user_file(key, {secret, kFewIterations}, core::system_random());
    EXPECT_TRUE(file);
    return text_of(*file);
}

/// The key in the file, or the error.
Result<share::UserKey> opened(const std::string& text, const core::SecretBytes* secret) {
    const auto file = UserFile::parse(core::as_bytes(text), "nurse.user");
    if (!file) {
        return file.error();
    }
    return file->open(secret);
}

bool is_same(const share::UserKey& left, const share::UserKey& right) {
    const auto one = share::serialize(left);
    const auto other = share::serialize(right);
    return core::equal_in_constant_time(one.reveal(), other.reveal());
}

std::string with(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos);
    return text.replace(at, from.size(), to);
}

}  // namespace

TEST(UserFile, RoundTripsUnderAPassphrase) {
    const auto key = nurse();
    const auto secret = passphrase("correct horse");
    const auto back = opened(closed_file(key, &secret), &secret);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_TRUE(is_same(key, *back));
}

TEST(UserFile, RoundTripsWithoutAPassphrase) {
    const auto key = nurse();
    const std::string text = closed_file(key, nullptr);
    EXPECT_THAT(text, HasSubstr("\nprotection: none\n"));
    const auto back = opened(text, nullptr);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_TRUE(is_same(key, *back));
}

TEST(UserFile, HeadNamesOwnerAndProxyForPeople) {
    const auto key = nurse();
    const auto secret = passphrase("correct horse");
    const std::string text = closed_file(key, &secret);
    EXPECT_TRUE(text.starts_with("pgveil user key 1\ntenant: clinic\nuser: nurse\nproxy: "));
    EXPECT_THAT(text, HasSubstr("\nprotection: pbkdf2-sha256 10 "));
}

TEST(UserFile, WrongPassphraseOpensNothing) {
    const auto secret = passphrase("correct horse");
    const auto wrong = passphrase("correct horsE");
    const auto back = opened(closed_file(nurse(), &secret), &wrong);
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code, Exit::kFailed);
    EXPECT_THAT(back.error().message, HasSubstr("passphrase is wrong, or the file was altered"));
}

TEST(UserFile, AlteredHeadOrKeyOpensNothing) {
    const auto secret = passphrase("correct horse");
    const std::string text = closed_file(nurse(), &secret);
    ASSERT_TRUE(opened(text, &secret));
    EXPECT_FALSE(opened(with(text, "user: nurse", "user: clerk"), &secret));
    EXPECT_FALSE(opened(with(text, "tenant: clinic", "tenant: cliniq"), &secret));
    EXPECT_FALSE(opened(with(text, " 10 ", " 11 "), &secret));
    const std::size_t key_at = text.find("key: ") + 10;
    std::string altered = text;
    altered[key_at] = altered[key_at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(opened(altered, &secret));
}

TEST(UserFile, HeadOfAnotherOwnerIsRefusedWithoutPassphraseToo) {
    const std::string text = closed_file(nurse(), nullptr);
    const auto back = opened(with(text, "user: nurse", "user: clerk"), nullptr);
    ASSERT_FALSE(back);
    EXPECT_THAT(back.error().message, HasSubstr("different owners"));
}

TEST(UserFile, OnlyTheCanonicalTextIsTaken) {
    const auto secret = passphrase("correct horse");
    const std::string text = closed_file(nurse(), &secret);
    const auto parses = [](const std::string& candidate) {
        return UserFile::parse(core::as_bytes(candidate), "x").has_value();
    };
    ASSERT_TRUE(parses(text));
    EXPECT_FALSE(parses(""));
    EXPECT_FALSE(parses(text + "\n"));
    EXPECT_FALSE(parses(text.substr(0, text.size() - 1)));
    EXPECT_FALSE(parses(with(text, "key 1", "key 2")));
    EXPECT_FALSE(parses(with(text, "user: ", "user:")));
    EXPECT_FALSE(parses(with(text, " 10 ", " 010 ")));
    EXPECT_FALSE(parses(with(text, " 10 ", " 0 ")));
    EXPECT_FALSE(parses(with(text, " 10 ", " 10000001 ")));
    EXPECT_FALSE(parses(with(text, " 10 ", " 10  ")));
    EXPECT_FALSE(parses(with(text, "pbkdf2-sha256", "md5")));
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_FALSE(parses(text.substr(0, size))) << size;
    }
}

TEST(UserFile, TwoFilesOfOneKeyShareNoSalt) {
    const auto key = nurse();
    const auto secret = passphrase("correct horse");
    EXPECT_NE(closed_file(key, &secret), closed_file(key, &secret));
}

}  // namespace pgveil::user
