#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/codec.hpp"

#include <cstdint>
#include <optional>

// time and timetz: microseconds since midnight, and for timetz the zone (PostgreSQL documentation
// section 8.5).
namespace pgveil::types {

struct TimeValue {
    std::int64_t microseconds = 0;  // 0 to a day, both included
    std::int32_t seconds_east = 0;  // of timetz
};

/// The send form: 8 bytes of time, 12 of timetz, whose zone is in seconds *west*.
core::SecretBytes send_form_of_time(Kind kind, TimeValue value);
TimeValue time_value(Kind kind, core::ByteView binary);

/// time_in and timetz_in, with assignment to the type's precision. Refused (kUnsupportedForm):
/// words and zones that depend on the clock or on a date, a date before the time, `T` before it; so
/// is a timetz without an offset, unless the session's zone never changes.
Result<core::SecretBytes> time_from_text(Type type, std::string_view text, const TextStyle& style);

/// time_recv and timetz_recv; `binary` has the type's size. 22008, 22009.
Result<core::SecretBytes> time_from_binary(Type type, core::ByteView binary);

/// time_out and timetz_out; `binary` is a send form, else 22P03.
Result<void> append_time(Kind kind, core::ByteView binary, TextSink& sink);

}  // namespace pgveil::types
