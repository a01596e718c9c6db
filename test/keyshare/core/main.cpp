#include "keyshare/core/arena.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

// The suite runs on the plain heap, or entirely inside an arena when PGVEIL_TEST_ARENA names a
// mode.
int main(int argc, char** argv) {
    using pgveil::core::ArenaMode;
    const char* wanted =
        std::getenv("PGVEIL_TEST_ARENA");  // NOLINT(concurrency-mt-unsafe): first line of main
    if (wanted != nullptr) {
        const ArenaMode mode =
            std::string(wanted) == "mlock" ? ArenaMode::kMlock : ArenaMode::kMemfdSecret;
        const auto report = pgveil::core::install_arena({.mode = mode});
        if (!report.has_value()) {
            std::cerr << report.error().message << '\n';
            return EXIT_FAILURE;
        }
    }
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
