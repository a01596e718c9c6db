#pragma once

#include "sql/analysis/value.hpp"
#include "sql/parse/ast.hpp"
#include "sql/types/type.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace pgveil::analysis {

/// A constant or parameter with the casts around it, innermost first.
struct BareConstant {
    const parse::Constant* constant = nullptr;
    const parse::Parameter* parameter = nullptr;
    std::uint32_t begin = parse::kNowhere;
    std::vector<const parse::Cast*> casts;
    /// What happens to the value outside of these; empty unless it came from an Adaptable.
    std::vector<Conversion> conversions = {};
    /// Adaptable::open_kind.
    std::optional<types::Kind> open_kind = {};
};

/// Takes casts off; nullopt if something else is inside.
std::optional<BareConstant> bare_constant(const parse::Expression& expression);

std::optional<BareConstant> bare_constant(const Adaptable& adaptable);

/// The text of a string constant (casts to text types around it are allowed), else nullopt.
/// Borrowed from the tree.
std::optional<std::string_view> string_of(const parse::Expression& expression);

bool is_null_constant(const parse::Expression& expression);

class Draft;

/// Which type PostgreSQL gives the untyped parameters of `column IN (...)`, if not the one that a
/// comparison with a single value gives (transformAExprIn: from two items without columns on, all
/// are read in the common type of them and the column).
std::optional<types::Kind> open_kind_of_list(
    const parse::Operation& list, const types::Type& column
);

/// True if PostgreSQL reads the untyped ones of these list items as values of `column`: no other
/// item declares a type that would win. Items that are no constants or parameters do not matter.
bool is_read_as_column(
    const std::vector<const parse::Expression*>& items,
    const types::Type& column,
    const Draft& draft
);

}  // namespace pgveil::analysis
