#pragma once

#include "config/policy.hpp"
#include "sql/catalog/catalog.hpp"

#include <boost/system/result.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The query that fills a Catalog. It is injected into the client's own server session, because
// only there temporary tables, search_path and the open transaction are what they are.
namespace pgveil::catalog {

struct Error {
    std::string message;
};

template <class T>
using Result = boost::system::result<T, Error>;

/// The text to Parse, without a terminating semicolon. It reads only pg_catalog, every name in it
/// is schema-qualified, and any role may run it. Four parameters, all of type text[] (OID 1009),
/// all in text format:
///   $1  schemas of the names to resolve, empty where unqualified: schemas_parameter()
///   $2  the names: names_parameter()
///   $3  last names of protected relations: protected_parameter()
///   $4  what each name names, r (relation), f (functions), b (their bodies), e (enum),
///   t (type) or o (type, by its OID): kinds_parameter()
/// Ask for text results. One row per name and column, names in order of $2, columns in attnum
/// order; a name without columns or without a relation has exactly one row, but one per Routine
/// where there are any. Cells:
///    0 ordinal   1-based position of the name in $2
///    1 current_schema (may be NULL)
///    2 oid       NULL: the name resolves to nothing, and all later cells are NULL
///    3 schema    4 name    5 relkind    6 over_protected (t/f)   7 has_bytewise_text (t/f)
///    8 attnum    NULL: no columns, later cells NULL
///    9 column name   10 type oid   11 typmod   12 format_type   13 is_ciphertext (t/f)
///   14 not null     15 has default     16 generated or identity   17 generated
///   18 schema of a Routine (NULL: none, and the last is NULL, too)   19 its Reason: u, t, v or s
///   20 text of a view, in the first of its rows
///   21 Relation::ancestors, each as "schema"."name" with inner quotes doubled, blanks between
///      (NULL: none)
///   22 key of a partitioned table
///   23 unique keys of a table: `1 2,3` are (1, 2) and (3); NULL: none
///   24 oid of an enum (NULL: none, and the three behind it are NULL, too)   25 oid of its array
///   type   26 its schema   27 its format_type
///   28 hash of a view's query   29 is_intercepted (t/f): in the first of its rows
///   30 HeldRows::is_veiled (t/f) of a type; NULL: no such type   31 HeldRows::relations, as in 21
///   32 what viewpoint_query() answers   33 key id of a column (Column::data_key); NULL: none
/// What functions see, and what types hold, is asked for only if a name wants it: it takes the
/// server longer to plan.
std::string lookup_query(std::span<const RelationName> names);

/// Whether brief_lookup_query() can be asked about these: relations all.
bool has_brief_lookup(std::span<const RelationName> names);

/// The same for what takes the server a third of the time to plan: tables without parents, children
/// and rules, whose columns have PostgreSQL's own types or are pgveil.ciphertext. Parameters and
/// cells are those of lookup_query(); of another relation cell 6, or 13 of a column, is NULL, and
/// nothing is said of it. Cell 33 may be empty, or have several key ids in it, with blanks between.
std::string brief_lookup_query(std::span<const RelationName> names);

/// Another query, without parameters: one row with one cell. Where two sessions of one database get
/// the same, lookup_query() tells both the same about relations, but for texts that the server
/// prints (view_text, partition_key): it names the server and its start, search_path as resolved,
/// the role, the schema of temporary tables, the client's encoding and how identifiers are quoted.
std::string viewpoint_query();

/// What it selects, which lookup_query() answers as well.
inline constexpr std::string_view kViewpoint =
    "pg_catalog.concat_ws(' ', pg_catalog.date_part('epoch', "
    "pg_catalog.pg_postmaster_start_time()), pg_catalog.quote_ident(CURRENT_USER), "
    "pg_catalog.current_schemas(true), pg_catalog.pg_my_temp_schema(), "
    "pg_catalog.current_setting('client_encoding'), "
    "pg_catalog.current_setting('quote_all_identifiers'))";

/// The key id in the name of a constraint (schema::kDataKeyPrefix) of attribute `a` of
/// pg_attribute: an expression of SQL, of type text; NULL: it has none. Qualified throughout.
inline constexpr std::string_view kDataKeyOfAttribute =
    "(SELECT pg_catalog.min(pg_catalog.substring(dk.conname::pg_catalog.text, "
    "'^pgveil_key:([0-9]{1,9}):')) FROM pg_catalog.pg_constraint dk "
    "WHERE dk.conrelid OPERATOR(pg_catalog.=) a.attrelid "
    "AND dk.contype OPERATOR(pg_catalog.=) 'c' "
    "AND dk.conkey OPERATOR(pg_catalog.=) ARRAY[a.attnum])";

inline constexpr std::uint32_t kTextArrayOid = 1009;
inline constexpr std::size_t kLookupColumns = 34;

/// $1 as a PostgreSQL array literal.
std::string schemas_parameter(std::span<const RelationName> names);

/// $2 as a PostgreSQL array literal.
std::string names_parameter(std::span<const RelationName> names);

/// $4 as a PostgreSQL array literal.
std::string kinds_parameter(std::span<const RelationName> names);

/// $3 as a PostgreSQL array literal: every protected last name of the policy, once.
std::string protected_parameter(const config::Policy& policy);

/// One result row: the cells as text, std::nullopt for NULL. Borrowed from the receive buffer.
using LookupRow = std::span<const std::optional<std::string_view>>;

/// Collects the rows of one lookup and puts the entries into a catalog.
///
///     LookupReader reader(names);
///     for each DataRow:      reader.add_row(cells)     (an error ends the session: not our query's
///     answer) at CommandComplete:    reader.finish(catalog)
///
/// Strict: wrong cell count, numbers or order is an error. Not thread-safe.
class LookupReader {
public:
    enum class Answers { kWhole, kBrief };

    explicit LookupReader(std::vector<RelationName> names, Answers answers = Answers::kWhole);

    Result<void> add_row(LookupRow row);

    /// What the rows said of it; empty if nothing.
    const std::string& viewpoint() const { return viewpoint_; }

    /// Whether a row named a data key.
    bool names_keys() const;

    /// Columns that name one of these data keys are as if they named none.
    void take_for_usual(std::span<const std::uint32_t> key_ids);

    /// What a brief answer does not settle: lookup_query() tells.
    std::vector<RelationName> left_open() const;

    /// Puts one entry per name that is not left open, absent ones included. An error if a name got
    /// no row.
    Result<void> finish(Catalog& catalog) &&;

private:
    Result<void> add_other(LookupRow row, bool is_first, const RelationName& name);
    Result<void> add_routine(LookupRow row, bool is_first);
    Result<void> add_enum(LookupRow row, bool is_first);
    Result<void> add_type(LookupRow row, bool is_first);

    std::vector<RelationName> names_;
    std::vector<std::optional<Entry>> entries_;
    std::vector<bool> is_open_;  // by name
    bool is_brief_;
    std::string viewpoint_;
};

}  // namespace pgveil::catalog
