#pragma once

#include "proxy/audit/error.hpp"

#include <optional>
#include <string>
#include <string_view>

// Lines of a log as `pgveil audit` gives them out. Nothing here says whether they are genuine.
namespace pgveil::audit {

struct Filter {
    std::string since;  ///< from this time on; empty: always
    std::string until;  ///< before this time; empty: for ever
    std::string user;   ///< of this user; empty: of all
};

/// Times are "2026-01-31", "2026-01-31T12:00" or longer, in UTC. The error is for a person.
Result<Filter> make_filter(std::string since, std::string until, std::string user);

/// The line, if it fits. The openings of files and the signed heads fit where no user is asked for.
bool fits(const Filter& filter, std::string_view line);

/// One line of text for people; nothing for what cannot be read.
std::optional<std::string> shown(std::string_view line);

}  // namespace pgveil::audit
