#include "sql/field/protected_column.hpp"

#include "sql/types/searchable_form.hpp"

namespace pgveil::field {

std::string ProtectedColumn::associated_type_name() const {
    return types::associated_name_of(type, scheme != config::Scheme::kRandomized);
}

std::shared_ptr<ProtectedColumn> protected_column(
    std::string_view schema, std::string_view table, const config::ColumnPolicy& policy
) {
    auto column = std::make_shared<ProtectedColumn>();
    column->schema = schema;
    column->table = table;
    column->name = policy.name;
    column->context = policy.context.empty() ? config::default_context(schema, table, policy.name)
                                             : policy.context;
    column->group = policy.group;
    column->type = policy.type;
    column->scheme = policy.scheme;
    column->pad_to = policy.pad_to;
    column->order_bytes = policy.order_bytes;
    column->bind_to = policy.bind_to;
    column->is_null_without_key = policy.is_null_without_key;
    column->poison = policy.poison;
    return column;
}

bool shares_context(const ProtectedColumn& left, const ProtectedColumn& right) {
    return left.context == right.context && left.group == right.group &&
           left.data_key == right.data_key && left.scheme == right.scheme &&
           left.pad_to == right.pad_to && left.order_bytes == right.order_bytes &&
           left.associated_type_name() == right.associated_type_name();
}

}  // namespace pgveil::field
