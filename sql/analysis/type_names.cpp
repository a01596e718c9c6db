#include "sql/analysis/type_names.hpp"

namespace pgveil::analysis {

namespace {

std::string with_modifiers(std::string text, const parse::TypeName& name) {
    if (!name.typmods.empty()) {
        text += "(";
        for (std::size_t i = 0; i < name.typmods.size(); ++i) {
            text += (i == 0 ? "" : ",") + std::to_string(name.typmods[i]);
        }
        text += ")";
    }
    return text;
}

}  // namespace

std::optional<types::Type> type_of(const parse::TypeName& name) {
    if (name.is_odd || name.names.empty() || name.names.size() > 2) {
        return std::nullopt;
    }
    if (name.names.size() == 2 && name.names.front() != "pg_catalog") {
        return std::nullopt;
    }
    // The parser has spelled out `int`, `character varying`, ... by their pg_type names.
    const auto type = types::type_of_catalog_name(name.names.back(), name.typmods);
    if (!type) {
        return std::nullopt;
    }
    return name.is_array ? types::Type{types::array_of(type->kind), type->typmod} : *type;
}

std::optional<types::Type> type_of(const parse::TypeName& name, EnumTypes& enums) {
    const auto type = type_of(name);
    if (type || name.is_odd || !name.typmods.empty()) {
        return type;
    }
    const auto kind = enums.named(name.names);
    if (!kind) {
        return std::nullopt;
    }
    return types::Type{name.is_array ? types::array_of(*kind) : *kind, -1};
}

std::optional<types::Type> element_type_of(const parse::TypeName& name, EnumTypes& enums) {
    parse::TypeName element = name;
    element.is_array = false;
    return name.is_array ? type_of(element, enums) : std::nullopt;
}

std::string display(const parse::TypeName& name) {
    std::string text;
    for (const std::string& part : name.names) {
        if (part != "pg_catalog") {
            text += (text.empty() ? "" : ".") + part;
        }
    }
    return with_modifiers(text, name) + (name.is_array ? "[]" : "");
}

}  // namespace pgveil::analysis
