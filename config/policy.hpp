#pragma once

#include "config/error.hpp"
#include "sql/types/type.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::config {

/// How a column is sealed. The numbers are the scheme byte of the envelope. Padded is randomized
/// with the length hidden (`pad_to`). Order is equality with the order shown.
enum class Scheme : std::uint8_t { kRandomized = 1, kEquality = 2, kOrder = 3, kPadded = 4 };

/// "randomized", "equality", "order", "padded": the word in key derivation and associated data.
std::string_view name_of(Scheme scheme);

/// One protected column as the policy states it.
struct ColumnPolicy {
    std::string name;
    types::Type type;
    Scheme scheme = Scheme::kRandomized;
    std::string group = "default";
    /// The explicit context, or empty: then it is the qualified name (see default_context).
    std::string context;
    /// Values are padded to multiples of so many bytes; 0 unless the scheme is kPadded.
    std::uint32_t pad_to = 0;
    /// Values may have so many bytes; 0 unless the scheme is kOrder and types::takes_order_bytes().
    std::uint32_t order_bytes = 0;
    /// Plain columns of the same table that identify the row: a value opens beside these only.
    std::vector<std::string> bind_to;
    /// `on_missing_key` is "null": who lacks the group gets NULL instead of an error.
    bool is_null_without_key = false;
    /// Texts that are planted in rows which no honest query asks for: opening one raises an alarm.
    std::vector<std::string> poison;
    /// JSON pointer of the entry, for messages: "/tables/public.patients/columns/ssn".
    std::string pointer;

    friend bool operator==(const ColumnPolicy&, const ColumnPolicy&) = default;
};

/// One protected table. `schema` is "*" if the entry stands for the table in every schema.
struct TablePolicy {
    std::string schema;
    std::string name;
    std::vector<ColumnPolicy> columns;  // in name order

    /// Null if the column is plain.
    const ColumnPolicy* column(std::string_view column_name) const;

    friend bool operator==(const TablePolicy&, const TablePolicy&) = default;
};

/// Schema and name of a relation, decoded (no quotes).
struct PolicyName {
    std::string schema;
    std::string name;

    friend auto operator<=>(const PolicyName&, const PolicyName&) = default;
};

/// A function of the database that returns values as they are stored in a protected table.
struct FunctionPolicy {
    PolicyName name;
    PolicyName table;
    /// The protected column whose values it returns; empty: it returns rows of the table.
    std::string column;

    friend bool operator==(const FunctionPolicy&, const FunctionPolicy&) = default;
};

/// The shapes (catalog::shape_of) that a table, or a view over one, may have; one without entry may
/// have any.
using Pins = std::map<PolicyName, std::set<std::string>>;

/// A shape of a view or materialized view.
bool is_view_shape(std::string_view shape);

/// A value of a protected column also stands in an unprotected place of the same statement.
enum class RepeatedValues { kRefuse, kCount };

/// What parse_policy hands to Policy. Everything in it has been checked.
struct PolicyContent {
    std::vector<TablePolicy> tables;
    /// See types::enum_definition_of(); no database has told their OIDs.
    std::vector<types::Kind> enums;
    std::vector<PolicyName> plain;
    std::vector<FunctionPolicy> functions;
    std::vector<std::string> search_path = {"public"};
    std::vector<std::string> databases;
    RepeatedValues repeated_values = RepeatedValues::kRefuse;
    Pins pins;

    friend bool operator==(const PolicyContent&, const PolicyContent&) = default;
};

/// Which columns are protected and how. Immutable: hold it by shared_ptr<const Policy>; a reload
/// that finds another one makes a new one. Thread-safe. All names are exact names, as they stand in
/// pg_class.
class Policy {
public:
    explicit Policy(PolicyContent content);

    /// The entry for `schema.table`: the exact one, else the one for "*". Null if plain.
    /// A relation in the `plain` list has none.
    const TablePolicy* find(std::string_view schema, std::string_view table) const;

    /// True if some entry has this last name, in whatever schema: then a relation of that name
    /// that find() does not know must be refused, unless is_listed_plain().
    bool is_protected_name(std::string_view last_name) const;

    /// True if the policy says that this relation is plain although its name is protected.
    bool is_listed_plain(std::string_view schema, std::string_view name) const;

    /// What the policy says that a function returns; null: nothing, then one that sees protected
    /// values must be refused.
    const FunctionPolicy* function(std::string_view schema, std::string_view name) const;

    /// The functions listed under "functions".
    const std::vector<FunctionPolicy>& functions() const { return content_.functions; }

    /// The shapes that `pgveil check --pin` wrote down for a table; null: it is not pinned.
    const std::set<std::string>* pinned_shapes(const std::string& schema, const std::string& table)
        const;

    /// True if a view or materialized view of this last name is pinned, in whatever schema: then a
    /// relation of that name that has no pin must be refused, unless is_listed_plain().
    bool is_pinned_view_name(std::string_view last_name) const;

    /// The relations listed under "plain".
    const std::vector<PolicyName>& plain() const { return content_.plain; }

    /// The databases the policy is for; empty: all.
    const std::vector<std::string>& databases() const { return content_.databases; }

    /// True if the policy protects tables of this database (all of them by default).
    bool covers_database(std::string_view database) const;

    const std::vector<TablePolicy>& tables() const { return content_.tables; }

    /// The enums whose labels the policy lists.
    const std::vector<types::Kind>& enums() const { return content_.enums; }

    /// The search_path that may be trusted to resolve unqualified names.
    const std::vector<std::string>& search_path() const { return content_.search_path; }

    /// Key groups that occur, sorted, each once.
    std::vector<std::string> groups() const;

    /// Different for every Policy object of this process: the key of caches.
    std::uint64_t epoch() const { return epoch_; }

    bool is_empty() const { return content_.tables.empty(); }

    /// Whatever was decided by the one holds by the other.
    bool is_same_as(const Policy& other) const { return content_ == other.content_; }

    RepeatedValues repeated_values() const { return content_.repeated_values; }

private:
    PolicyContent content_;
    std::map<PolicyName, std::size_t> by_name_;
    std::set<std::string, std::less<>> protected_names_;
    std::set<std::string, std::less<>> pinned_views_;
    std::set<PolicyName> plain_;
    std::uint64_t epoch_;
};

/// The context of a column without an explicit one: schema.table.column, where a part that is not
/// [a-z_][a-z0-9_$]* stands in double quotes (inner quotes doubled), so that no two columns share
/// it.
std::string default_context(
    std::string_view schema, std::string_view table, std::string_view column
);

/// Reads a policy (JSON with comments). `file` only names it in the error. Unknown and duplicate
/// keys, features that are not available yet, and contradictions are errors of one line.
Result<std::shared_ptr<const Policy>> parse_policy(std::string_view file, std::string_view text);

/// parse_policy on the content of a file, with the pins that stand beside it (pins.hpp).
Result<std::shared_ptr<const Policy>> load_policy(const std::string& path);

}  // namespace pgveil::config
