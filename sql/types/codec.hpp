#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/style.hpp"
#include "sql/types/type.hpp"

#include <string_view>

// Text and binary codecs of the logical types. The canonical form of a value is PostgreSQL's own
// binary send form; it is what is sealed. All functions are pure, thread-safe and never throw.
namespace pgveil::types {

/// Where output text goes: a wire buffer or secret memory. Called one or more times per value.
class TextSink {
public:
    TextSink() = default;
    TextSink(const TextSink&) = delete;
    TextSink& operator=(const TextSink&) = delete;
    virtual ~TextSink() = default;

    /// `text` is valid during the call only.
    virtual void append(std::string_view text) = 0;
};

/// Reads `text` (UTF-8) by the rules of PostgreSQL's input function and of assignment to `type`:
/// varchar(n) and char(n) drop only excess blanks, else 22001; timestamp(p) and numeric(p,s) round.
/// For a literal that is *compared*, pass comparison_type(column).
/// Errors are PostgreSQL's (22P02, 22003, 22007, 22008, 22009, 22001, 22021), or kUnsupportedForm
/// for a form that depends on the clock or that we do not read. Never a different value.
Result<core::SecretBytes> from_text(Type type, std::string_view text, const TextStyle& style);

/// Checks a value in binary receive form by the rules of the receive function and of assignment,
/// and brings it into send form (a bool of any non-zero byte becomes 1).
/// Errors: 22P03, 08P01, 22008, 22001, 22021.
Result<core::SecretBytes> from_binary(Type type, core::ByteView binary);

/// Writes the value as PostgreSQL's output function would. `binary` is a send form, as from_text
/// and from_binary return it; anything else is an error (22P03), never a guess.
Result<void> append_text(Type type, core::ByteView binary, const TextStyle& style, TextSink& sink);

/// append_text into secret memory.
Result<core::SecretBytes> to_text(Type type, core::ByteView binary, const TextStyle& style);

}  // namespace pgveil::types
