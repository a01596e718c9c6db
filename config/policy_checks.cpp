#include "config/policy_reader.hpp"
#include "sql/types/searchable_form.hpp"

#include <map>
#include <set>

namespace pgveil::config {

namespace {

/// The column that used a context first; the others must agree with it.
using Contexts = std::map<std::string, const ColumnPolicy*>;

std::string context_of(const TablePolicy& table, const ColumnPolicy& column) {
    return column.context.empty() ? default_context(table.schema, table.name, column.name)
                                  : column.context;
}

std::string difference_between(const ColumnPolicy& left, const ColumnPolicy& right) {
    const bool is_searchable = left.scheme != Scheme::kRandomized;
    const bool is_other_enum = types::is_enum(left.type.kind) && left.type != right.type;
    if (is_other_enum || types::associated_name_of(left.type, is_searchable) !=
                             types::associated_name_of(right.type, is_searchable)) {
        return "type (" + types::name_of(left.type) + " and " + types::name_of(right.type) + ")";
    }
    if (left.scheme != right.scheme) {
        return "search (" + std::string(name_of(left.scheme)) + " and " +
               std::string(name_of(right.scheme)) + ")";
    }
    if (left.pad_to != right.pad_to) {
        return "pad_to (" + std::to_string(left.pad_to) + " and " + std::to_string(right.pad_to) +
               ")";
    }
    if (left.order_bytes != right.order_bytes) {
        return "order_bytes (" + std::to_string(left.order_bytes) + " and " +
               std::to_string(right.order_bytes) + ")";
    }
    if (left.group != right.group) {
        return "group (" + left.group + " and " + right.group + ")";
    }
    if (left.is_null_without_key != right.is_null_without_key) {
        return "on_missing_key (\"error\" and \"null\")";
    }
    if (left.poison != right.poison) {
        return "poison: a planted value could be copied from one to the other and read there";
    }
    return {};
}

Result<void> check_context(
    std::string_view file, const TablePolicy& table, const ColumnPolicy& column, Contexts& contexts
) {
    const std::string context = context_of(table, column);
    const auto [entry, is_new] = contexts.emplace(context, &column);
    if (is_new) {
        return {};
    }
    if (!column.bind_to.empty() || !entry->second->bind_to.empty()) {
        return error_at(
            file,
            column.pointer,
            "shares the context \"" + context + "\" with " + entry->second->pointer +
                ", but a value with bind_to belongs to one row; give each a context of its own"
        );
    }
    const std::string difference = difference_between(*entry->second, column);
    if (difference.empty()) {
        return {};
    }
    return error_at(
        file,
        column.pointer,
        "shares the context \"" + context + "\" with " + entry->second->pointer +
            " but differs in " + difference + "; make them agree or give one another context"
    );
}

/// The keys of bind_to are what everybody may see.
Result<void> check_binding(
    std::string_view file, const TablePolicy& table, const ColumnPolicy& column
) {
    for (const std::string& name : column.bind_to) {
        if (table.column(name) != nullptr) {
            return error_at(
                file,
                pointer_to(column.pointer, "bind_to"),
                "names " + name + ", which is protected itself; bind to plain columns"
            );
        }
    }
    return {};
}

Result<void> check_columns(std::string_view file, const TablePolicy& table, Contexts& contexts) {
    for (const ColumnPolicy& column : table.columns) {
        Result<void> checked = check_context(file, table, column, contexts);
        if (checked.has_value()) {
            checked = check_binding(file, table, column);
        }
        if (!checked.has_value()) {
            return checked;
        }
    }
    return {};
}

}  // namespace

Result<void> check_policy(std::string_view file, const PolicyContent& content) {
    std::set<PolicyName> names;
    Contexts contexts;
    for (const TablePolicy& table : content.tables) {
        if (!names.insert(PolicyName{table.schema, table.name}).second) {
            return error_at(
                file,
                pointer_to("/tables", table.schema + "." + table.name),
                "names a table that has another entry, too; keep one of the two"
            );
        }
        Result<void> checked = check_columns(file, table, contexts);
        if (!checked.has_value()) {
            return checked;
        }
    }
    for (const PolicyName& plain : content.plain) {
        if (names.contains(plain)) {
            return error_at(
                file,
                "/plain",
                "lists " + plain.schema + "." + plain.name +
                    ", which is protected under /tables; keep one of the two"
            );
        }
    }
    return {};
}

}  // namespace pgveil::config
