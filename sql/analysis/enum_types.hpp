#pragma once

#include "sql/analysis/analyzer.hpp"
#include "sql/parse/expression.hpp"
#include "sql/types/type.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace pgveil::analysis {

/// The enums of the policy as the session's database knows them. One object per analyze() call.
class EnumTypes {
public:
    /// Answers what the catalog says about a name; null: not looked up yet, to be reported.
    using LookUp = std::function<const catalog::Entry*(const catalog::RelationName&)>;

    EnumTypes(const config::Policy& policy, LookUp look_up)
        : policy_(policy), look_up_(std::move(look_up)) {}

    /// `kind` with the OIDs that it has in the session; any other kind than an enum's as it is.
    /// nullopt: the database has no such type, or it is not looked up yet.
    std::optional<types::Kind> known(types::Kind kind);

    /// The column with its type as known() has it; null: nullopt there.
    ColumnPtr known(const ColumnPtr& column);

    /// The enum that `names` means in the session; nullopt: none of the policy.
    std::optional<types::Kind> named(const parse::Names& names);

    /// The kind with this OID, an enum's only if known() has told it before.
    std::optional<types::Kind> kind_of_oid(std::uint32_t oid) const;

private:
    std::optional<types::Kind> found(types::Kind kind, const catalog::EnumType& type);

    const config::Policy& policy_;
    LookUp look_up_;
    std::vector<types::Kind> found_;
};

}  // namespace pgveil::analysis
