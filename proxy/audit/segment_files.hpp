#pragma once

#include "proxy/audit/error.hpp"
#include "proxy/audit/line.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

// The files of a log: audit-<number of the first line, 12 digits>.jsonl in one folder.
namespace pgveil::audit {

std::string segment_name(std::uint64_t first_sequence);

/// Oldest first. Other files of the folder are left out.
Result<std::vector<std::filesystem::path>> list_segments(const std::filesystem::path& folder);

Result<std::string> read_segment(const std::filesystem::path& file);

/// How the newest file ends.
struct SegmentEnd {
    Link last;                         ///< of its last whole line
    std::uint64_t unsigned_lines = 0;  ///< behind its last head
    std::uint64_t torn_bytes = 0;      ///< of a line that was cut short
};

/// For the writer, before it begins: removes newest files that have no whole line, which name the
/// same first line as the next file will. The beginning of a log where no file is left. The error:
/// the last whole line is none of ours.
Result<SegmentEnd> find_end(const std::filesystem::path& folder, std::string_view tenant);

}  // namespace pgveil::audit
