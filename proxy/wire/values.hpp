#pragma once

#include "proxy/wire/list.hpp"
#include "proxy/wire/output.hpp"

#include <cstdint>
#include <optional>

namespace pgveil::wire {

enum class Format : std::int16_t { kText = 0, kBinary = 1 };

/// A parameter or a column of a row: its bytes, or nullopt for NULL. NULL and empty are different.
using Cell = std::optional<ByteView>;

template <>
struct ElementOf<Cell> {
    static Cell read(Cursor& cursor) noexcept { return cursor.sized_bytes(); }
};

template <>
struct ElementOf<std::uint32_t> {
    static std::uint32_t read(Cursor& cursor) noexcept { return cursor.int32(); }
};

using Cells = List<Cell>;
using Oids = List<std::uint32_t>;

/// Format codes of Bind and FunctionCall: none (all text), one (for all), or one for each. Codes
/// are kept as they came, and their number is not compared with anything: the server does both and
/// its own error (22023, 08P01) is the one the client shall see.
class FormatCodes {
public:
    FormatCodes() noexcept = default;

    static FormatCodes take(Cursor& cursor) noexcept;  ///< Int16 count, then the codes

    std::size_t size() const noexcept { return bytes_.size() / 2; }

    /// The code that holds for element `index` (from 0); 0 (text) when none was given for it.
    std::int16_t code_for(std::size_t index) const noexcept;

    /// Whether these codes are a legal choice for `count` elements: 0, 1 or `count` codes, each 0
    /// or 1.
    bool fits(std::size_t count) const noexcept;

    /// The encoded codes, without their count.
    ByteView bytes() const noexcept { return bytes_; }

private:
    ByteView bytes_;
};

/// Appends one cell: Int32 length (-1 for NULL) and its bytes.
void append_cell(Output& out, const Cell& cell);

/// Appends an Int16 count and the codes; the empty span means "all text".
void append_format_codes(Output& out, std::span<const Format> formats);
void append_format_codes(Output& out, const FormatCodes& formats);

}  // namespace pgveil::wire
