#include "keyshare/user/passphrase.hpp"

#include "keyshare/user/private_file.hpp"
#include "keyshare/user/terminal.hpp"
#include "test/keyshare/user/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string_view>
#include <unistd.h>

namespace pgveil::user {

namespace {

using testing::HasSubstr;

std::string said(const Result<core::SecretBytes>& secret) {
    return secret ? std::string(secret->reveal().begin(), secret->reveal().end())
                  : "error: " + secret.error().message;
}

std::string from_file(const std::string& content) {
    const Scratch scratch;
    const std::string path = scratch / "passphrase";
    EXPECT_TRUE(create_file(path, core::as_bytes(content), Audience::kOwner));
    return said(read_secret({path, {}}, "passphrase", Asking::kKnown));
}

class Pipe {
public:
    explicit Pipe(std::string_view content) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe(ends.data()), 0);
        read_ = core::Descriptor(ends[0]);
        const core::Descriptor write(ends[1]);
        EXPECT_EQ(
            ::write(write.get(), content.data(), content.size()),
            static_cast<ssize_t>(content.size())
        );
    }

    std::string next_line() const {
        return said(read_secret({"", read_.get()}, "passphrase", Asking::kKnown));
    }

private:
    core::Descriptor read_;
};

std::string typed(std::string_view keys) {
    LineInput line;
    for (const char key : keys) {
        const auto state = line.feed(static_cast<std::uint8_t>(key));
        if (state == LineInput::State::kCancelled) {
            return "cancelled";
        }
        if (state == LineInput::State::kTooLong) {
            return "too long";
        }
        if (state == LineInput::State::kDone) {
            return said(line.take());
        }
    }
    return "still reading";
}

}  // namespace

TEST(Passphrase, FileGivesItsOneLineWithoutLineEnd) {
    EXPECT_EQ(from_file("correct horse\n"), "correct horse");
    EXPECT_EQ(from_file("correct horse\r\n"), "correct horse");
    EXPECT_EQ(from_file("correct horse"), "correct horse");
    EXPECT_EQ(from_file(" spaces stay "), " spaces stay ");
}

TEST(Passphrase, FileWithTwoLinesOrNoneIsRefused) {
    EXPECT_THAT(from_file("one\ntwo\n"), HasSubstr("more than one line"));
    EXPECT_THAT(from_file("\n"), HasSubstr("empty"));
    EXPECT_THAT(from_file(""), HasSubstr("empty"));
    EXPECT_THAT(from_file(std::string(1025, 'x')), HasSubstr("error"));
    EXPECT_EQ(from_file(std::string(1024, 'x')), std::string(1024, 'x'));
}

TEST(Passphrase, DescriptorGivesOneLineAfterAnother) {
    const Pipe pipe("first\nsecond\r\nthird");
    EXPECT_EQ(pipe.next_line(), "first");
    EXPECT_EQ(pipe.next_line(), "second");
    EXPECT_EQ(pipe.next_line(), "third");
    EXPECT_THAT(pipe.next_line(), HasSubstr("empty"));
}

TEST(Passphrase, ClosedDescriptorIsAnError) {
    EXPECT_THAT(
        said(read_secret({"", 987}, "passphrase", Asking::kKnown)), HasSubstr("descriptor 987")
    );
}

TEST(LineInput, TakesKeysBackAndEnds) {
    EXPECT_EQ(typed("abc\r"), "abc");
    EXPECT_EQ(
        typed("abx\x7f"
              "c\n"),
        "abc"
    );
    EXPECT_EQ(
        typed("\x08\x7f"
              "a\n"),
        "a"
    );
    EXPECT_EQ(typed("gone\x15kept\n"), "kept");
    EXPECT_EQ(typed("kept\x04"), "kept");
    EXPECT_EQ(typed("abc"), "still reading");
}

TEST(LineInput, BackspaceTakesAWholeCharacter) {
    EXPECT_EQ(
        typed("a\xc3\xa4\x7f"
              "b\n"),
        "ab"
    );
    EXPECT_EQ(
        typed("a\xe2\x82\xac\x7f"
              "b\n"),
        "ab"
    );
}

TEST(LineInput, CancelsAndLimits) {
    EXPECT_EQ(typed("abc\x03"), "cancelled");
    EXPECT_EQ(typed("\x04"), "cancelled");
    EXPECT_EQ(typed(std::string(1025, 'x')), "too long");
    EXPECT_EQ(typed(std::string(1024, 'x') + "\n"), std::string(1024, 'x'));
}

}  // namespace pgveil::user
