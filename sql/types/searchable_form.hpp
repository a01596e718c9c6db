#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/type.hpp"

#include <string>

// One form for values that PostgreSQL calls equal (CRYPTO.md section 2): what is sealed for a
// searchable column.
namespace pgveil::types {

/// True if `type` has such a form: all but numeric without a scale, char without a length,
/// interval, json, jsonb and arrays.
bool has_searchable_form(Type type);

/// The type's name in the associated data: canonical_name_of(), and of a searchable numeric the
/// scale, too, because its form depends on it: "numeric scale 2". Never changes.
std::string associated_name_of(Type type, bool is_searchable);

/// `binary` is a send form. numeric is brought to the type's scale, char(n) loses its blanks at the
/// end, every NaN becomes the same one. A float's -0, which would come back as 0, is refused
/// (0A000).
Result<core::SecretBytes> searchable_form(Type type, core::ByteView binary);

/// What is sealed for a column without search: the send form, but with 0 for the OID of an enum in
/// an array of them, because every database assigns another one.
core::SecretBytes stored_form(Type type, core::SecretBytes value);

/// Values of columns without search are sealed as they are sent: send_form_of_stored() changes
/// nothing.
bool is_stored_as_sent(Type type);

/// The send form of a value that was sealed in any of these forms: char(n) gets its blanks again,
/// an array of an enum the OID.
Result<core::SecretBytes> send_form_of_stored(Type type, core::SecretBytes stored);

}  // namespace pgveil::types
