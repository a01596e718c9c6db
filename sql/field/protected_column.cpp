#include "sql/field/protected_column.hpp"

namespace pgveil::field {

std::shared_ptr<const ProtectedColumn> protected_column(
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
    column->bind_to = policy.bind_to;
    return column;
}

bool shares_context(const ProtectedColumn& left, const ProtectedColumn& right) {
    return left.context == right.context && left.group == right.group &&
           left.scheme == right.scheme && left.pad_to == right.pad_to &&
           types::canonical_name_of(left.type.kind) == types::canonical_name_of(right.type.kind);
}

}  // namespace pgveil::field
