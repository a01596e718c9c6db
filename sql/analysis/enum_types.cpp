#include "sql/analysis/enum_types.hpp"

#include "sql/types/enum_type.hpp"

#include <algorithm>

namespace pgveil::analysis {

namespace {

using Lookup = catalog::RelationName;

}  // namespace

std::optional<types::Kind> EnumTypes::known(types::Kind kind) {
    if (!types::is_enum(kind)) {
        return kind;
    }
    const types::EnumDefinition& definition = types::enum_definition_of(kind);
    const auto* const entry = look_up_({definition.schema, definition.name, Lookup::Kind::kEnum});
    return entry != nullptr && entry->enum_type ? found(kind, *entry->enum_type) : std::nullopt;
}

ColumnPtr EnumTypes::known(const ColumnPtr& column) {
    const auto kind = known(column->type.kind);
    if (!kind || *kind == column->type.kind) {
        return kind ? column : nullptr;
    }
    auto found = std::make_shared<field::ProtectedColumn>(*column);
    found->type.kind = *kind;
    return found;
}

std::optional<types::Kind> EnumTypes::named(const parse::Names& names) {
    for (const types::Kind kind : policy_.enums()) {
        const types::EnumDefinition& definition = types::enum_definition_of(kind);
        if (names.empty() || names.size() > 2 || names.back() != definition.name) {
            continue;
        }
        if (names.size() == 2) {
            if (names.front() == definition.schema) {
                return known(kind);
            }
            continue;
        }
        const auto* const entry = look_up_({"", definition.name, Lookup::Kind::kEnum});
        const bool is_it =
            entry != nullptr && entry->enum_type && entry->enum_type->schema == definition.schema;
        if (is_it) {
            return found(kind, *entry->enum_type);
        }
    }
    return std::nullopt;
}

std::optional<types::Kind> EnumTypes::kind_of_oid(std::uint32_t oid) const {
    for (const types::Kind kind : found_) {
        if (oid != 0 && (oid == types::oid_of(kind) || oid == types::array_oid_of(kind))) {
            return oid == types::oid_of(kind) ? kind : types::array_of(kind);
        }
    }
    const auto kind = types::kind_of_oid(oid);
    return kind ? std::optional(*kind) : std::nullopt;
}

std::optional<types::Kind> EnumTypes::found(types::Kind kind, const catalog::EnumType& type) {
    const auto known = types::enum_kind(
        types::enum_definition_of(kind), {type.oid, type.array_oid, type.shown_name}
    );
    if (!known) {
        return std::nullopt;
    }
    if (std::ranges::find(found_, *known) == found_.end()) {
        found_.push_back(*known);
    }
    return types::is_array(kind) ? types::array_of(*known) : *known;
}

}  // namespace pgveil::analysis
