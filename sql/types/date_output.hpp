#pragma once

#include "keyshare/core/bytes.hpp"
#include "sql/types/codec.hpp"

namespace pgveil::types {

/// date_out, timestamp_out and timestamptz_out in all four DateStyles. `binary` has the size of
/// the kind. A value outside the range of the type, or a timestamptz without style.zone, is an
/// error.
Result<void> append_date_time(
    Kind kind, core::ByteView binary, const TextStyle& style, TextSink& sink
);

}  // namespace pgveil::types
