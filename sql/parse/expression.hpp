#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

// Our own syntax tree: what analysis needs to know about a statement, nothing of libpg_query.
// Names are decoded (quotes removed, unquoted ones folded to lower case). `begin` is a byte offset
// into the text, or kNowhere. What we do not model is an Unknown node carrying its kind, so that it
// is refused wherever it matters. Trees are at most kDepthMax deep, so recursion over them is safe.
namespace pgveil::parse {

inline constexpr std::uint32_t kNowhere = UINT32_MAX;
inline constexpr std::size_t kDepthMax = 400;
inline constexpr std::size_t kNodesMax = 400'000;

struct Expression;
struct Select;
struct Statement;
using ExpressionPtr = std::unique_ptr<Expression>;
using Expressions = std::vector<ExpressionPtr>;
using Names = std::vector<std::string>;

/// A type as written: `varchar(10)[]` is {pg_catalog.varchar}, {10}, array.
struct TypeName {
    Names names;
    std::vector<std::int32_t> typmods;
    bool is_array = false;
    /// Anything else: SETOF, %TYPE, a modifier that is no integer.
    bool is_odd = false;
    std::uint32_t begin = kNowhere;
};

struct Constant {
    enum class Kind { kNull, kInteger, kDecimal, kBool, kString, kBitString };
    Kind kind = Kind::kNull;
    std::string text;  // decoded; digits of numbers with their sign; "true" or "false"
};

struct Parameter {
    std::uint32_t number = 0;
};

/// `a.b`, `t.*`, `*`. A star is not among the parts.
struct ColumnReference {
    Names parts;
    bool star = false;
};

/// Operators and their keyword kin. operands: left (absent for prefix operators), then the right
/// side; for kIn, kNotIn the list's items; for the BETWEENs both bounds.
struct Operation {
    enum class Kind {
        kOperator,
        kAnyArray,
        kAllArray,
        kDistinct,
        kNotDistinct,
        kNullIf,
        kIn,
        kNotIn,
        kLike,
        kBetween,
    };
    Kind kind = Kind::kOperator;
    std::string name;           // "=", "LIKE", "BETWEEN", ...
    bool is_qualified = false;  // OPERATOR(schema.=)
    Expressions operands;
};

struct Logical {
    enum class Kind { kAnd, kOr, kNot };
    Kind kind = Kind::kAnd;
    Expressions operands;
};

struct NullTest {
    ExpressionPtr operand;
};

/// OVER (...) or an item of WINDOW.
struct Window {
    Expressions partition_by;
    Expressions order_by;
    Expressions offsets;            // of the frame
    bool has_range_offset = false;  // RANGE BETWEEN x PRECEDING ...
};

/// A function or aggregate call with all its clauses.
struct Call {
    Names name;
    Expressions arguments;
    bool star = false;      // count(*)
    bool distinct = false;  // count(DISTINCT x)
    bool has_over = false;
    Expressions order_by;  // of an aggregate's arguments
    Expressions clauses;   // FILTER; ORDER BY of WITHIN GROUP
    Window over;
};

struct Cast {
    ExpressionPtr operand;
    TypeName type;
    std::uint32_t position = kNowhere;  // of `::` or CAST; kNowhere for `type 'literal'`
};

struct SubQuery {
    enum class Kind { kExists, kAny, kAll, kScalar, kArray, kMultiAssign };
    Kind kind = Kind::kScalar;
    ExpressionPtr test;         // left side of kAny, kAll
    std::string operator_name;  // of kAny, kAll; "=" for IN
    std::unique_ptr<Select> query;
};

/// DEFAULT in VALUES or SET.
struct Default {};

/// One column of `(a, b) = source`.
struct MultiAssignment {
    ExpressionPtr source;      // of the first column only
    std::uint32_t column = 0;  // 1-based
};

/// CASE. tests[i] is the condition of results[i], or what `tested` is compared with.
struct Case {
    ExpressionPtr tested;  // CASE x WHEN ...; null: CASE WHEN ...
    Expressions tests;
    Expressions results;
    ExpressionPtr otherwise;  // null: no ELSE
};

/// A modelled construct by its name: COALESCE, ROW, ARRAY, ...
struct Construct {
    std::string name;
    Expressions parts;
};

struct Unknown {
    std::string kind;  // PostgreSQL's node name
};

struct Expression {
    std::uint32_t begin = kNowhere;
    std::variant<
        Unknown,
        Constant,
        Parameter,
        ColumnReference,
        Operation,
        Logical,
        NullTest,
        Call,
        Cast,
        SubQuery,
        Default,
        MultiAssignment,
        Case,
        Construct>
        node;
};

}  // namespace pgveil::parse
