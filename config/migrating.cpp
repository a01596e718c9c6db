#include "config/migrating.hpp"

#include "config/policy_name.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::config {

namespace {

constexpr std::size_t kNameSizeMax = 63;  // NAMEDATALEN - 1

const TablePolicy* entry_named(const PolicyContent& content, const PolicyName& name) {
    const auto found =
        std::find_if(content.tables.begin(), content.tables.end(), [&name](const auto& table) {
            return table.schema == name.schema && table.name == name.name;
        });
    return found == content.tables.end() ? nullptr : &*found;
}

}  // namespace

bool is_migrating(const Policy& policy, std::string_view schema, std::string_view table) {
    return policy.find(schema, std::string(table) + std::string(kVeiledSuffix)) != nullptr;
}

Result<std::vector<PolicyName>> read_migrating(
    std::string_view file, const Json& document, const PolicyContent& content
) {
    for (const TablePolicy& table : content.tables) {
        if (table.name.ends_with(kVeiledSuffix)) {
            return error_at(
                file,
                pointer_to("/tables", table.schema + "." + table.name),
                "ends in __veiled, which `pgveil migrate` needs for tables of its own; give the "
                "table another name"
            );
        }
    }
    std::vector<PolicyName> tables;
    const Json listed = document.value("migrating", Json::array());
    for (std::size_t index = 0; index < listed.size(); ++index) {
        const std::string pointer = pointer_to("/migrating", std::to_string(index));
        ParsedName parsed = parse_name(listed[index].get<std::string>());
        if (!parsed.problem.empty() || parsed.parts.size() != 2) {
            return error_at(
                file, pointer, parsed.problem.empty() ? "is not schema.table" : parsed.problem
            );
        }
        PolicyName name{std::move(parsed.parts[0]), std::move(parsed.parts[1])};
        if (entry_named(content, name) == nullptr) {
            return error_at(
                file,
                pointer,
                "has no entry of its own under /tables, schema and name as here; add one that says "
                "which columns are to be encrypted"
            );
        }
        if (name.name.size() + kVeiledSuffix.size() > kNameSizeMax) {
            return error_at(
                file, pointer, "is too long a name: 55 bytes at most; rename the table"
            );
        }
        tables.push_back(std::move(name));
    }
    return tables;
}

void add_veiled_tables(const std::vector<PolicyName>& tables, PolicyContent& content) {
    for (const PolicyName& name : tables) {
        TablePolicy veiled = *entry_named(content, name);
        for (ColumnPolicy& column : veiled.columns) {
            if (column.context.empty()) {
                column.context = default_context(name.schema, name.name, column.name);
            }
        }
        veiled.name += kVeiledSuffix;
        content.tables.push_back(std::move(veiled));
    }
}

}  // namespace pgveil::config
