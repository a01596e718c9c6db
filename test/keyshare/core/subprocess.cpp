#include "test/keyshare/core/subprocess.hpp"

#include <array>
#include <sys/wait.h>
#include <unistd.h>

namespace pgveil::core::testing {
namespace {

std::string read_all(int from) {
    std::string text;
    std::array<char, 512> buffer{};
    for (ssize_t got = 0; (got = read(from, buffer.data(), buffer.size())) > 0;) {
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
}

}  // namespace

std::string in_child(const std::function<std::string()>& body) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) {  // NOLINT(android-*): no exec follows
        return "no pipe";
    }
    const pid_t child = fork();
    if (child == 0) {
        const std::string answer = body();
        const bool written =
            write(ends[1], answer.data(), answer.size()) == static_cast<ssize_t>(answer.size());
        _exit(written ? 0 : 3);
    }
    close(ends[1]);
    std::string answer = read_all(ends[0]);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {  // NOLINT(hicpp-signed-bitwise)
        return "killed by signal " + std::to_string(WTERMSIG(status));
    }
    return WEXITSTATUS(status) == 0 ? answer : "exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace pgveil::core::testing
