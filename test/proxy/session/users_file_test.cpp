#include "proxy/session/users_file.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <sys/stat.h>

namespace pgveil::session {
namespace {

std::string secret(std::string_view password, std::uint8_t salt_byte = 7) {
    const core::Bytes salt(16, salt_byte);
    return to_text(*verifier_of_password(core::as_bytes(password), salt, 4096));
}

std::string line(std::string_view user, std::string_view password = "pencil") {
    return "\"" + std::string(user) + "\" \"" + secret(password) + "\"\n";
}

std::string error_of(const std::string& text) {
    const auto users = parse_users("users.txt", text);
    return users.has_value() ? "accepted" : users.error().message;
}

TEST(UsersFile, FindsUsersByExactName) {
    const auto users = parse_users("users.txt", line("nurse") + line("a\"\"b", "otter"));
    ASSERT_TRUE(users.has_value()) << users.error().message;
    EXPECT_EQ((*users)->size(), 2U);
    ASSERT_NE((*users)->find("nurse"), nullptr);
    EXPECT_EQ(to_text(*(*users)->find("nurse")), secret("pencil"));
    ASSERT_NE((*users)->find("a\"b"), nullptr);
    EXPECT_EQ((*users)->find("Nurse"), nullptr);
    EXPECT_EQ((*users)->find(""), nullptr);
}

TEST(UsersFile, SkipsCommentsBlankLinesAndTheRestOfALine) {
    const std::string text = "; written by hand\n# so is this\n\n  \t\r\n  " + line("nurse") +
                             "\"clerk\" \"" + secret("otter") + "\" \"more\" words\r\n";
    const auto users = parse_users("users.txt", text);
    ASSERT_TRUE(users.has_value()) << users.error().message;
    EXPECT_EQ((*users)->size(), 2U);
}

TEST(UsersFile, AcceptsAnEmptyFileAndAMissingLastNewline) {
    EXPECT_TRUE(parse_users("users.txt", "").has_value());
    std::string text = line("nurse");
    text.pop_back();
    const auto users = parse_users("users.txt", text);
    ASSERT_TRUE(users.has_value());
    EXPECT_EQ((*users)->size(), 1U);
}

TEST(UsersFile, RefusesPlainAndMd5PasswordsWithTheLineNumber) {
    const std::string plain = error_of(line("nurse") + "\"clerk\" \"open sesame\"\n");
    EXPECT_NE(plain.find("users.txt:2: user \"clerk\""), std::string::npos) << plain;
    EXPECT_EQ(plain.find("open sesame"), std::string::npos) << "the password is not repeated";
    const std::string md5 = error_of("#\n\n\"clerk\" \"md5d41d8cd98f00b204e9800998ecf8427e\"\n");
    EXPECT_NE(md5.find("users.txt:3:"), std::string::npos) << md5;
    EXPECT_NE(md5.find("md5"), std::string::npos);
}

TEST(UsersFile, RefusesMalformedLines) {
    for (const std::string& text :
         {std::string("nurse secret\n"),
          std::string("\"nurse\"\n"),
          std::string("\"nurse\" \"SCRAM"),
          std::string("\"\" \"x\"\n"),
          std::string("\"nurse\" \"SCRAM-SHA-256$4096:x$y:z\"\n")}) {
        EXPECT_NE(error_of(text).find("users.txt:1: "), std::string::npos) << text;
    }
    EXPECT_NE(error_of(line("nurse") + line("nurse")).find("twice"), std::string::npos);
}

TEST(UsersFile, MocksUnknownUsersWithTheSameShapeEachTime) {
    const auto users = parse_users("users.txt", line("nurse"));
    const auto reloaded = parse_users("users.txt", line("nurse") + line("clerk", "otter"));
    ASSERT_TRUE(users.has_value() && reloaded.has_value());
    const ScramVerifier mock = (*users)->mock("ghost");
    EXPECT_EQ(mock.iterations, 4096U);
    EXPECT_EQ(mock.salt.size(), 16U);
    EXPECT_EQ(mock.salt, (*users)->mock("ghost").salt);
    EXPECT_EQ(mock.salt, (*reloaded)->mock("ghost").salt);
    EXPECT_NE(mock.salt, (*users)->mock("spirit").salt);
}

TEST(UsersFile, MocksSayNothingOfAnybodysSecret) {
    const auto users = parse_users("users.txt", line("nurse"));
    const auto others = parse_users("users.txt", line("clerk", "otter"));
    ASSERT_TRUE(users.has_value() && others.has_value());
    EXPECT_EQ((*users)->mock("ghost").salt, (*others)->mock("ghost").salt);
}

class UsersFileOnDisk : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "pgveil-users-XXXXXX";
        const int descriptor = ::mkstemp(pattern.data());
        ASSERT_GE(descriptor, 0);
        path_ = pattern;
        std::ofstream(path_) << line("nurse");
    }

    void TearDown() override { ::unlink(path_.c_str()); }

    std::string path_;
};

TEST_F(UsersFileOnDisk, IsReadAndWarnsWhenOthersCanReadIt) {
    ::chmod(path_.c_str(), 0600);
    const auto quiet = load_users(path_);
    ASSERT_TRUE(quiet.has_value()) << quiet.error().message;
    EXPECT_TRUE((*quiet)->warnings().empty());
    EXPECT_EQ((*quiet)->path(), path_);
    ::chmod(path_.c_str(), 0644);
    const auto warned = load_users(path_);
    ASSERT_TRUE(warned.has_value());
    ASSERT_EQ((*warned)->warnings().size(), 1U);
    EXPECT_NE((*warned)->warnings().front().find(path_), std::string::npos);
}

TEST_F(UsersFileOnDisk, IsRefusedWhenOthersCanWriteIt) {
    ::chmod(path_.c_str(), 0606);
    const auto users = load_users(path_);
    ASSERT_FALSE(users.has_value());
    EXPECT_NE(users.error().message.find(path_), std::string::npos);
}

TEST_F(UsersFileOnDisk, IsAnErrorWhenMissing) {
    const auto users = load_users(path_ + ".absent");
    ASSERT_FALSE(users.has_value());
    EXPECT_NE(users.error().message.find("No such file"), std::string::npos);
}

}  // namespace
}  // namespace pgveil::session
