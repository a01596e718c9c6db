#include "sql/field/plaintext.hpp"

#include "sql/types/searchable_form.hpp"

#include <utility>

namespace pgveil::field {

types::Result<core::SecretBytes> plaintext_of(
    const ProtectedColumn& column, core::SecretBytes value
) {
    if (column.scheme == config::Scheme::kRandomized) {
        return value;
    }
    return types::searchable_form(column.type, value.reveal());
}

types::Result<core::SecretBytes> value_of(
    const ProtectedColumn& column, core::SecretBytes plaintext
) {
    return types::send_form_of_stored(column.type, std::move(plaintext));
}

}  // namespace pgveil::field
