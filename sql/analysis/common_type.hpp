#pragma once

#include "sql/analysis/constants.hpp"
#include "sql/analysis/value.hpp"
#include "sql/types/type.hpp"

#include <optional>
#include <vector>

namespace pgveil::analysis {

class Draft;

/// text and varchar, which hold the same values but for the length.
bool is_text(types::Kind kind);

/// The bytes of a value are the same in both types.
bool same_bytes(types::Kind one, types::Kind other);

/// The type that an expression brings into CASE, COALESCE or VALUES.
struct ArmType {
    bool is_declared = false;         // false: an untyped literal or parameter, NULL
    std::optional<types::Type> type;  // empty: untyped, or none of ours
};

ArmType arm_type_of(const BareConstant& bare, const Draft& draft);
ArmType arm_type_of(const Value& value, const Draft& draft);

/// The type PostgreSQL gives the whole (documentation section 10.5), for arms in its order: ELSE
/// stands before all others. With a length only if all arms have the same. Nullopt: an error of
/// PostgreSQL's, or a type that is none of ours.
std::optional<types::Type> common_type(const std::vector<ArmType>& arms);

}  // namespace pgveil::analysis
