#pragma once

#include "keyshare/core/descriptor.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <pty.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace pgveil::user {

/// What a program said and how it ended.
struct Ended {
    int code = -1;
    std::string output;
    std::string notes;
};

namespace program {

inline std::string read_all(int descriptor) {
    std::string text;
    std::array<char, 4096> part{};
    for (;;) {
        const ssize_t got = ::read(descriptor, part.data(), part.size());
        if (got <= 0) {
            return text;
        }
        text.append(part.data(), static_cast<std::size_t>(got));
    }
}

[[noreturn]] inline void become(const std::vector<std::string>& words) {
    std::vector<std::string> copies = words;
    std::vector<char*> argv;
    for (std::string& word : copies) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    ::execvp(argv.front(), argv.data());
    ::_exit(127);
}

inline int exit_code_of(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace program

/// Runs a program to its end without a controlling terminal. Its standard error goes through a
/// file, so that neither stream can block the other.
inline Ended run_program(const std::vector<std::string>& words) {
    std::string notes_path = testing::TempDir() + "pgveil-notes-XXXXXX";
    const core::Descriptor notes(::mkstemp(notes_path.data()));
    ::unlink(notes_path.c_str());
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    const core::Descriptor output(ends[0]);
    core::Descriptor input(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) {
        ::setsid();
        ::dup2(input.get(), 1);
        ::dup2(notes.get(), 2);
        ::close(output.get());
        program::become(words);
    }
    input = core::Descriptor();
    Ended ended;
    ended.output = program::read_all(output.get());
    ended.code = program::exit_code_of(child);
    ::lseek(notes.get(), 0, SEEK_SET);
    ended.notes = program::read_all(notes.get());
    return ended;
}

/// Runs a program on a terminal of its own and types one answer after each prompt (a text that ends
/// in ": "). `output` is all that the terminal showed.
inline Ended run_on_terminal(
    const std::vector<std::string>& words, const std::vector<std::string>& answers
) {
    int terminal = -1;
    const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
    if (child == 0) {
        program::become(words);
    }
    const core::Descriptor owned(terminal);
    Ended ended;
    std::size_t seen = 0;
    for (const std::string& answer : answers) {
        char byte = 0;
        while (ended.output.find(": ", seen) == std::string::npos && ::read(terminal, &byte, 1) == 1
        ) {
            ended.output += byte;
        }
        seen = ended.output.size();
        EXPECT_EQ(
            ::write(terminal, answer.data(), answer.size()), static_cast<ssize_t>(answer.size())
        );
    }
    ended.output += program::read_all(terminal);
    ended.code = program::exit_code_of(child);
    return ended;
}

}  // namespace pgveil::user
