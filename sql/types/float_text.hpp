#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/codec.hpp"

#include <string_view>

// float4 and float8: IEEE 754, in memory `float` and `double`. `kind` is one of the two.
namespace pgveil::types {

/// As float4in and float8in: 22P02, 22003. Hexadecimal floats and nan(...) are kUnsupportedForm.
Result<core::SecretBytes> float_from_text(Kind kind, std::string_view text);

/// As float4out and float8out: the shortest digits that read back as the same number if
/// `extra_float_digits` is above 0, else the type's 6 or 15 digits and that many fewer.
void append_float(Kind kind, core::ByteView binary, int extra_float_digits, TextSink& sink);

/// Send forms and values. Any bits are kept, those of a NaN too.
core::SecretBytes send_form_of_float4(float value);
core::SecretBytes send_form_of_float8(double value);
float float4_value(core::ByteView binary);
double float8_value(core::ByteView binary);

}  // namespace pgveil::types
