#pragma once

#include "keyshare/share/json_fields.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgveil::audit {

/// What the next line hangs on: number and hash of the last one. Before the first line: 0 and 32
/// bytes of zero.
struct Link {
    std::uint64_t sequence = 0;
    share::Digest hash{};

    friend bool operator==(const Link&, const Link&) = default;
};

/// SHA-256 over LP("pgveil/1 audit line", tenant, body). The body is the line without its last
/// member `hash` (docs/FORMATS.md).
share::Digest hash_of(std::string_view tenant, std::string_view body);

/// The line behind `last`, which then is this one. Without a newline.
std::string make_line(Link& last, std::string_view tenant, const share::Json& fields);

/// A line as it stands in a file.
struct Line {
    std::uint64_t sequence = 0;
    share::Digest previous{};
    share::Digest hash{};
    std::string_view body;  ///< points into the text
    share::Json fields;     ///< all of them

    /// A member that is a text; empty if it is none.
    std::string text(const char* member) const;

    Link link() const { return {sequence, hash}; }
};

/// Nothing if the text is no line of ours. Says nothing about whether the hash is right. Never
/// throws on any text.
std::optional<Line> parse_line(std::string_view text);

}  // namespace pgveil::audit
