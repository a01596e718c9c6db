#pragma once

#include "keyshare/share/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::share {

/// What `pgveil rotate-data` has seen: in these databases no value of the group stands under
/// another key than the next one. The word of whoever ran it, not signed: it keeps people from
/// destroying a key too early, nobody else.
struct RotationReport {
    std::string tenant;
    std::string group;
    std::uint32_t next_key_id = 0;
    std::vector<std::string> databases;
    std::int64_t at_s = 0;  ///< Unix seconds
};

/// One line of JSON, canonical; `parse_rotation_report` takes it with a line break at its end.
std::string serialize(const RotationReport& report);
Result<RotationReport> parse_rotation_report(std::string_view text);

}  // namespace pgveil::share
