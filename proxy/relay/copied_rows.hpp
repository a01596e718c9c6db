#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::relay {

/// From which line of the client's data each row of a COPY FROM came that left in binary: the
/// server counts rows, and in its errors the client expects lines. Rows that are the same number of
/// lines apart take no memory; where that changes too often, later lines are not known.
class CopiedRows {
public:
    /// The next row ends in this line; both count from 1.
    void add(std::uint64_t line);

    /// This line is none.
    void skip(std::uint64_t line) { last_line_ = line; }

    /// The row behind the last is the one that the server waits for: it begins in the next line.
    std::optional<std::uint64_t> line_of(std::uint64_t row) const;

    /// The server's CONTEXT as it would be for lines: `COPY relation, line 7` has another number,
    /// or none.
    std::string in_lines(std::string_view context, std::string_view relation) const;

private:
    static constexpr std::size_t kStretchesMax = 4096;

    struct Stretch {
        std::uint64_t row;
        std::uint64_t line;
        std::uint64_t step;  ///< lines from row to row
    };

    std::vector<Stretch> stretches_;
    std::uint64_t rows_ = 0;       ///< that came
    std::uint64_t known_ = 0;      ///< so many of them are in a stretch
    std::uint64_t last_line_ = 0;  ///< that came
};

}  // namespace pgveil::relay
