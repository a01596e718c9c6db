#pragma once

#include "sql/analysis/enum_types.hpp"
#include "sql/parse/ast.hpp"
#include "sql/types/type.hpp"

#include <optional>
#include <string>

namespace pgveil::analysis {

/// The logical type that `name` spells; nullopt if it is none of ours (or an array, serial, ...).
std::optional<types::Type> type_of(const parse::TypeName& name);

/// The same, or an enum of the policy.
std::optional<types::Type> type_of(const parse::TypeName& name, EnumTypes& enums);

/// The type of the elements of an array type; nullopt for any other, else as type_of().
std::optional<types::Type> element_type_of(const parse::TypeName& name, EnumTypes& enums);

/// The type as a person wrote it, for messages.
std::string display(const parse::TypeName& name);

}  // namespace pgveil::analysis
