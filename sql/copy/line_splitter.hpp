#pragma once

#include "sql/copy/options.hpp"
#include "sql/types/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgveil::copy {

/// Finds where the lines of text and csv data for COPY FROM end, as PostgreSQL's CopyReadLine does:
/// \n, \r\n or \r, the same in all lines, not behind a backslash (text) and not inside quotes
/// (csv). The data may come in pieces of any size; the caller keeps what belongs to a line that is
/// not complete yet.
///
///     while (!bytes.empty()) {
///         progress = splitter.take(bytes);            // an error: 22P04 with PostgreSQL's text
///         ... the first progress.used bytes belong to the line ...
///         if (progress.is_complete) ... the line ends with end_size() bytes of line end ...
///     }
///     finish() at the end of the data
class LineSplitter {
public:
    /// `server_major`: whose errors it has; PostgreSQL 18 words one of them anew.
    explicit LineSplitter(const Options& options, int server_major = 0)
        : options_(options), is_new_wording_(server_major >= 18) {}

    struct Progress {
        std::size_t used = 0;
        bool is_complete = false;
    };

    /// `bytes` is not empty. `used` may be 0 when the line turns out to have been complete before.
    types::Result<Progress> take(std::string_view bytes);

    /// The data ends here: is what was taken since the last complete line closed by a line end?
    types::Result<bool> finish();

    /// What PostgreSQL says of \. that nothing but the end of the data follows.
    types::Error bad_marker() const;

    /// Bytes of line end that close the line last completed.
    std::size_t end_size() const { return end_size_; }

    /// The line being read, counted from 1 as PostgreSQL does: line ends inside quotes count.
    std::uint64_t line() const { return line_; }

private:
    enum class LineEnd { kUnknown, kNewline, kReturn, kBoth };

    types::Result<Progress> after_return(std::size_t used, char next);
    Progress complete(std::size_t used, std::size_t end_size);
    types::Result<bool> ends_line(char letter);
    types::Result<void> note_escaped(char letter);
    void note_quotes(char letter);
    void begin_line();

    bool is_csv() const { return options_.format == Format::kCsv; }

    types::Error stray_return() const;
    types::Error stray_newline() const;

    Options options_;
    bool is_new_wording_;
    LineEnd line_end_ = LineEnd::kUnknown;
    std::uint64_t line_ = 0;
    std::uint64_t size_ = 0;  ///< bytes of the line so far
    std::size_t end_size_ = 0;
    bool in_line_ = false;
    bool in_quotes_ = false;
    bool was_escape_ = false;  ///< csv: the last byte may escape a quote
    bool is_escaped_ = false;  ///< text: the last byte was a backslash
    bool is_marker_ = false;   ///< text: the line is \. so far
    bool has_return_ = false;  ///< \r came, what follows decides
};

}  // namespace pgveil::copy
