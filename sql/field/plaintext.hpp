#pragma once

#include "keyshare/core/secret.hpp"
#include "sql/field/protected_column.hpp"
#include "sql/types/error.hpp"

// Between a value's send form and the bytes that are sealed (FORMATS.md, "Plaintext").
namespace pgveil::field {

/// What is sealed for `value`, a send form of the column's type: types::searchable_form under
/// equality and order, else types::stored_form. Returns its refusals (0A000), and those of
/// types::order_form for an ordered column.
types::Result<core::SecretBytes> plaintext_of(
    const ProtectedColumn& column, core::SecretBytes value
);

/// The send form of what was sealed.
types::Result<core::SecretBytes> value_of(
    const ProtectedColumn& column, core::SecretBytes plaintext
);

}  // namespace pgveil::field
