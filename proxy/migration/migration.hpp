#pragma once

#include "proxy/migration/filling.hpp"

#include <cstdint>
#include <memory>
#include <string>

// `pgveil migrate` and `pgveil unmigrate`: a table becomes another one with encrypted columns, or
// back, while applications use it.
namespace pgveil::migration {

enum class Goal { kVeiled, kPlain };

struct Request {
    std::string table;   ///< schema.table
    std::string proxy;   ///< URL of pgveil
    std::string direct;  ///< URL of PostgreSQL itself
    UserFiles user;
    Pace pace;
    /// How long a proxy believes what it was told of a table: limits.catalog_ttl_ms.
    std::int64_t catalog_ttl_ms = 0;
    bool plan = false;  ///< only say what would be done
    bool drop = false;  ///< drop the table that the switch has replaced
    bool back = false;  ///< undo everything that has not been dropped
};

/// Goes on from wherever the last run ended, until the goal is reached. Standard output has the
/// plan, standard error what happens. The exit code of the program.
int run(const config::Policy& policy, const Request& request, Goal goal);

}  // namespace pgveil::migration
