#pragma once

#include "sql/copy/options.hpp"
#include "sql/types/codec.hpp"
#include "sql/types/error.hpp"

#include <string_view>
#include <vector>

// The fields of one line of COPY data in text or csv format.
namespace pgveil::copy {

/// One field as it stands in its line, escapes and quotes included.
struct Field {
    std::string_view raw;
    bool is_null = false;    ///< the line says NULL; FORCE_NULL and FORCE_NOT_NULL not considered
    bool is_quoted = false;  ///< csv: a quote occurs in it
};

/// Splits `line` (without its line end) as CopyReadAttributesText and CopyReadAttributesCSV do.
/// `fields` is overwritten; views into the line. 22P04: a quote is not closed.
types::Result<void> split_line(
    const Options& options, std::string_view line, std::vector<Field>& fields
);

/// Its value is `raw`: nothing is escaped or quoted.
bool stands_as_written(const Options& options, const Field& field);

/// Writes the value that a field which is not NULL stands for. Any bytes; may hold NUL.
void append_value(const Options& options, const Field& field, types::TextSink& sink);

/// How a field is written in csv; nothing of it matters in text format.
struct Quoting {
    bool is_forced = false;
    bool is_only_field = false;  ///< of its line: then `\.` is quoted
};

/// csv: the value cannot stand without quotes.
bool needs_quotes(const Options& options, std::string_view value, Quoting quoting);

/// Writes `value` as a field that is not NULL, as CopyAttributeOutText and CopyAttributeOutCSV do.
void append_field(
    const Options& options, std::string_view value, Quoting quoting, types::TextSink& sink
);

}  // namespace pgveil::copy
