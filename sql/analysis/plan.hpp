#pragma once

#include "keyshare/core/secret.hpp"
#include "sql/catalog/catalog.hpp"
#include "sql/field/protected_column.hpp"
#include "sql/field/row_binding.hpp"
#include "sql/types/type.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// What analysis decides for a text: values only, no reference into the text except byte offsets.
namespace pgveil::analysis {

using ColumnPtr = std::shared_ptr<const field::ProtectedColumn>;

/// The session parameters of the product (DESIGN section 2).
enum class SessionParameter { kUserId, kUserToken, kAppShare };

/// Replacement text that is known already.
struct FixedText {
    std::string text;
};

/// How the value of a protected parameter or constant reaches the column.
enum class ParameterUse {
    /// Not protected.
    kPlain,
    /// Assigned: input_type becomes column->type by assignment (types::convert_for_assignment).
    kAssigned,
    /// Compared: types::convert_for_comparison.
    kCompared,
    /// Stands beside the column in CASE, COALESCE or a set operation: types::convert_unchanged.
    kBeside,
};

/// A constant in a protected position: leaves as E'\\x<envelope>'::bytea.
/// `plaintext` is as field::plaintext_of() returns it.
struct SealedLiteral {
    ColumnPtr column;
    core::SecretBytes plaintext;
    core::Bytes row = {};  // field::row_binding() for a column with bind_to, else empty
    /// The constant stands alone, without casts or conversions, for a column without bind_to: then
    /// plaintext_of_bare_constant() with this gives the plaintext of another constant of its kind
    /// in its place. Else nullopt.
    std::optional<ParameterUse> bare_use = {};
};

/// The value of a session parameter: leaves as '<a fresh random handle>'. `value` is the text.
struct ShareHandle {
    SessionParameter which = SessionParameter::kUserId;
    core::SecretBytes value;
};

using Replacement = std::variant<FixedText, SealedLiteral, ShareHandle>;

/// The bytes [begin, end) of the user's text and what stands there instead. Splices are ordered and
/// disjoint. begin == end inserts.
struct Splice {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    Replacement replacement;
};

/// The parameter that brings a key of `bind_to`, and the type in which it comes.
struct KeyParameter {
    std::uint32_t number = 0;  // 1-based
    types::Type input_type;

    friend bool operator==(const KeyParameter&, const KeyParameter&) = default;
};

/// One `bind_to` key of the row that a value is written to.
struct RowKey {
    std::string column;
    /// The key stands in WHERE: if it is NULL no row is concerned. Else it is stored with the
    /// value.
    bool is_compared = false;
    std::variant<field::KeyValue, KeyParameter> value;

    friend bool operator==(const RowKey&, const RowKey&) = default;
};

/// In the order of `bind_to`.
using RowKeys = std::vector<RowKey>;

/// One parameter of a statement. plan.parameters holds entries only for parameters that need work.
struct ParameterPlan {
    std::uint32_t number = 0;  // 1-based, as the server counts
    /// The client's parameter that brings the value, if it is another one: a value that is needed
    /// in several forms leaves once for each (split_parameters).
    std::uint32_t source = 0;
    ColumnPtr column;  // null: plain
    ParameterUse use = ParameterUse::kPlain;
    /// The parameter is the value of this session parameter: at Bind it leaves as a random handle.
    std::optional<SessionParameter> handle;
    /// The parameter is the *name* in set_config(name, value, ...), plain values only: at Bind a
    /// name that is_veil_parameter_name() knows is refused (0A000: write the name as a literal).
    bool is_parameter_name = false;
    /// OID to declare in Parse upstream: 17 for a protected one; for the others what the client
    /// declared. 0 for one that the server is to refuse, because no type was known where it is
    /// tested for NULL.
    std::uint32_t declared_oid = 0;
    /// What ParameterDescription tells the client: what PostgreSQL infers on the plain column.
    /// 0: as the server says.
    std::uint32_t described_oid = 0;
    /// The type in which the client's value arrives (by described_oid), for decoding it.
    types::Type input_type;
    /// Casts to apply to it before `use`, in this order (types::cast_explicitly).
    std::vector<types::Type> casts = {};
    /// An array of such values; the OIDs are those of the array types.
    bool is_array = false;
    /// Plain, and used under IS [NOT] NULL only: a value leaves as one zero byte. With
    /// described_oid 0 nothing says its type, and the server refuses the statement.
    bool is_null_test = false;
    /// Of the row the value goes to, for a column with `bind_to`; else empty.
    RowKeys row;

    std::uint32_t client_number() const { return source == 0 ? number : source; }
};

/// One column of the result, as the server sends it.
struct ResultColumn {
    ColumnPtr column;  // null: plain, pass the cell on
    /// For a column with `bind_to`: which columns of the result hold its keys, in that order.
    std::vector<std::uint16_t> keys;
    /// This plain column is such a key, of this type.
    std::optional<types::Kind> key_kind;
    /// As which type the client sees it, if not the column's own.
    std::optional<types::Type> shown_type = {};
    /// Other columns whose value this may be: it is opened as that of the first that fits.
    std::vector<ColumnPtr> others = {};
    /// The server gives a bytea, not a pgveil.ciphertext.
    bool is_bytea = false;
};

/// A SQL call answered by the proxy. The plan's splice replaces the statement by the stand-in
/// `SELECT NULL::text AS <name>`; its parameters are declared text (25), and the receipt takes the
/// place of the cell.
struct VeilCall {
    enum class Function { kAddUser, kChangeKey, kWithdrawUser, kApply, kTokenKey, kChallenge };
    /// NULL, a literal's text, or the number of a parameter.
    using Argument = std::variant<std::nullptr_t, core::SecretBytes, std::uint32_t>;
    Function function = Function::kTokenKey;
    std::vector<Argument> arguments;
};

struct CopyPlan;

enum class StatementKind {
    kSelect,
    kInsert,
    kUpdate,
    kDelete,
    kCreateTable,
    kOtherDdl,
    kSet,
    kReset,
    kShow,
    kBegin,
    kCommit,
    kRollback,
    kSavepoint,
    kReleaseSavepoint,
    kRollbackToSavepoint,
    kPrepareTransaction,
    kDiscard,
    kCopy,
    kPrepare,
    kExecute,
    kDeallocate,
    kDeclareCursor,
    kFetch,
    kMove,
    kCloseCursor,
    kExplain,
    kOther,
};

struct StatementPlan;
using PlanPtr = std::shared_ptr<const StatementPlan>;

/// A statement that may go upstream once its splices and parameters are done.
struct StatementPlan {
    std::uint32_t begin = 0;  // of this statement in the text, leading blanks and comments included
    std::uint32_t end = 0;    // behind its last byte, without the semicolon
    StatementKind kind = StatementKind::kOther;
    /// Names a protected relation. Shares are needed only if needs_keys().
    bool touches_protected = false;
    /// Protected tables that it names, also through a view, as `schema.table`, each once. Empty
    /// though it touches_protected: a function that the policy lists, or a table that is not there.
    std::vector<std::string> tables;
    /// It changes rows or definitions, or runs code that nobody can see and that may. False only
    /// for what certainly reads.
    bool may_write = true;
    /// A SELECT of whole tables, without WHERE, LIMIT and functions.
    bool may_bring_many = false;
    /// Every protected column it uses in any way, each once.
    std::vector<ColumnPtr> columns;
    /// Those whose values the server compares, sorts or groups, each once.
    std::vector<ColumnPtr> compared;
    /// Those with `on_missing_key: null` that it assigns, NULL included, each once: who lacks the
    /// key sees NULL there, and would erase the value by writing back what he sees.
    std::vector<ColumnPtr> guarded;
    std::vector<Splice> splices;
    std::vector<ParameterPlan> parameters;
    /// One entry per result column if at least one is protected; else empty: nothing to open.
    std::vector<ResultColumn> results;
    /// So many columns at the end of `results` are keys that a splice asks for: the client does not
    /// get them.
    std::size_t hidden_results = 0;
    /// Translated DDL: schema pgveil and the domain must exist before it runs.
    bool needs_ciphertext_type = false;
    /// The catalog may be different afterwards: forget what was looked up.
    bool changes_catalog = false;
    /// SET/RESET/DISCARD/set_config of a pgveil.* parameter (or of all): read the handles back.
    bool may_change_session_parameters = false;
    bool may_change_search_path = false;
    /// COPY of at least one protected column; `results` is empty then.
    std::shared_ptr<const CopyPlan> copy;
    std::optional<VeilCall> call;
    /// SHOW of a pgveil.* parameter. user_id: the proxy answers with the value; the secrets: never.
    std::optional<SessionParameter> shown_parameter;
    /// Name of the prepared statement (kExecute, kExplain, CREATE TABLE AS, kDeallocate) or portal
    /// (kFetch, kMove, kCloseCursor) that the text uses: SQL and protocol share one name space.
    /// Empty: all of them.
    std::string used_name;
    /// What the name stood for (null: nobody knows). This plan is good only while it still does.
    PlanPtr used;
    /// kPrepare, kDeclareCursor: what this name means once the statement has succeeded. Null: a
    /// cursor over nothing protected.
    std::string defined_name;
    PlanPtr defined;
    /// DECLARE of a cursor WITH HOLD.
    bool is_held = false;
    /// DECLARE BINARY, and FETCH from such a cursor: to a simple Query all columns come in binary.
    bool is_binary = false;
    /// The highest number of a parameter that is used or declared: so many the client sends.
    std::uint32_t parameter_count = 0;
    /// Further parameters behind these that the server gets (ParameterPlan::source).
    std::uint32_t split_parameters = 0;
    /// String constants that leave as they are, by their hash (parse::Inventory::String), sorted.
    std::vector<std::size_t> open_texts;
    /// Columns of which a value leaves unencrypted, too (config::RepeatedValues::kCount), each
    /// once.
    std::vector<ColumnPtr> repeated;
    bool calls_set_config = false;
    /// Calls a function that somebody made in the database, or one that nobody can see.
    bool calls_own_function = false;
    /// DO, CALL: runs statements that are not in the text, EXECUTE of any prepared one among them.
    bool runs_unknown_sql = false;

    /// Result columns that the client gets.
    std::size_t shown_results() const { return results.size() - hidden_results; }

    /// A value is sealed, opened or guarded: a request without shares fails with 28000.
    bool needs_keys() const;
    /// What constants and rows look like may be different afterwards: SET, or anything that may run
    /// it or set_config.
    bool may_change_settings() const;
    /// Goes upstream as it is, and its answer comes back as it is.
    bool is_plain() const;
};

/// Roughly the memory that a plan takes, in bytes, with the plans of other statements that it
/// names.
std::size_t size_bytes_of(const StatementPlan& plan);

enum class RejectionKind {
    /// Outside the rules: 0A000.
    kNotSupported,
    /// Column and policy (or policy and catalog) disagree: 0A000 until `pgveil check` is clean.
    kDisagreement,
    /// PostgreSQL's own error, foreseen: sqlstate and message are its.
    kPostgres,
    /// The same of its grammar, which a failed transaction does not hide (25P02).
    kSyntax,
    /// A limit of ours: 54001 or 54000.
    kLimit,
};

/// Why a statement does not go upstream. sqlstate and message are always set.
/// `message` may quote the client's own text: it goes to that client only, never into a log.
struct Rejection {
    RejectionKind kind = RejectionKind::kNotSupported;
    std::string subject;    // the column ("public.patients.name") or relation, as a person reads it
    std::string construct;  // "LIKE", "ORDER BY", "function upper"
    std::string hint;
    std::int32_t position = -1;  // byte offset in the user's text; -1 unknown
    std::string sqlstate;
    std::string message;
    std::string detail;
};

using Decision = std::variant<StatementPlan, Rejection>;

/// The decisions for one text, in order. See analyze().
struct Analysis {
    std::vector<Decision> statements;
    /// Names to look up before anything may be decided; when not empty, `statements` is empty.
    std::vector<catalog::RelationName> missing;
    /// Every name whose catalog entry the decisions depend on (absent ones too), each once: a cache
    /// may use the analysis again while these entries are equal to what they were.
    std::vector<catalog::RelationName> relations;
    /// The text is not SQL that we can read. Either nothing protected can be concerned (then
    /// passthrough is set and the server gives its own error) or `statements` holds one Rejection.
    bool parse_failed = false;
    /// Forward the user's bytes untouched: every statement is_plain().
    bool passthrough = false;
};

/// The same of all its plans.
std::size_t size_bytes_of(const Analysis& analysis);

}  // namespace pgveil::analysis
