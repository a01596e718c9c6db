#include "sql/field/plaintext.hpp"

#include "sql/types/order_form.hpp"
#include "sql/types/searchable_form.hpp"

#include <utility>

namespace pgveil::field {

types::Result<core::SecretBytes> plaintext_of(
    const ProtectedColumn& column, core::SecretBytes value
) {
    const bool is_searchable =
        column.scheme == config::Scheme::kEquality || column.scheme == config::Scheme::kOrder;
    if (!is_searchable) {
        return types::stored_form(column.type, std::move(value));
    }
    auto form = types::searchable_form(column.type, value.reveal());
    if (form.has_value() && column.scheme == config::Scheme::kOrder) {
        const auto ordered = types::order_form(column.type, column.order_bytes, form->reveal());
        return ordered.has_value() ? std::move(form) : ordered.error();
    }
    return form;
}

types::Result<core::SecretBytes> value_of(
    const ProtectedColumn& column, core::SecretBytes plaintext
) {
    return types::send_form_of_stored(column.type, std::move(plaintext));
}

}  // namespace pgveil::field
