#include "keyshare/core/arena.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <unistd.h>

namespace pgveil::core {
namespace {

// This same program once more, with every allocation of libcrypto inside an arena. Left out is what
// a process with an arena must not do: calling libcrypto in a forked child.
int run_inside(const std::string& mode) {
    const std::string command =
        "PGVEIL_TEST_ARENA=" + mode + " /proc/" + std::to_string(getpid()) +
        "/exe --gtest_brief=1 --gtest_filter=-WholeSuite.*:BatchedRandom.ForkedChild*";
    return std::system(command.c_str()
    );  // NOLINT(cert-env33-c,concurrency-mt-unsafe): a fixed command of our own
}

TEST(WholeSuite, PassesInsideALockedArena) {
    EXPECT_EQ(run_inside("mlock"), 0);
}

TEST(WholeSuite, PassesInsideMemfdSecret) {
    EXPECT_EQ(run_inside("memfd_secret"), 0);
}

}  // namespace
}  // namespace pgveil::core
