#pragma once

#include "sql/analysis/plan.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Puts replacement texts into the user's text and remembers how positions moved.
namespace pgveil::rewrite {

/// Where the bytes of a rewritten text came from. A value; any thread.
class PositionMap {
public:
    PositionMap() = default;

    /// `server_position` is PostgreSQL's P field: a 1-based position counted in characters of the
    /// rewritten text. Returns the 1-based character position in the user's text; a place inside a
    /// replacement becomes the place where the replaced text begins. 0 stays 0 (no position).
    std::uint32_t to_user(std::uint32_t server_position) const;

    /// The memory that it takes.
    std::size_t size_bytes() const { return sizeof(*this) + runs_.capacity() * sizeof(Run); }

private:
    friend class TextBuilder;

    /// A stretch copied from the user's text, in characters.
    struct Run {
        std::uint32_t user_begin;
        std::uint32_t text_begin;
        std::uint32_t length;
    };

    std::vector<Run> runs_;
    std::uint32_t user_length_ = 0;
};

struct Rewritten {
    std::string text;
    PositionMap map;
};

/// One replacement: bytes [begin, end) of the user's text become `text`.
struct Replacement {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::string text;
};

/// Applies ordered, disjoint replacements (invariant) to `user_text` (UTF-8). Where a replacement
/// would run into a neighbouring word (`'x'and` -> `...::byteaand`), a blank is put between.
Rewritten apply(std::string_view user_text, std::span<const Replacement> replacements);

/// The 1-based character position of a byte offset, as PostgreSQL reports it for a text in UTF-8.
std::uint32_t character_position(std::string_view text, std::uint32_t byte_offset);

}  // namespace pgveil::rewrite
