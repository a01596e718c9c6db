#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the database said about relations, read in the client's own session. Plain values: nothing
// here asks anybody. The catalog is the database's word; analysis/ checks it against the policy.
namespace pgveil::catalog {

/// A relation's own name, decoded.
struct QualifiedName {
    std::string schema;
    std::string name;

    friend auto operator<=>(const QualifiedName&, const QualifiedName&) = default;
};

/// One live column, in attnum order inside Relation::columns; dropped and system columns are
/// absent.
struct Column {
    std::string name;
    std::int16_t attnum = 0;
    std::uint32_t type_oid = 0;
    std::int32_t typmod = -1;
    std::string type_name;  // format_type()
    /// The type is the marker domain pgveil.ciphertext, or an array, domain or row type with it.
    bool is_ciphertext = false;
    bool not_null = false;
    bool has_default = false;
    bool generated_or_identity = false;
    bool is_generated = false;  ///< GENERATED ALWAYS AS (expression)
    /// The key id that its constraint names (schema::kDataKeyPrefix); 0: none, or a live key.
    std::uint32_t data_key = 0;

    friend bool operator==(const Column&, const Column&) = default;
};

/// A relation as pg_class describes it; names are decoded (no quotes).
struct Relation {
    std::uint32_t oid = 0;
    std::string schema;
    std::string name;
    /// pg_class.relkind: r table, p partitioned, v view, m materialized view, f foreign, S
    /// sequence, ...
    char relkind = 'r';
    std::vector<Column> columns;
    /// Rules (a view is one), inheritance or partitions connect it, over any number of steps, with
    /// a relation whose name is protected or that has a column of the marker domain.
    bool over_protected = false;
    /// The database compares text byte by byte, in UTF-8: its collation is C, POSIX or C.UTF-8.
    bool has_bytewise_text = false;
    /// The query of a view or materialized view over_protected, as pg_get_viewdef() prints it under
    /// the session's search_path; else empty.
    std::string view_text = {};
    /// What it is a partition or child of, over any number of steps, the nearest first; a table may
    /// stand here twice.
    std::vector<QualifiedName> ancestors = {};
    /// Of a partitioned table, as pg_get_partkeydef() prints it: `LIST (city)`; else empty.
    std::string partition_key = {};
    /// Columns, by attnum, of each unique key that no two rows ever share: none of them NULL, not
    /// partial, not deferrable, of plain columns by their own equality. Of a table that others
    /// inherit from: none.
    std::vector<std::vector<std::int16_t>> keys = {};
    /// Of a view or materialized view: SHA-256, in hexadecimal, of the query as the server keeps it
    /// (pg_rewrite.ev_action); names in it are OIDs.
    std::string query_hash = {};
    /// A view with a rule or trigger of its own, or over one: what is written to it may go
    /// elsewhere than to the table of its query.
    bool is_intercepted = false;

    /// Null if there is no such column.
    const Column* column(std::string_view column_name) const;

    friend bool operator==(const Relation&, const Relation&) = default;
};

/// A relation as the statement names it: decoded identifiers, `schema` empty if unqualified. Or an
/// enum. Or functions and procedures, all of that name together: which of them a call means depends
/// on the types of its arguments.
struct RelationName {
    enum class Kind : std::uint8_t {
        kRelation,
        kFunction,      ///< whether there are any that are not PostgreSQL's own
        kFunctionBody,  ///< what these see: takes the server longer to tell
        kEnum,          ///< a type
        kType,          ///< what rows any type has in it
        kTypeOid,       ///< the same; `name` is the type's OID in decimal
    };
    std::string schema;
    std::string name;
    Kind kind = Kind::kRelation;

    friend auto operator<=>(const RelationName&, const RelationName&) = default;
};

/// A function or procedure that sees values of protected tables.
struct Routine {
    enum class Reason {
        /// Not known yet: the answer for kFunction.
        kUnread,
        /// A type of that name, which is none of PostgreSQL's own: `name('...')` is a cast to it.
        kType,
        /// It takes or returns pgveil.ciphertext or rows of a protected table, in whatever
        /// composite, array or domain.
        kSignature,
        /// Its source, or that of a function it calls, names a protected table or a relation with
        /// encrypted columns, and it takes arguments or may return envelopes.
        kSource,
    };
    std::string schema;
    Reason reason = Reason::kSource;

    friend bool operator==(const Routine&, const Routine&) = default;
};

/// An enum of the database. Which labels it has there is not asked.
struct EnumType {
    std::uint32_t oid = 0;
    std::uint32_t array_oid = 0;
    std::string schema;
    std::string shown_name;  // format_type()

    friend bool operator==(const EnumType&, const EnumType&) = default;
};

/// What a type has in it, over any number of arrays, domains, ranges and composites.
struct HeldRows {
    /// The marker domain pgveil.ciphertext.
    bool is_veiled = false;
    /// Tables, views and kin whose rows.
    std::vector<QualifiedName> relations = {};

    friend bool operator==(const HeldRows&, const HeldRows&) = default;
};

/// The answer for one name. Valid for the search_path and the transaction it was read under.
struct Entry {
    /// Empty: to_regclass() found nothing.
    std::optional<Relation> relation;
    /// current_schema() at that time: where an unqualified CREATE TABLE goes; empty if nowhere.
    std::string creation_schema;
    /// For a function's name: those of that name that are not known to be harmless, in whatever
    /// schema if the name has none.
    std::vector<Routine> routines = {};
    /// For kEnum: the enum of that name; empty if there is none.
    std::optional<EnumType> enum_type = {};
    /// For kType and kTypeOid; empty if there is no such type.
    std::optional<HeldRows> held_rows = {};

    friend bool operator==(const Entry&, const Entry&) = default;
};

/// The name is looked up as kType or kTypeOid.
bool names_type(const RelationName& name);

/// About the memory an entry holds, in bytes.
std::size_t size_bytes_of(const Entry& entry);

/// What is known so far. A name without an entry has not been looked up; that is different from a
/// name whose entry says "absent". Copies are independent; concurrent reads are safe.
class Catalog {
public:
    /// Null: not looked up yet. The pointer lives until the next put(), erase() or clear().
    const Entry* find(const RelationName& name) const;
    /// The same, kept alive; later answers do not change it.
    std::shared_ptr<const Entry> share(const RelationName& name) const;
    void put(RelationName name, Entry entry);
    void erase(const RelationName& name);
    /// Forgets every relation and type that was not there.
    void erase_absent();
    /// Forgets everything. What is put() again as it was then is the same entry as before: whoever
    /// has kept it sees by the pointer that nothing has changed.
    void clear();

    std::size_t size() const { return entries_.size(); }

    /// About the memory held, in bytes, for limits.
    std::size_t size_bytes() const { return size_bytes_; }

private:
    using Entries = std::map<RelationName, std::shared_ptr<const Entry>>;

    Entries entries_;
    Entries former_;  // before the last clear() that forgot anything
    std::size_t size_bytes_ = 0;
};

/// What `pgveil check --pin` pins: kind, and names and types of the columns in order, such as
/// `r "id" 23, "name" ciphertext, "city" 1043(24)`. Numbers are pg_type OIDs and typmods, because
/// the names of types depend on search_path. Of a view, `query` and query_hash stand behind them.
std::string shape_of(const Relation& relation);

/// `"schema"."name"` or `"name"`, inner quotes doubled: what to_regclass() takes.
std::string quoted(const RelationName& name);

}  // namespace pgveil::catalog
