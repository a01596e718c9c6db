#pragma once

#include <string>
#include <string_view>

// What a log may say of a statement: its words, never its constants.
namespace pgveil::parse {

/// The first `text` of a statement with every constant replaced by $n, numbered from behind the
/// parameters that stand in it, without comments, each run of blanks as one, cut to about 1000
/// bytes. Also replaced: TRUE and FALSE, what SET and ALTER ... SET assign, and what looks like a
/// share. Where the text would read otherwise with standard_conforming_strings off, nothing of it
/// is shown. Takes any bytes; reads no more than the first 16 KiB.
std::string with_placeholders(std::string_view text);

/// The same text with "..." for its quoted names: of a statement that failed nobody knows whether
/// they are names, or constants in the wrong quotes.
std::string without_quoted_names(std::string_view with_placeholders);

}  // namespace pgveil::parse
