#pragma once

#include "sql/analysis/scope.hpp"
#include "sql/analysis/stored_rows.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

// The rules for SELECT, INSERT, UPDATE, DELETE and MERGE that touch a protected relation.
namespace pgveil::analysis {

/// Walks one statement, typing every expression as plain or as a protected column, and asks the
/// rule table wherever a protected one is used. Depth is bounded by the tree.
/// One object per statement; results go into the Draft.
class Query {
public:
    explicit Query(Draft& draft) : draft_(draft) {}

    void select(const parse::Select& statement);
    void insert(const parse::Insert& statement);
    void update(const parse::Update& statement);
    void delete_from(const parse::Delete& statement);
    void merge(const parse::Merge& statement);
    // query_copy.cpp
    /// The query inside COPY (...). False: it is none of the four above.
    bool copied(const parse::Statement& query);
    /// The table of a COPY, with the condition of COPY FROM. Null: the database does not know it.
    const KnownRelation* copied(
        const parse::TableReference& table, const parse::ExpressionPtr& where
    );

private:
    /// A query's result columns. `is_opaque`: more columns than we know. `is_silent`: a change
    /// without RETURNING.
    struct Output {
        NamedValues columns;
        bool is_opaque = false;
        bool is_silent = false;
        /// So many columns at the end are those of SEARCH and CYCLE, which `*` shows only in the
        /// query that has the WITH.
        std::size_t added = 0;
    };

    struct CommonTableScope {
        std::map<std::string, Output> tables;
        /// WITH RECURSIVE: names whose columns are not known yet.
        std::set<std::string> pending = {};
    };

    /// A relation in FROM, or the one that is changed.
    struct ReadRelation {
        std::string prefix;  // as its columns are qualified, with the dot
        const KnownRelation* known = nullptr;
        std::vector<std::string> names;  // of its columns, alias columns considered
    };

    /// Where in a row of VALUES the column of this name stands.
    struct KeyPlace {
        std::size_t position = 0;
        const catalog::Column* column = nullptr;
    };

    using KeyPlaces = std::map<std::string, KeyPlace>;

    /// ON CONFLICT DO UPDATE: the stored row has the keys of the one that was to be inserted.
    struct ConflictingRow {
        parse::Names keys;                             // columns of the conflict target
        const parse::Expressions* inserted = nullptr;  // the row of VALUES, if there is only one
        const KeyPlaces* places = nullptr;
        std::size_t excluded = 0;  // as in Origin
    };

    /// The row that an UPDATE assigns to.
    struct UpdatedRow {
        const KnownRelation* relation = nullptr;
        std::size_t number = 0;  // as in Origin
        const parse::Expression* where = nullptr;
        const ConflictingRow* conflict = nullptr;
    };

    // query_bind.cpp: bind_to
    static KeyPlaces key_places(
        const std::vector<parse::Target>& list, const KnownRelation* relation
    );
    RowKeys inserted_row(
        const ColumnPtr& column, const parse::Expressions& row, const KeyPlaces& places
    );
    RowKeys updated_row(const ColumnPtr& column, const UpdatedRow& row, const Scope& scope);
    std::optional<RowKey> compared_key(
        const parse::Operation& equation, const UpdatedRow& row, std::size_t key, const Scope& scope
    );
    void check_key_change(const parse::Target& target, const Value& value, const UpdatedRow& row);
    void carry_keys(const Output& output, const parse::Select* select);
    void carry_keys_of(std::size_t result, const Output& output, std::string& hidden);
    void ask_for_keys(
        const std::string& hidden, const ColumnPtr& first, const parse::Select* select
    );

    // query_select.cpp
    Output query(const parse::Select& statement, const Scope* outer);
    Output plain_select(const parse::Select& statement, const Scope* outer);
    Output values(const parse::Select& statement, const Scope* outer);
    void check_order(const parse::Select& statement, const Scope& scope, const Output& output);
    Output targets(const std::vector<parse::Target>& list, const Scope& scope);
    std::string name_of(const parse::Target& target);
    void expand_target(
        const parse::ColumnReference& star, const Scope& scope, std::uint32_t begin, Output& into
    );
    void add_list(Value& value, std::uint32_t begin);
    void set_results(const Output& output, const parse::Select* select);
    static void name_columns(NamedValues& columns, const parse::Alias& alias);

    // query_set.cpp: UNION, INTERSECT, EXCEPT
    Output set_operation(
        const parse::Select& statement,
        const Scope* outer,
        const parse::CommonTable* recursive = nullptr
    );
    Output combine(
        const parse::Select& statement, const Output& left, const Output& right, bool is_recursive
    );
    std::optional<Value> combined(const Value& one, const Value& other, bool may_mix);
    void compare_results(const Output& left, const Output& right, const Output& both);

    // query_group.cpp: DISTINCT and GROUP BY
    void check_distinct(const parse::Select& statement, const Scope& scope, const Output& output);
    void check_ordinal(
        std::optional<std::size_t> ordinal,
        const Output& output,
        const std::string& clause,
        std::uint32_t begin
    );
    void check_grouping(const parse::Select& statement, const Scope& scope, const Output& output);

    struct GroupItem {
        Value value;
        std::uint32_t begin = parse::kNowhere;
        bool is_in_every_set = true;
    };

    void add_group(
        const parse::Expression& item,
        const Scope& scope,
        const Output& output,
        bool is_in_every_set,
        std::vector<GroupItem>& into
    );
    bool is_told_apart(const Value& value, std::span<const Value> list) const;

    // query_with.cpp
    void add_common_tables(const parse::With& with, const Scope* outer);
    Output common_table(const parse::Statement& statement, const Scope* outer);
    Output recursive_table(const parse::CommonTable& table, const Scope* outer);
    void add_traversal(const parse::CommonTable& table, Output& output);
    static void name_common_table(
        const parse::CommonTable& table, Output output, CommonTableScope& level
    );
    bool from_common_table(const parse::TableReference& table, Scope& scope);

    // query_from.cpp
    void from(const std::vector<parse::FromItemPtr>& items, Scope& scope);
    void from_item(const parse::FromItem& item, Scope& scope);
    void from_table(const parse::TableReference& table, Scope& scope);
    void from_subquery(const parse::FromSubquery& item, Scope& scope);
    void from_join(const parse::Join& join, Scope& scope);
    std::vector<std::string> merged_names(
        const parse::Join& join, const Scope& left, const Scope& right
    );
    NamedValue merged_column(
        const parse::Join& join,
        const std::string& name,
        Scope& left,
        Scope& right,
        std::uint32_t begin
    );
    void merge(const parse::Join& join, Scope& left, Scope right, std::uint32_t begin);
    void add_range(Range range, Scope& scope);
    /// The names that the alias gives the columns of a table or sub-query.
    void name_range(Range& range, const parse::Alias& alias);
    const KnownRelation* known(const parse::TableReference& table);
    Range range_of(const parse::TableReference& table);
    static ReadRelation read_relation(const Range& range, const KnownRelation& known);

    // query_function.cpp: functions that return stored values
    void from_function(const parse::FromFunction& item, Scope& scope);
    const config::FunctionPolicy* stored_values_of(const parse::Expression& node);
    const KnownRelation* table_of(const config::FunctionPolicy& function, std::uint32_t begin);
    NamedValues returned_columns(
        const config::FunctionPolicy& function, const std::string& name, std::uint32_t begin
    );
    Range stored_range(
        const parse::FromFunction& item,
        const config::FunctionPolicy& function,
        const Scope& lateral
    );
    Value returned_value(
        const parse::Expression& node, const config::FunctionPolicy& function, const Scope& scope
    );

    // query_change.cpp
    Output insert_rows(const parse::Insert& statement);
    Output update_rows(const parse::Update& statement);
    Output delete_rows(const parse::Delete& statement);
    Output returned(const std::vector<parse::Target>& list, const Scope& scope);
    const KnownRelation* changed(const parse::TableReference& target);
    std::vector<ColumnPtr> target_columns(
        const std::vector<parse::Target>& list, const KnownRelation* relation
    );
    void insert_row(
        const parse::Expressions& row,
        const std::vector<ColumnPtr>& columns,
        const KeyPlaces& places,
        const Scope& scope
    );
    void refuse_surplus(
        std::size_t values,
        std::size_t columns,
        const KnownRelation* relation,
        const std::function<std::uint32_t(std::size_t)>& begin_of
    );
    void insert_query(
        const parse::Select& source,
        const std::vector<ColumnPtr>& columns,
        const KnownRelation* relation
    );
    void assign(const ColumnPtr& target, const Value& value, std::uint32_t begin, RowKeys row = {});
    void assign_for_row(
        const ColumnPtr& target, const Value& value, std::uint32_t begin, RowKeys row
    );

    // query_assign.cpp: SET
    void assign_targets(
        const std::vector<parse::Target>& list, const UpdatedRow& row, const Scope& scope
    );
    void assign_together(
        std::span<const parse::Target> list, const UpdatedRow& row, const Scope& scope
    );
    void assign_from_query(
        std::span<const parse::Target> list,
        const parse::SubQuery& source,
        const UpdatedRow& row,
        const Scope& scope
    );
    void assign_target(
        const parse::Target& target,
        const parse::Expression& source,
        const UpdatedRow& row,
        const Scope& scope
    );
    std::optional<ColumnPtr> assigned_column(
        const parse::Target& target, const Value& value, const UpdatedRow& row
    );

    // query_conflict.cpp, query_merge.cpp
    void on_conflict(
        const parse::Insert& statement,
        const Range& target,
        const KnownRelation* relation,
        const KeyPlaces& places
    );
    void conflict_target(
        const parse::OnConflict& clause, const KnownRelation* relation, const Scope& scope
    );
    RowKeys conflicting_row(const ColumnPtr& column, const ConflictingRow& row);
    static bool is_excluded_value(
        const ColumnPtr& column, const Value& value, const UpdatedRow& row
    );
    static bool is_excluded_key(const std::string& name, const Value& value, const UpdatedRow& row);
    void merge_action(
        const parse::Merge::Action& action,
        const UpdatedRow& row,
        const Scope& source,
        const Scope& both
    );

    // query_expression.cpp
    Value expression(const parse::Expression& node, const Scope& scope);
    void plain(
        const parse::Expression& node, const Scope& scope, Use use, std::string_view construct = {}
    );
    void plain_all(
        const parse::Expressions& list, const Scope& scope, Use use, std::string_view construct = {}
    );
    void condition(const parse::ExpressionPtr& node, const Scope& scope);
    Value column(
        const parse::Expression& node, const parse::ColumnReference& reference, const Scope& scope
    );
    Value operation(
        const parse::Expression& node, const parse::Operation& nested, const Scope& scope
    );
    void check_list_types(
        const parse::Operation& list, const ColumnPtr& column, std::uint32_t begin
    );
    void null_test(const parse::NullTest& test, const Scope& scope);
    Value call(const parse::Expression& node, const parse::Call& nested, const Scope& scope);
    bool count_call(const parse::Expression& node, const parse::Call& call, const Scope& scope);
    Value sub_query(
        const parse::Expression& node, const parse::SubQuery& nested, const Scope& scope
    );
    void compare(const Value& left, const Value& right, Use use, std::uint32_t begin);

    void require(Use use, const Value& value, std::uint32_t begin);
    void seal(const Value& value, const ColumnPtr& column, ParameterUse use);

    // query_choice.cpp: CASE, COALESCE, NULLIF, casts
    Value open_expression(const parse::Expression& node, const Scope& scope);
    Value settled(Value value);
    Value choice(const parse::Case& nested, const Scope& scope, std::uint32_t begin);
    Value coalesce(const parse::Construct& call, const Scope& scope, std::uint32_t begin);
    Value greatest(const parse::Construct& call, const Scope& scope, std::uint32_t begin);
    Value chosen(std::vector<Value> arms, bool may_be_null, std::uint32_t begin);
    Value chosen_column(std::vector<Value> arms, const types::Type& type, std::uint32_t begin);
    bool joins_contexts(Value& value, const Value& other, std::uint32_t begin);
    Value null_if(const parse::Operation& nested, const Scope& scope, std::uint32_t begin);
    Value cast(const parse::Expression& node, const parse::Cast& typed, const Scope& scope);
    Value cast_column(Value value, const parse::Cast& typed, std::uint32_t begin);

    // query_array.cpp
    bool compare_array(
        const parse::Expression& node, const parse::Operation& operation, const Scope& scope
    );
    void compare_items(
        const parse::Expressions& items,
        const parse::Cast* cast,
        const ColumnPtr& column,
        const Scope& scope
    );

    // query_order.cpp
    bool compare_rows(
        const parse::Expression& node, const parse::Operation& operation, const Scope& scope
    );
    bool compare_row_query(
        const parse::Expression& row,
        std::string_view operator_name,
        const Output& output,
        const Scope& scope,
        std::uint32_t begin
    );
    void refuse_protected(const Output& output, Use use, std::uint32_t begin);
    void sort_keys(const parse::Expressions& keys, const Scope& scope, Use use);
    void window(const parse::Window& window, const Scope& scope);

    // query_extremum.cpp
    std::optional<Value> extremum(
        const parse::Expression& node, const parse::Call& call, const Scope& scope
    );
    void rewrite_extremum(
        const parse::Expression& node, const parse::Call& call, const ColumnPtr& column
    );
    std::optional<Output> extremum_by_index(const parse::Select& statement, const Scope& scope);

    Draft& draft_;
    std::vector<CommonTableScope> common_tables_;
    std::vector<ReadRelation> read_;  // an Origin counts from 1
    std::vector<Origin> hidden_;      // keys asked for beside the user's result columns
    StoredRows stored_;
};

}  // namespace pgveil::analysis
