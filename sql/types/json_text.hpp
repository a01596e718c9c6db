#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

// json and jsonb (PostgreSQL documentation section 8.14; RFC 8259). `text` is valid UTF-8.
namespace pgveil::types {

/// Values nested deeper are refused (kUnsupportedForm); PostgreSQL's own limit depends on its
/// stack.
inline constexpr std::size_t kJsonDepthMax = 1000;

/// json_in: 22P02 with PostgreSQL's detail if `text` is no JSON. What json keeps is the text
/// itself.
Result<void> check_json(std::string_view text);

/// jsonb_in and jsonb_out: the text with keys ordered by length, then bytes, the last of equal
/// keys, numbers as numeric writes them, blanks behind comma and colon only. 22P02, 22P05, 22003.
Result<core::SecretBytes> normalised_json(std::string_view text);

/// The send form of jsonb: one byte, its version, and the normalised text.
core::SecretBytes send_form_of_jsonb(const core::SecretBytes& normalised);

/// The text inside the send form; XX000 for another version, 08P01 if there is none.
Result<std::string_view> jsonb_text(core::ByteView binary);

}  // namespace pgveil::types
