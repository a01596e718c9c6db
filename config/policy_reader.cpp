#include "config/policy_reader.hpp"

#include "config/embedded_schemas.hpp"
#include "config/migrating.hpp"
#include "config/pins.hpp"
#include "config/policy_enums.hpp"
#include "config/policy_functions.hpp"
#include "config/policy_name.hpp"
#include "config/text_file.hpp"
#include "sql/types/order_form.hpp"
#include "sql/types/searchable_form.hpp"

#include <utility>

namespace pgveil::config {

namespace {

bool is_reserved_schema(std::string_view schema) {
    return schema == "pgveil" || schema == "information_schema" || schema.starts_with("pg_");
}

Result<PolicyName> read_relation(
    std::string_view file, std::string_view pointer, std::string_view text
) {
    ParsedName name = parse_name(text);
    if (name.problem.empty() && name.parts.size() != 2) {
        name.problem = "is not of the form schema.table";
    }
    if (!name.problem.empty()) {
        return error_at(file, pointer, name.problem);
    }
    if (name.parts[1] == "*") {
        return error_at(file, pointer, "needs the table's name behind the schema");
    }
    if (is_reserved_schema(name.parts[0])) {
        return error_at(
            file, pointer, "is in a schema of PostgreSQL or pgveil, which cannot be protected"
        );
    }
    return PolicyName{std::move(name.parts[0]), std::move(name.parts[1])};
}

Result<std::string> read_column_name(
    std::string_view file, std::string_view pointer, std::string_view text
) {
    ParsedName name = parse_name(text);
    if (name.problem.empty() && (name.parts.size() != 1 || name.parts[0] == "*")) {
        name.problem = "is not one column's name; put a name with dots in double quotes";
    }
    if (!name.problem.empty()) {
        return error_at(file, pointer, name.problem);
    }
    return std::move(name.parts[0]);
}

/// `search` is one word or a list of words; order includes equality.
Scheme read_search(const Json& entry) {
    if (!entry.contains("search")) {
        return Scheme::kRandomized;
    }
    const Json& search = entry["search"];
    const Json words = search.is_array() ? search : Json::array({search});
    for (const Json& word : words) {
        if (word.get<std::string>() == "order") {
            return Scheme::kOrder;
        }
    }
    return Scheme::kEquality;
}

/// What to do about a type without a searchable form.
std::string searchable_instead(types::Kind kind) {
    if (kind == types::Kind::kNumeric) {
        return "give it a scale, as in numeric(12,2), or remove";
    }
    return kind == types::Kind::kBpchar ? "give it a length, as in char(20), or remove" : "remove";
}

/// What the type does not allow to be searched.
Result<void> check_search(
    std::string_view file, const std::string& pointer, const ColumnPolicy& column
) {
    const std::string type = types::name_of(column.type);
    if (column.scheme != Scheme::kRandomized && !types::has_searchable_form(column.type)) {
        return error_at(
            file,
            pointer_to(pointer, "search"),
            "equal values of type " + type +
                " can have different forms, so it cannot be searched; " +
                searchable_instead(column.type.kind) + " \"search\""
        );
    }
    if (column.scheme == Scheme::kOrder && !types::has_order_form(column.type)) {
        return error_at(
            file,
            pointer_to(pointer, "search"),
            "type " + type + " cannot be ordered; use \"equality\"" +
                (column.type.kind == types::Kind::kNumeric
                     ? ", or a precision of at most 38, as in numeric(38,2)"
                     : "")
        );
    }
    return {};
}

/// How many bytes of a value are ordered, where the type leaves that open.
Result<void> read_order_bytes(
    std::string_view file, const std::string& pointer, const Json& entry, ColumnPolicy& column
) {
    const bool is_open =
        column.scheme == Scheme::kOrder && types::takes_order_bytes(column.type.kind);
    if (entry.contains("order_bytes") && !is_open) {
        return error_at(
            file,
            pointer_to(pointer, "order_bytes"),
            "is for columns of type text, varchar, char or bytea with \"search\": \"order\"; "
            "remove it"
        );
    }
    column.order_bytes = is_open ? entry.value("order_bytes", types::kDefaultOrderBytes) : 0;
    return {};
}

Result<void> read_bind_to(
    std::string_view file, const std::string& pointer, const Json& entry, ColumnPolicy& column
) {
    const Json names = entry.value("bind_to", Json::array());
    for (std::size_t index = 0; index < names.size(); ++index) {
        const std::string where = pointer_to(pointer_to(pointer, "bind_to"), std::to_string(index));
        Result<std::string> name = read_column_name(file, where, names[index].get<std::string>());
        if (!name.has_value()) {
            return name.error();
        }
        column.bind_to.push_back(std::move(*name));
    }
    return {};
}

/// Only what is stored as it is sent can be told at once.
Result<void> read_poison(
    std::string_view file, const std::string& pointer, const Json& entry, ColumnPolicy& column
) {
    const bool is_text =
        column.type.kind == types::Kind::kText || column.type.kind == types::Kind::kVarchar;
    if (entry.contains("poison") && !is_text) {
        return error_at(
            file, pointer_to(pointer, "poison"), "is for columns of type text or varchar; remove it"
        );
    }
    column.poison = entry.value("poison", std::vector<std::string>());
    return {};
}

/// The options of randomized columns.
Result<void> read_options(
    std::string_view file, const std::string& pointer, const Json& entry, ColumnPolicy& column
) {
    for (const std::string_view key : {"pad_to", "bind_to"}) {
        if (entry.contains(key) && column.scheme != Scheme::kRandomized) {
            return error_at(
                file,
                pointer_to(pointer, key),
                "is for columns without \"search\": equal values must have one stored form; remove "
                "one of the two"
            );
        }
    }
    if (entry.contains("pad_to")) {
        column.scheme = Scheme::kPadded;
        column.pad_to = entry["pad_to"].get<std::uint32_t>();
    }
    const Result<void> ordered = read_order_bytes(file, pointer, entry, column);
    return ordered.has_value() ? read_bind_to(file, pointer, entry, column) : ordered;
}

Result<ColumnPolicy> read_column(
    std::string_view file,
    std::string pointer,
    std::string_view key,
    const Json& entry,
    const std::vector<types::Kind>& enums
) {
    Result<std::string> name = read_column_name(file, pointer, key);
    if (!name.has_value()) {
        return name.error();
    }
    const Result<types::Type> type = read_type(file, pointer, entry, enums);
    if (!type.has_value()) {
        return type.error();
    }
    ColumnPolicy column;
    column.name = std::move(*name);
    column.type = *type;
    column.scheme = read_search(entry);
    const Result<void> searchable = check_search(file, pointer, column);
    if (!searchable.has_value()) {
        return searchable.error();
    }
    column.group = entry.value("group", "default");
    column.context = entry.value("context", "");
    column.is_null_without_key = entry.value("on_missing_key", "error") == "null";
    const Result<void> planted = read_poison(file, pointer, entry, column);
    if (!planted.has_value()) {
        return planted.error();
    }
    const Result<void> options = read_options(file, pointer, entry, column);
    if (!options.has_value()) {
        return options.error();
    }
    column.pointer = std::move(pointer);
    return column;
}

Result<TablePolicy> read_table(
    std::string_view file,
    const std::string& key,
    const Json& entry,
    const std::vector<types::Kind>& enums
) {
    const std::string pointer = pointer_to("/tables", key);
    Result<PolicyName> name = read_relation(file, pointer, key);
    if (!name.has_value()) {
        return name.error();
    }
    TablePolicy table;
    table.schema = std::move(name->schema);
    table.name = std::move(name->name);
    const std::string columns = pointer_to(pointer, "columns");
    for (const auto& item : entry["columns"].items()) {
        Result<ColumnPolicy> column =
            read_column(file, pointer_to(columns, item.key()), item.key(), item.value(), enums);
        if (!column.has_value()) {
            return column.error();
        }
        if (table.column(column->name) != nullptr) {
            return error_at(file, column->pointer, "is the same column as another entry");
        }
        table.columns.push_back(std::move(*column));
    }
    return table;
}

Result<void> read_tables(std::string_view file, const Json& document, PolicyContent& content) {
    for (const auto& item : document["tables"].items()) {
        Result<TablePolicy> table = read_table(file, item.key(), item.value(), content.enums);
        if (!table.has_value()) {
            return table.error();
        }
        content.tables.push_back(std::move(*table));
    }
    return {};
}

Result<void> read_plain(std::string_view file, const Json& document, PolicyContent& content) {
    const Json plain = document.value("plain", Json::array());
    for (std::size_t index = 0; index < plain.size(); ++index) {
        const std::string pointer = pointer_to("/plain", std::to_string(index));
        Result<PolicyName> name = read_relation(file, pointer, plain[index].get<std::string>());
        if (!name.has_value()) {
            return name.error();
        }
        if (name->schema == "*") {
            return error_at(
                file, pointer, "needs the schema's name: each plain relation is listed by itself"
            );
        }
        content.plain.push_back(std::move(*name));
    }
    return {};
}

Result<void> read_search_path(std::string_view file, const Json& document, PolicyContent& content) {
    if (!document.contains("search_path")) {
        return {};
    }
    content.search_path.clear();
    const Json& path = document["search_path"];
    for (std::size_t index = 0; index < path.size(); ++index) {
        const std::string pointer = pointer_to("/search_path", std::to_string(index));
        ParsedName name = parse_name(path[index].get<std::string>());
        const bool is_one = name.parts.size() == 1 && name.parts[0] != "*";
        if (!name.problem.empty() || !is_one) {
            return error_at(
                file, pointer, name.problem.empty() ? "is not one schema's name" : name.problem
            );
        }
        content.search_path.push_back(std::move(name.parts[0]));
    }
    return {};
}

}  // namespace

Result<PolicyContent> read_policy(std::string_view file, const Json& document) {
    PolicyContent content;
    Result<std::vector<types::Kind>> enums = read_enums(file, document);
    if (!enums.has_value()) {
        return enums.error();
    }
    content.enums = std::move(*enums);
    for (const auto read : {read_tables, read_plain, read_search_path}) {
        const Result<void> done = read(file, document, content);
        if (!done.has_value()) {
            return done.error();
        }
    }
    Result<std::vector<FunctionPolicy>> functions = read_functions(file, document, content.tables);
    if (!functions.has_value()) {
        return functions.error();
    }
    content.functions = std::move(*functions);
    content.databases = document.value("databases", std::vector<std::string>());
    if (document.value("repeated_values", "refuse") == "count") {
        content.repeated_values = RepeatedValues::kCount;
    }
    return content;
}

namespace {

Result<PolicyContent> parse_content(std::string_view file, std::string_view text) {
    const Result<Json> document = parse_document(file, text, policy_schema());
    if (!document.has_value()) {
        return document.error();
    }
    Result<PolicyContent> content = read_policy(file, *document);
    if (!content.has_value()) {
        return content.error();
    }
    const Result<void> checked = check_policy(file, *content);
    if (!checked.has_value()) {
        return checked.error();
    }
    const auto migrating = read_migrating(file, *document, *content);
    if (!migrating.has_value()) {
        return migrating.error();
    }
    add_veiled_tables(*migrating, *content);
    return content;
}

}  // namespace

Result<std::shared_ptr<const Policy>> parse_policy(std::string_view file, std::string_view text) {
    Result<PolicyContent> content = parse_content(file, text);
    if (!content.has_value()) {
        return content.error();
    }
    return std::make_shared<const Policy>(std::move(*content));
}

Result<std::shared_ptr<const Policy>> load_policy(const std::string& path) {
    const Result<std::string> text = read_text_file(path);
    if (!text.has_value()) {
        return text.error();
    }
    Result<PolicyContent> content = parse_content(path, *text);
    if (!content.has_value()) {
        return content.error();
    }
    Result<Pins> pins = load_pins(pins_path(path));
    if (!pins.has_value()) {
        return pins.error();
    }
    content->pins = std::move(*pins);
    return std::make_shared<const Policy>(std::move(*content));
}

}  // namespace pgveil::config
