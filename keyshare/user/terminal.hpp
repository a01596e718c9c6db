#pragma once

#include "keyshare/core/secret.hpp"
#include "keyshare/user/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pgveil::user {

// Rules of the terminal:
//  - standard output carries only what was asked for (a token, a list, options), so that it can be
//    captured: `token=$(pgveil-user token ...)`;
//  - everything said to a person goes to standard error, one line each, opened by the program's
//  name;
//  - a passphrase is asked for on /dev/tty, never on standard input, and never echoed;
//  - errors say what happened, to which file or user, and what to do; there are no colours.

/// The two streams a command may write to. Thin: it owns neither descriptor. One thread.
class Console {
public:
    explicit Console(std::string program, int output = 1, int notes = 2)
        : program_(std::move(program)), output_(output), notes_(notes) {}

    /// Writes text as it stands to standard output. Returns false when the reader went away.
    bool print(std::string_view text) const;

    /// The same for bytes that must not pass through a stream buffer.
    bool print_secret(core::ByteView text) const;

    /// "program: text\n" on standard error.
    void note(std::string_view text) const;

    /// Says the error and returns the exit code of the program.
    int fail(const Error& error) const;

private:
    std::string program_;
    int output_;
    int notes_;
};

/// The keys of one prompted line: characters are collected, backspace takes one UTF-8 character
/// back, ^U takes all back, enter ends it, ^C and an early end of input cancel it. Pure, so that it
/// is tested without a terminal.
class LineInput {
public:
    enum class State { kReading, kDone, kCancelled, kTooLong };

    /// Longest line in bytes.
    static constexpr std::size_t kSizeMax = 1024;

    LineInput() : line_(kSizeMax) {}

    State feed(std::uint8_t key);

    /// The line so far; the object is spent afterwards.
    core::SecretBytes take();

private:
    void erase_one();

    core::SecretBytes line_;
    std::size_t size_ = 0;
};

/// Asks on /dev/tty without echo. Errors: no terminal, cancelled, too long. The terminal's settings
/// are restored on every return.
Result<core::SecretBytes> prompt_secret(std::string_view question);

}  // namespace pgveil::user
