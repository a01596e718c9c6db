#include "sql/analysis/scope.hpp"

#include <algorithm>
#include <array>

namespace pgveil::analysis {

namespace {

constexpr std::array<std::string_view, 6> kSystemColumns = {
    "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"};

Resolution unresolved(Unresolved why) {
    Resolution result;
    result.error = std::move(why);
    return result;
}

Resolution unresolved(std::string sqlstate, std::string message) {
    return unresolved(Unresolved{std::move(sqlstate), std::move(message)});
}

/// PostgreSQL 18 knows these in RETURNING, where nothing else has the name.
bool is_row_version(std::string_view name) {
    return name == "old" || name == "new";
}

Resolution ambiguous(const std::string& name) {
    return unresolved("42702", "column reference \"" + name + "\" is ambiguous");
}

Resolution found(const Value& value) {
    Resolution result;
    result.value = value;
    return result;
}

/// A column whose name only the server can tell.
bool has_nameless(const NamedValues& columns) {
    return std::any_of(columns.begin(), columns.end(), [](const NamedValue& column) {
        return column.name.empty();
    });
}

Resolution nameless(const std::string& name) {
    return unresolved(
        "0A000", "column \"" + name + "\" may be an expression without a name: name it with AS"
    );
}

/// Finds a range by its alias, or by schema and name, from the innermost level outwards.
const Range* find_range(const Scope& scope, std::string_view schema, std::string_view alias) {
    for (const Scope* level = &scope; level != nullptr; level = level->outer) {
        for (const Range& range : level->ranges) {
            if (range.alias == alias && (schema.empty() || range.schema == schema)) {
                return &range;
            }
        }
    }
    return nullptr;
}

Resolution whole_row(const Range& range) {
    Resolution result;
    result.is_whole_row = true;
    result.row = &range.columns;
    for (const NamedValue& column : range.columns) {
        if (column.value.column != nullptr) {
            result.value = column.value;
            break;
        }
    }
    return result;
}

Resolution resolve_in(const Range& range, const std::string& name) {
    const NamedValue* match = nullptr;
    for (const NamedValue& column : range.columns) {
        if (column.name == name) {
            if (match != nullptr) {
                return ambiguous(name);
            }
            match = &column;
        }
    }
    if (match != nullptr) {
        return found(match->value);
    }
    if (range.is_opaque || is_system_column(name)) {
        return found({});
    }
    if (has_nameless(range.columns)) {
        return nameless(name);
    }
    return unresolved("42703", "column " + range.alias + "." + name + " does not exist");
}

/// One level's answer for an unqualified name; no answer: go on outside.
std::optional<Resolution> resolve_at(const Scope& level, const std::string& name) {
    const NamedValue* match = nullptr;
    for (const NamedValue& column : level.visible) {
        if (column.name == name) {
            if (match != nullptr) {
                return ambiguous(name);
            }
            match = &column;
        }
    }
    if (match != nullptr) {
        return found(match->value);
    }
    return std::nullopt;
}

Resolution resolve_unqualified(const std::string& name, const Scope& scope) {
    bool passed_opaque = false;
    bool passed_nameless = false;
    for (const Scope* level = &scope; level != nullptr; level = level->outer) {
        auto here = resolve_at(*level, name);
        if (here && passed_opaque && here->value.column != nullptr) {
            // It may as well be a column of the function in between.
            return unresolved("0A000", "column reference \"" + name + "\" must be qualified here");
        }
        if (here) {
            return *here;
        }
        passed_opaque = passed_opaque || level->is_opaque;
        passed_nameless = passed_nameless || has_nameless(level->visible);
    }
    if (const Range* const range = find_range(scope, {}, name)) {
        return whole_row(*range);
    }
    if (is_row_version(name)) {
        return unresolved(missing_range(name));
    }
    if (passed_opaque || is_system_column(name)) {
        return found({});
    }
    return passed_nameless ? nameless(name)
                           : unresolved("42703", "column \"" + name + "\" does not exist");
}

}  // namespace

Unresolved missing_range(const std::string& alias) {
    if (is_row_version(alias)) {
        return {
            "0A000",
            "\"" + alias + "\" of RETURNING is not possible with encrypted columns; " +
                "write the column's name alone, which is its new value (of DELETE: the old one)"};
    }
    return {"42P01", "missing FROM-clause entry for table \"" + alias + "\""};
}

const NamedValue* find_named(const NamedValues& columns, const std::string& name) {
    const auto found =
        std::find_if(columns.begin(), columns.end(), [&name](const NamedValue& column) {
            return column.name == name;
        });
    return found == columns.end() ? nullptr : &*found;
}

Scope lateral_view(const Scope& scope) {
    Scope view = scope;
    view.siblings = nullptr;
    for (const Scope* next = scope.siblings; next != nullptr; next = next->siblings) {
        view.ranges.insert(view.ranges.end(), next->ranges.begin(), next->ranges.end());
        view.visible.insert(view.visible.end(), next->visible.begin(), next->visible.end());
        view.is_opaque = view.is_opaque || next->is_opaque;
    }
    return view;
}

bool is_system_column(std::string_view name) {
    return std::find(kSystemColumns.begin(), kSystemColumns.end(), name) != kSystemColumns.end();
}

Resolution resolve(const parse::ColumnReference& reference, const Scope& scope) {
    const auto& parts = reference.parts;
    switch (parts.size()) {
        case 1: return resolve_unqualified(parts[0], scope);
        case 2:
        case 3: {
            const std::string& alias = parts[parts.size() - 2];
            const Range* const range =
                find_range(scope, parts.size() == 3 ? parts[0] : std::string_view(), alias);
            if (range == nullptr) {
                return unresolved(missing_range(alias));
            }
            return resolve_in(*range, parts.back());
        }
        default:
            return unresolved("0A000", "a column name with a database in front is not supported");
    }
}

std::optional<StarExpansion> expand_star(
    const parse::ColumnReference& reference, const Scope& scope
) {
    const auto& parts = reference.parts;
    if (parts.empty()) {
        return StarExpansion{&scope.visible, scope.is_opaque};
    }
    const std::string_view schema =
        parts.size() == 2 ? std::string_view(parts[0]) : std::string_view();
    const Range* const range = parts.size() > 2 ? nullptr : find_range(scope, schema, parts.back());
    if (range == nullptr) {
        return std::nullopt;
    }
    return StarExpansion{&range->columns, range->is_opaque};
}

}  // namespace pgveil::analysis
