#pragma once

#include "keyshare/core/bytes.hpp"
#include "sql/types/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

// COPY data in binary format (PostgreSQL, "COPY", "Binary Format").
namespace pgveil::copy {

/// A field's bytes; nullopt: NULL.
using BinaryField = std::optional<core::ByteView>;

/// What stands at the front of the data.
struct BinaryUnit {
    enum class Kind { kHeader, kRow, kTrailer };
    Kind kind = Kind::kRow;
    std::size_t size = 0;  ///< in bytes
};

/// The unit that begins with the first byte: a header (signature, flags, extension) if
/// `expects_header`, else a row or the trailer. nullopt: more bytes are needed. A row's fields are
/// put into `fields`, as views into the bytes; `columns` is how many it must have.
/// Errors: 22P04 with PostgreSQL's text. Any bytes are accepted.
types::Result<std::optional<BinaryUnit>> next_unit(
    core::ByteView bytes, bool expects_header, std::size_t columns, std::vector<BinaryField>& fields
);

/// A header with no flags and no extension.
core::ByteView plain_header();

/// What stands behind the last row in place of the number of its fields.
inline constexpr std::uint16_t kTrailer = 0xffff;

}  // namespace pgveil::copy
