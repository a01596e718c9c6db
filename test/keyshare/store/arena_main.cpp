#include "keyshare/core/arena.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

// Everything secret lies in an arena, as in the programs, so that a scan of this process says what
// is left of it.
int main(int argc, char** argv) {
    using pgveil::core::ArenaMode;
    const auto report = pgveil::core::install_arena({.mode = ArenaMode::kMlock});
    if (!report.has_value()) {
        std::cerr << report.error().message << '\n';
        return EXIT_FAILURE;
    }
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
