#pragma once

#include "keyshare/share/chained_line.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::share {

enum class ChainFault {
    kEdited,
    kDeleted,
    kReordered,
    kDuplicated,
    kTruncated,
    kBadSignature,
    kForeignKey,
    kUnsigned,  ///< more than two hours without a signed head
};

/// "edited", ...
std::string_view name_of(ChainFault fault);

/// The first thing that is wrong, where, and in words.
struct ChainFinding {
    ChainFault wrong = ChainFault::kEdited;
    std::string file;
    std::size_t line = 0;  ///< from 1
    std::string words;
};

/// A line among those of its file.
struct ChainPlace {
    const std::string& file;
    const std::vector<std::string_view>& lines;
    std::size_t index;

    std::string_view text() const { return lines[index]; }

    bool is_first() const { return index == 0; }
};

/// Goes through the lines of a log, file by file, oldest first. No I/O. Says where lines do not
/// follow from each other; what the lines mean is the caller's. Never throws on any text.
class ChainWalk {
public:
    /// @param noun what a line is called in findings, "record"
    ChainWalk(ChainForm form, std::string owner, std::string noun)
        : form_(form), owner_(std::move(owner)), noun_(std::move(noun)) {}

    /// The line, if it follows from the ones before; pass() takes it. Else finding() is set.
    std::optional<ChainedLine> look(const ChainPlace& place);
    /// The line of look() holds: the next one has to hang on it.
    void pass(const ChainedLine& line);
    /// The file was looked through.
    void end_file(const std::string& file, std::size_t lines);

    const std::optional<ChainFinding>& finding() const { return finding_; }

    void found(ChainFault wrong, const ChainPlace& place, std::string words);
    /// Behind the last line of the file before.
    void found_at_end(ChainFault wrong, std::string words);

    /// Of the last line that passed; sequence 0: none yet.
    const ChainLink& last() const { return last_; }

    /// Number of the first line; 0: none yet.
    std::uint64_t first() const { return first_; }

private:
    bool check_number(const ChainPlace& place, const ChainedLine& line);
    void blame(const ChainPlace& place, const ChainedLine& line);
    std::string number(std::uint64_t sequence) const;

    ChainForm form_;
    std::string owner_;
    std::string noun_;
    ChainLink last_;
    std::uint64_t first_ = 0;
    std::string file_;  // the one before
    std::size_t file_lines_ = 0;
    std::optional<ChainFinding> finding_;
};

/// The whole lines of a file; what has no newline is left in `content`.
std::vector<std::string_view> lines_of(std::string_view& content);

}  // namespace pgveil::share
