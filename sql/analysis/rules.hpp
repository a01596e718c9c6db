#pragma once

#include "config/policy.hpp"

#include <span>
#include <string>
#include <string_view>

// The one table that says what may be done with a protected column. docs/SQL.md shows it.
namespace pgveil::analysis {

/// Every use a statement can make of a protected column. The order is the order of the table.
enum class Use {
    kMove,
    kAssignConstant,
    kAssignColumn,
    kNullTest,
    kCount,
    kUnionAll,
    kChoice,
    kEqual,
    kIn,
    kDistinctFrom,
    kInSubquery,
    kAnyArray,
    kChoiceTest,
    kUsing,
    kGroupBy,
    kDistinct,
    kCountDistinct,
    kSetOperation,
    kKey,
    kForeignKey,
    kIndex,
    kOrderBy,
    kRange,
    kMinMax,
    kLike,
    kOperator,
    kFunction,
    kCast,
    kPredicate,
    kGreatest,
    kRow,
    kWholeRow,
    kPartitionBy,
    kWindowOrder,
    kWindow,
    kConstruct,
    kSubquery,
    kOnConflict,
    kMultiAssignment,
    kSubfield,
    kDefault,
    kCheck,
    kGenerated,
    kCollate,
    kPartitionHash,
    kPartitionList,
    kPartitionRange,
    kPartitionKey,
};

/// One row: the SQL as a person writes it, what each scheme allows, and the way out when refused.
/// Order allows what equality allows, and more.
struct Rule {
    Use use;
    std::string_view construct;
    bool randomized;
    bool equality;
    std::string_view hint;
    bool order_alone = false;
};

/// All rules, one per Use, in the order of the enumeration.
std::span<const Rule> rules();
const Rule& rule_of(Use use);
bool allows(const Rule& rule, config::Scheme scheme);

/// The table in Markdown, as docs/SQL.md holds it.
std::string rule_table_markdown();

}  // namespace pgveil::analysis
