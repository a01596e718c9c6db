#include "keyshare/postgres/password_file.hpp"

#include "test/keyshare/user/scratch.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace pgveil::postgres {
namespace {

class PasswordFile : public testing::Test {
protected:
    std::optional<std::string> read(const std::string& content) {
        std::ofstream(path_) << content;
        const auto password = read_password(path_);
        return password ? std::optional(std::string(core::as_text(password->reveal())))
                        : std::nullopt;
    }

    user::Scratch folder_;
    std::string path_ = folder_ / "password";
};

TEST_F(PasswordFile, IsItsFirstLineWithAFinalNul) {
    using namespace std::string_literals;
    EXPECT_EQ(read("pencil\nnot this\n"), "pencil\0"s);
    EXPECT_EQ(read("no line end"), "no line end\0"s);
    EXPECT_EQ(read(" spaces stay \n"), " spaces stay \0"s);
    EXPECT_EQ(read(std::string(2000, 'x')), std::string(1023, 'x') + "\0"s);
}

TEST_F(PasswordFile, WithoutALineIsNone) {
    EXPECT_EQ(read(""), std::nullopt);
    EXPECT_EQ(read("\nsecond\n"), std::nullopt);
    EXPECT_FALSE(read_password(path_ + ".missing").has_value());
    EXPECT_FALSE(read_password(folder_.path()).has_value());
}

TEST_F(PasswordFile, NoPathIsNoPassword) {
    ASSERT_TRUE(read_password("").has_value());
    EXPECT_EQ(read_password("")->size(), 1U);
}

}  // namespace
}  // namespace pgveil::postgres
