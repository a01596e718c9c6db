#include "sql/catalog/lookup.hpp"

#include <set>

namespace pgveil::catalog {

namespace {

void append_element(std::string& into, std::string_view element) {
    into.append(into.size() > 1 ? ",\"" : "\"");
    for (const char letter : element) {
        if (letter == '"' || letter == '\\') {
            into.push_back('\\');
        }
        into.push_back(letter);
    }
    into.push_back('"');
}

std::string_view letter_of(RelationName::Kind kind) {
    switch (kind) {
        case RelationName::Kind::kRelation: return "r";
        case RelationName::Kind::kFunction: return "f";
        case RelationName::Kind::kFunctionBody: return "b";
        case RelationName::Kind::kEnum: return "e";
        case RelationName::Kind::kType: return "t";
        case RelationName::Kind::kTypeOid: return "o";
    }
    return "r";
}

}  // namespace

std::string schemas_parameter(std::span<const RelationName> names) {
    std::string result = "{";
    for (const RelationName& name : names) {
        append_element(result, name.schema);
    }
    return result + "}";
}

std::string names_parameter(std::span<const RelationName> names) {
    std::string result = "{";
    for (const RelationName& name : names) {
        append_element(result, name.name);
    }
    return result + "}";
}

std::string kinds_parameter(std::span<const RelationName> names) {
    std::string result = "{";
    for (const RelationName& name : names) {
        append_element(result, letter_of(name.kind));
    }
    return result + "}";
}

std::string protected_parameter(const config::Policy& policy) {
    std::set<std::string_view> last_names;
    for (const config::TablePolicy& table : policy.tables()) {
        last_names.insert(table.name);
    }
    std::string result = "{";
    for (const std::string_view name : last_names) {
        append_element(result, name);
    }
    return result + "}";
}

}  // namespace pgveil::catalog
