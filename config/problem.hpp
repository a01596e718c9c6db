#pragma once

#include <string>

namespace pgveil::config {

/// What the schema cannot say: the pointer and the problem.
struct Problem {
    std::string pointer;
    std::string text;
};

}  // namespace pgveil::config
