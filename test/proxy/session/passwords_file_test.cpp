#include "proxy/session/passwords_file.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace pgveil::session {
namespace {

std::string problem_of(const std::string& text) {
    const auto passwords = parse_passwords("passwords.txt", text);
    return passwords.has_value() ? "accepted" : passwords.error();
}

TEST(PasswordsFile, FindsPasswordsByExactName) {
    const auto passwords = parse_passwords(
        "passwords.txt",
        "# of the old database\n\"old\" \"open \"\"sesame\"\"\"\n\n\"older\" "
        "\"md5d41d8cd98f00b204e9800998ecf8427e\"\n"
    );
    ASSERT_TRUE(passwords.has_value()) << passwords.error();
    EXPECT_EQ((*passwords)->size(), 2U);
    const UpstreamPassword* const old = (*passwords)->find("old");
    ASSERT_NE(old, nullptr);
    EXPECT_EQ(core::as_text(old->text.reveal()), "open \"sesame\"");
    EXPECT_FALSE(old->is_md5);
    const UpstreamPassword* const older = (*passwords)->find("older");
    ASSERT_NE(older, nullptr);
    EXPECT_TRUE(older->is_md5);
    EXPECT_EQ((*passwords)->find("Old"), nullptr);
}

TEST(PasswordsFile, MakesVerifiersOfPlainAsciiPasswords) {
    const auto passwords = parse_passwords(
        "p",
        "\"a\" \"pencil\"\n\"b\" \"md5d41d8cd98f00b204e9800998ecf8427e\"\n\"c\" \"p\xC3\xA4\"\n"
    );
    ASSERT_TRUE(passwords.has_value()) << passwords.error();
    const auto& verifier = (*passwords)->find("a")->verifier;
    ASSERT_TRUE(verifier.has_value());
    const auto expected =
        verifier_of_password(core::as_bytes("pencil"), verifier->salt, verifier->iterations);
    EXPECT_EQ(verifier->stored_key, expected->stored_key);
    EXPECT_FALSE((*passwords)->find("b")->verifier.has_value());
    EXPECT_FALSE((*passwords)->find("c")->verifier.has_value());
}

TEST(PasswordsFile, NamesTheLineAndNeverThePassword) {
    EXPECT_EQ(problem_of("\"a\"\n"), "passwords.txt:1: expected \"user\" \"password\"");
    EXPECT_EQ(problem_of("\"a\" \"\"\n"), "passwords.txt:1: expected \"user\" \"password\"");
    const std::string twice = problem_of("\"a\" \"sesame\"\n\"a\" \"sesame\"\n");
    EXPECT_EQ(twice, "passwords.txt:2: user \"a\" stands in the file twice; keep one line");
    EXPECT_EQ(
        problem_of("\"a\" \"SCRAM-SHA-256$4096:x$y:z\"\n"),
        "passwords.txt:1: user \"a\": a SCRAM secret belongs into the users file"
    );
}

TEST(PasswordsFile, IsRefusedIfEverybodyMayWriteIt) {
    std::string path = "/tmp/pgveil-passwords-XXXXXX";
    const int descriptor = ::mkstemp(path.data());
    ASSERT_GE(descriptor, 0);
    std::ofstream(path) << "\"a\" \"sesame\"\n";
    ::chmod(path.c_str(), 0666);
    const auto writable = load_passwords(path);
    ASSERT_FALSE(writable.has_value());
    EXPECT_NE(writable.error().find("can be written by everybody"), std::string::npos);
    ::chmod(path.c_str(), 0644);
    const auto readable = load_passwords(path);
    ASSERT_TRUE(readable.has_value()) << readable.error();
    EXPECT_EQ((*readable)->warnings().size(), 1U);
    ::chmod(path.c_str(), 0600);
    EXPECT_TRUE((*load_passwords(path))->warnings().empty());
    ::unlink(path.c_str());
    ::close(descriptor);
    EXPECT_FALSE(load_passwords(path).has_value());
}

}  // namespace
}  // namespace pgveil::session
