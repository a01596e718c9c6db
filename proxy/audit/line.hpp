#pragma once

#include "keyshare/share/chained_line.hpp"

#include <optional>
#include <string>
#include <string_view>

/// The audit log's lines: share/chained_line.hpp in a domain of its own.
namespace pgveil::audit {

inline constexpr share::ChainForm kLineForm{"pgveil/1 audit line", "n"};

using Link = share::ChainLink;
using Line = share::ChainedLine;

inline share::Digest hash_of(std::string_view tenant, std::string_view body) {
    return share::chained_hash(kLineForm, tenant, body);
}

/// The line behind `last`, which then is this one. Without a newline.
inline std::string make_line(Link& last, std::string_view tenant, const share::Json& fields) {
    return share::make_chained_line(kLineForm, last, tenant, fields);
}

/// Nothing if the text is no line of ours.
inline std::optional<Line> parse_line(std::string_view text) {
    return share::parse_chained_line(kLineForm, text);
}

}  // namespace pgveil::audit
