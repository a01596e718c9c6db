#include "sql/analysis/rules.hpp"

#include <array>

namespace pgveil::analysis {

namespace {

constexpr std::string_view kNeedsEquality =
    "declare the column with \"search\": \"equality\" in the policy, or select the rows by another "
    "column";
constexpr std::string_view kNeedsOrder =
    "declare the column with \"search\": \"order\" in the policy, or order, compare or aggregate "
    "in "
    "the application";
constexpr std::string_view kWholeValuesOnly =
    "only whole values can be stored, returned and (with \"search\": \"equality\") compared: "
    "compute in the application";

// clang-format off
constexpr std::array kRules = {
    Rule{Use::kMove,            "select list, RETURNING, sub-query column", true, true, ""},
    Rule{Use::kAssignConstant,  "INSERT or UPDATE with a constant, parameter, NULL or DEFAULT", true, true, ""},
    Rule{Use::kAssignColumn,    "INSERT or UPDATE with a column of the same context", true, true, ""},
    Rule{Use::kNullTest,        "IS NULL, IS NOT NULL", true, true, ""},
    Rule{Use::kCount,           "count(column)", true, true, ""},
    Rule{Use::kUnionAll,        "UNION ALL of one context", true, true, ""},
    Rule{Use::kChoice,          "result of CASE, COALESCE beside constants, parameters, NULL and columns of the same context", true, true, ""},
    Rule{Use::kEqual,           "= and <> with a constant, parameter or column of the same context", false, true, kNeedsEquality},
    Rule{Use::kIn,              "IN, NOT IN with a list", false, true, kNeedsEquality},
    Rule{Use::kDistinctFrom,    "IS [NOT] DISTINCT FROM", false, true, kNeedsEquality},
    Rule{Use::kInSubquery,      "IN, NOT IN, = ANY, <> ALL with a sub-query", false, true, kNeedsEquality},
    Rule{Use::kAnyArray,        "= ANY, <> ALL of an array parameter or of constants", false, true, kNeedsEquality},
    Rule{Use::kChoiceTest,      "NULLIF, CASE column WHEN", false, true, kNeedsEquality},
    Rule{Use::kUsing,           "JOIN ... USING, NATURAL JOIN", false, true, kNeedsEquality},
    Rule{Use::kGroupBy,         "GROUP BY", false, true, kNeedsEquality},
    Rule{Use::kDistinct,        "DISTINCT, DISTINCT ON", false, true, kNeedsEquality},
    Rule{Use::kCountDistinct,   "count(DISTINCT column)", false, true, kNeedsEquality},
    Rule{Use::kSetOperation,    "UNION, INTERSECT, EXCEPT of one context", false, true, kNeedsEquality},
    Rule{Use::kKey,             "PRIMARY KEY, UNIQUE", false, true, "equal values of a randomized column differ when stored, so the constraint would never hold; declare \"search\": \"equality\""},
    Rule{Use::kForeignKey,      "REFERENCES, FOREIGN KEY within one context", false, true, "declare both columns with \"search\": \"equality\" and the same \"context\" in the policy"},
    Rule{Use::kIndex,           "CREATE INDEX (plain column)", false, true, "an index over a randomized column would never be used"},
    Rule{Use::kOrderBy,         "ORDER BY", false, false, kNeedsOrder, true},
    Rule{Use::kRange,           "<, <=, >, >=, BETWEEN", false, false, kNeedsOrder, true},
    Rule{Use::kMinMax,          "MIN, MAX", false, false, kNeedsOrder, true},
    Rule{Use::kLike,            "LIKE, ILIKE, SIMILAR TO, regular expressions", false, false, "patterns cannot be matched on encrypted values: compare whole values with = or IN"},
    Rule{Use::kOperator,        "operators such as ||, +, ->", false, false, kWholeValuesOnly},
    Rule{Use::kFunction,        "functions and aggregates other than count", false, false, kWholeValuesOnly},
    Rule{Use::kCast,            "cast of the column to another type", false, false, "only a cast that keeps the value as it is can be done: select the column without a cast and convert in the application"},
    Rule{Use::kPredicate,       "a boolean column as condition", false, false, "write column = true (the column needs \"search\": \"equality\")"},
    Rule{Use::kGreatest,        "GREATEST, LEAST of columns of the same context, constants, parameters, NULL", false, false, kNeedsOrder, true},
    Rule{Use::kRow,             "row values other than in (a, b) = (x, y), (a, b) < (x, y) or (a, b) IN ((x, y), ...)", false, false, "compare the columns one by one with AND"},
    Rule{Use::kWholeRow,        "whole-row reference", false, false, "list the columns"},
    Rule{Use::kPartitionBy,     "OVER (PARTITION BY column)", false, true, kNeedsEquality},
    Rule{Use::kWindowOrder,     "OVER (ORDER BY column)", false, false, kNeedsOrder, true},
    Rule{Use::kWindow,          "window functions of the column other than MIN, MAX", false, false, "give window functions plain columns"},
    Rule{Use::kConstruct,       "any other expression", false, false, kWholeValuesOnly},
    Rule{Use::kSubquery,        "ARRAY(sub-query)", false, false, "select the column in a query of its own"},
    Rule{Use::kOnConflict,      "ON CONFLICT (column)", false, true, "no unique index can hold it: declare the column with \"search\": \"equality\" in the policy, or name other columns"},
    Rule{Use::kMultiAssignment, "SET (a, b) = anything but a row or a sub-query", false, false, "assign the columns one by one"},
    Rule{Use::kSubfield,        "assignment to a field or array element", false, false, "assign the whole value"},
    Rule{Use::kDefault,         "DEFAULT other than a constant in a table definition", false, false, "let the application send the value"},
    Rule{Use::kCheck,           "CHECK", false, false, "the database cannot look into encrypted values: check in the application"},
    Rule{Use::kGenerated,       "GENERATED, IDENTITY, serial", false, false, "the database cannot make encrypted values: let the application send them"},
    Rule{Use::kCollate,         "COLLATE, STORAGE, COMPRESSION in a table definition", false, false, "leave the clause out: the stored value is bytea"},
    Rule{Use::kPartitionHash,   "PARTITION BY HASH (column)", false, true, "declare the column with \"search\": \"equality\" in the policy, or partition by a plain column"},
    Rule{Use::kPartitionList,   "PARTITION BY LIST (column)", false, true, "declare the column with \"search\": \"equality\" in the policy, or partition by a plain column"},
    Rule{Use::kPartitionRange,  "PARTITION BY RANGE (column)", false, false, "declare the column with \"search\": \"order\" in the policy, or partition by a plain column", true},
    Rule{Use::kPartitionKey,    "PARTITION BY an expression, with COLLATE or an operator class, or a column with bind_to", false, false, "partition by a plain column"},
};

// clang-format on

constexpr bool is_in_order() {
    for (std::size_t i = 0; i < kRules.size(); ++i) {
        if (static_cast<std::size_t>(kRules.at(i).use) != i) {
            return false;
        }
    }
    return kRules.size() == static_cast<std::size_t>(Use::kPartitionKey) + 1;
}

static_assert(is_in_order(), "one rule per use, in the order of the enumeration");

}  // namespace

std::span<const Rule> rules() {
    return kRules;
}

const Rule& rule_of(Use use) {
    return kRules.at(static_cast<std::size_t>(use));
}

bool allows(const Rule& rule, config::Scheme scheme) {
    switch (scheme) {
        case config::Scheme::kRandomized:
        case config::Scheme::kPadded: return rule.randomized;
        case config::Scheme::kEquality: return rule.equality;
        case config::Scheme::kOrder: return rule.equality || rule.order_alone;
    }
    return false;
}

std::string rule_table_markdown() {
    const auto word = [](bool allowed) {
        return allowed ? "yes" : "refused";
    };
    std::string table =
        "| use of a protected column | randomized | equality | order | instead |\n"
        "|---|---|---|---|---|\n";
    for (const Rule& rule : kRules) {
        std::string construct(rule.construct);
        for (std::size_t at = construct.find('|'); at != std::string::npos;
             at = construct.find('|', at + 2)) {
            construct.insert(at, "\\");
        }
        table += "| " + construct + " | " + word(rule.randomized) + " | " + word(rule.equality) +
                 " | " + word(allows(rule, config::Scheme::kOrder)) + " | " +
                 std::string(rule.hint) + " |\n";
    }
    return table;
}

}  // namespace pgveil::analysis
