#pragma once

#include "sql/guard/flow.hpp"
#include "sql/guard/guard.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::guard {

/// Walks one statement and stops at nothing: what it does not know has no flow.
class Walker {
public:
    Walker(const Shapes& shapes, const std::function<bool(std::uint32_t)>& is_sealed)
        : shapes_(shapes), is_sealed_(is_sealed) {}

    /// The columns it returns, RETURNING included.
    Columns statement(const parse::Statement& statement, const Level* outer);

    /// `value` becomes one of `column`, as an argument of EXECUTE does.
    void argument(const parse::Expression& value, const std::string& column);

    const std::optional<Leak>& leak() const { return leak_; }

private:
    // walker_query.cpp
    Columns select(const parse::Select& query, const Level* outer);
    Columns plain_select(const parse::Select& query, const Level* outer);
    void group(const parse::Expression& item, const Level& level);
    Columns rows(const parse::Select& query, const Level* outer);
    Columns set_operation(const parse::Select& query, const Level* outer);
    Columns targets(const std::vector<parse::Target>& list, const Level& level);
    void with(const parse::With& clause, const Level* outer);
    void from(const std::vector<parse::FromItemPtr>& items, Level& level);
    std::vector<Range> from_item(const parse::FromItem& item, const Level& level);
    std::vector<Range> join(const parse::Join& join, const Level& level);
    void merge_using(const parse::Join& join, const Range& left, const Range& right);
    Range relation(const parse::TableReference& table);
    Range result_of(const parse::FromFunction& item, const Level& level);
    std::optional<Shape> shape_of_call(const parse::Call& call) const;
    Columns insert(const parse::Insert& insert, const Level* outer);
    Columns update(const parse::Update& update, const Level* outer);
    Columns remove(const parse::Delete& remove, const Level* outer);
    void merge(const parse::Merge& merge);
    void on_conflict(const parse::OnConflict& clause, const Range& target, const Level* outer);
    void copy(const parse::Copy& copy);
    void set(const std::vector<parse::Target>& list, const Range& target, const Level& level);
    void definition(const parse::ColumnDefinition& column, const Range& target);
    void define(const parse::CreateTable& create);
    void alter(const parse::AlterTable& alter);

    // walker.cpp
    Flow expression(const parse::Expression& node, const Level& level);
    Flow optional(const parse::ExpressionPtr& node, const Level& level);
    Flow together(const parse::Expressions& list, const Level& level);
    Flow operation(const parse::Operation& operation, const Level& level);
    Flow call(const parse::Call& call, const Level& level);
    Flow one_of(const parse::Case& choice, const Level& level);
    Flow sub_query(const parse::SubQuery& query, const Level& level);
    std::vector<Flow> row(const parse::Expression& node, const Level& level);
    Flow meet(const std::vector<std::vector<Flow>>& rows);
    Flow checked(Flow flow);

    const Shapes& shapes_;
    const std::function<bool(std::uint32_t)>& is_sealed_;
    std::vector<std::map<std::string, Columns>> common_tables_;
    std::optional<Leak> leak_;
};

}  // namespace pgveil::guard
