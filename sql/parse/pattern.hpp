#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pgveil::parse {

/// The text with a NUL in place of each integer constant of one to nine digits, so that texts which
/// differ in these alone have one pattern; nullopt if it has none. No text of the protocol holds a
/// NUL, so a pattern is never a text. All such constants are integers to the grammar (Iconst);
/// digits that belong to anything else stay: 1.5, 1e5, 0x1F, 12ab, $1, names, quotes, comments.
/// For texts whose bytes below 128 are ASCII: UTF-8, not GB18030.
std::optional<std::string> pattern_of(std::string_view text, bool standard_conforming_strings);

}  // namespace pgveil::parse
