#include "sql/analysis/relatives.hpp"

#include "sql/analysis/partition.hpp"
#include "sql/schema/schema.hpp"

#include <algorithm>
#include <iterator>

namespace pgveil::analysis {

namespace {

bool has_name(const std::vector<catalog::Column>& columns, const std::string& name) {
    return std::ranges::find(columns, name, &catalog::Column::name) != columns.end();
}

/// What a copied column needs beside the CHECKs that come with it: LIKE leaves them out unless it
/// is told not to.
std::string checks_beside(
    const parse::LikeClause& like, const catalog::Column& from, const field::ProtectedColumn& column
) {
    if (!like.has_constraints) {
        return checks_of(column, ", ") + ", ";
    }
    const bool lacks_key = column.data_key != 0 && from.data_key != column.data_key;
    return lacks_key ? schema::data_key_constraint(column.name, column.data_key) + ", " : "";
}

/// The two are stored in the same form, if under another context.
bool is_stored_alike(const field::ProtectedColumn& left, const field::ProtectedColumn& right) {
    return left.type == right.type && left.scheme == right.scheme && left.pad_to == right.pad_to &&
           left.order_bytes == right.order_bytes;
}

}  // namespace

Relatives::Relatives(Draft& draft, const parse::CreateTable& statement)
    : draft_(draft), statement_(statement) {
    for (const parse::TableReference& table : statement_.parents) {
        const Judgement judgement = draft_.text().relations.judge(parse::Inventory::Table{
            table.database, table.schema, table.name, table.begin});
        if (judgement.standing != Standing::kProtected || judgement.known == nullptr) {
            has_plain_parent_ = true;
            continue;
        }
        const catalog::Relation& relation = *judgement.known->relation;
        draft_.plan().touches_protected = true;
        draft_.qualify(table, relation);
        parents_.push_back(judgement.known);
        claims_.add(Claims(relation, draft_.text().context.policy));
        ancestors_.push_back({relation.schema, relation.name});
        ancestors_.insert(ancestors_.end(), relation.ancestors.begin(), relation.ancestors.end());
        for (const catalog::Column& column : relation.columns) {
            if (!has_name(inherited_, column.name)) {
                inherited_.push_back(column);
            }
        }
    }
}

bool Relatives::has_inherited(const std::string& column) const {
    return has_name(inherited_, column);
}

void Relatives::check(const TableRules& rules) {
    if (rules.is_protected()) {
        check_parents(rules);
    }
    for (const parse::LikeClause& like : statement_.likes) {
        check_like(like, rules);
    }
}

/// A plain parent would show rows of the protected table, without anybody knowing its columns.
void Relatives::check_parents(const TableRules& rules) {
    if (has_plain_parent_) {
        draft_.refuse(refusal_of(
            rules.table_name(),
            "INHERITS or PARTITION OF an unprotected table",
            "write CREATE TABLE with all columns spelled out",
            statement_.target.begin
        ));
    }
    for (const KnownRelation* const parent : parents_) {
        for (std::size_t i = 0; i < parent->veils.size(); ++i) {
            const catalog::Column& column = parent->relation->columns[i];
            const ColumnPtr veil = rules.veil_of(column.name);
            if ((veil == nullptr) != (parent->veils[i] == nullptr)) {
                draft_.refuse(disagreement(
                    rules.table_name() + "." + column.name,
                    "is protected in the one table and plain in the other",
                    statement_.target.begin
                ));
            }
        }
        if (statement_.is_partition) {
            bound_partition(draft_, statement_.partition_bounds, *parent, statement_.target.begin);
        }
    }
}

void Relatives::check_like(const parse::LikeClause& like, const TableRules& rules) {
    const parse::TableReference& table = like.table;
    const Judgement judgement = draft_.text().relations.judge(parse::Inventory::Table{
        table.database, table.schema, table.name, table.begin});
    const bool is_protected = judgement.standing == Standing::kProtected;
    if (judgement.known == nullptr) {
        if (is_protected || rules.is_protected()) {
            draft_.refuse(refusal_of(
                table.name,
                "CREATE TABLE (LIKE ...)",
                "write CREATE TABLE with all columns spelled out",
                table.begin
            ));
        }
        return;
    }
    const catalog::Relation& relation = *judgement.known->relation;
    if (is_protected) {
        draft_.plan().touches_protected = true;
        draft_.qualify(table, relation);
    }
    std::string checks;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
        const catalog::Column& column = relation.columns[i];
        if (!takes(like, column, judgement.known->veils[i], rules)) {
            return;
        }
        copied_.push_back(column);
        if (const ColumnPtr veil = rules.veil_of(column.name)) {
            checks += checks_beside(like, column, *veil);
            copied_.back().data_key = veil->data_key;
        }
    }
    if (!checks.empty()) {
        add_checks(like, checks);
    }
}

bool Relatives::takes(
    const parse::LikeClause& like,
    const catalog::Column& column,
    const ColumnPtr& from,
    const TableRules& rules
) {
    const ColumnPtr veil = rules.veil_of(column.name);
    if (from == nullptr && veil == nullptr) {
        return true;
    }
    const bool keeps_default = like.has_defaults && column.has_default;
    const bool is_alike = from != nullptr && veil != nullptr && is_stored_alike(*from, *veil) &&
                          (!keeps_default || field::shares_context(*from, *veil));
    if (!is_alike) {
        draft_.refuse(
            "CREATE TABLE (LIKE ...) into a table where the policy says something else of it",
            "give both tables an entry for the column with the same type and search" +
                std::string(keeps_default ? " and \"context\" (it has a default)" : "") +
                ", or write CREATE TABLE with all columns spelled out",
            from == nullptr ? veil : from,
            like.table.begin
        );
        return false;
    }
    return true;
}

void Relatives::add_checks(const parse::LikeClause& like, std::string checks) {
    const parse::Tokens& tokens = draft_.text().tokens;
    const auto name = tokens.at(like.table.begin);
    if (!name || *name == 0) {
        draft_.refuse(refusal_of(
            like.table.name, "this way of writing LIKE", "write LIKE table", like.table.begin
        ));
        return;
    }
    const std::uint32_t keyword = tokens.all()[*name - 1].begin;
    draft_.splice(keyword, keyword, FixedText{std::move(checks)});
}

void Relatives::complete(catalog::Relation& table) const {
    std::vector<catalog::Column> columns = inherited_;
    const auto add = [&columns](const std::vector<catalog::Column>& more) {
        std::ranges::copy_if(more, std::back_inserter(columns), [&columns](const auto& column) {
            return !has_name(columns, column.name);
        });
    };
    add(copied_);
    add(table.columns);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        columns[i].attnum = static_cast<std::int16_t>(i + 1);
    }
    table.columns = std::move(columns);
    table.ancestors = ancestors_;
}

void check_alike(
    Draft& draft, const KnownRelation& parent, const KnownRelation& child, std::uint32_t begin
) {
    for (std::size_t i = 0; i < parent.veils.size(); ++i) {
        const std::string& name = parent.relation->columns[i].name;
        const ColumnPtr& above = parent.veils[i];
        ColumnPtr below;
        for (std::size_t j = 0; j < child.veils.size(); ++j) {
            below = child.relation->columns[j].name == name ? child.veils[j] : below;
        }
        if (above == nullptr && below == nullptr) {
            continue;
        }
        if (above == nullptr || below == nullptr || !are_alike(*above, *below)) {
            const ColumnPtr& named = above == nullptr ? below : above;
            draft.refuse(
                "a partition or child where the policy says something else of it",
                "give " + child.relation->schema + "." + child.relation->name + "." + name +
                    " an entry with \"context\": \"" + named->context +
                    "\" and the same type, search and group, and make it through pgveil",
                named,
                begin
            );
            return;
        }
    }
}

}  // namespace pgveil::analysis
