#pragma once

#include "keyshare/share/json_fields.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Lines of a log that hang on each other: JSON objects in which each names the hash of the one
/// before, and ends in its own. One form for all logs; a domain and an owner keep them apart.
namespace pgveil::share {

/// What the next line hangs on: number and hash of the last one. Before the first line: 0 and 32
/// bytes of zero.
struct ChainLink {
    std::uint64_t sequence = 0;
    Digest hash{};

    friend bool operator==(const ChainLink&, const ChainLink&) = default;
};

/// Whose lines they are.
struct ChainForm {
    std::string_view domain;  ///< "pgveil/1 audit line"
    const char* number;       ///< the member with the line's number
};

/// SHA-256 over LP(domain, owner, body). The body is the line without its last member `hash`
/// (docs/FORMATS.md).
Digest chained_hash(const ChainForm& form, std::string_view owner, std::string_view body);

/// The line behind `last`, which then is this one. Without a newline.
std::string make_chained_line(
    const ChainForm& form, ChainLink& last, std::string_view owner, const Json& fields
);

/// A line as it stands in a file.
struct ChainedLine {
    std::uint64_t sequence = 0;
    Digest previous{};
    Digest hash{};
    std::string_view body;  ///< points into the text
    Json fields;            ///< all of them

    /// A member that is a text; empty if it is none.
    std::string text(const char* member) const;

    ChainLink link() const { return {sequence, hash}; }
};

/// Nothing if the text is no line of this form. Says nothing about whether the hash is right. Never
/// throws on any text.
std::optional<ChainedLine> parse_chained_line(const ChainForm& form, std::string_view text);

}  // namespace pgveil::share
