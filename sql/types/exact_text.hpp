#pragma once

#include "sql/types/codec.hpp"

#include <string_view>

// Text that is passed on to the server in binary form: it must come to be, in every case, what the
// server itself would have read.
namespace pgveil::types {

/// The servers whose input functions append_send_form() knows.
inline constexpr int kOldestExactServer = 14;
inline constexpr int kNewestExactServer = 18;

/// The text of such values depends on no setting and no clock, and there is no form of it that we
/// do not read. Dates (`today`), floats and numeric (hexadecimal forms) are not among them.
bool has_exact_text(Kind kind);

/// Writes what the server's receive function has to get for `text`. `type` has exact text,
/// `server_major` is one of those above. Lengths of characters, and what is wrong in the text of
/// json and jsonb, the server finds. Errors are PostgreSQL's: 22021, 22P02, 22003, 22023.
Result<void> append_send_form(Type type, std::string_view text, int server_major, TextSink& sink);

}  // namespace pgveil::types
