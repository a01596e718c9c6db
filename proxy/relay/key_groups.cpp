#include "proxy/relay/key_groups.hpp"

#include "sql/analysis/copy_plan.hpp"

#include <functional>

namespace pgveil::relay {

namespace {

using analysis::ColumnPtr;
using analysis::ResultColumn;
using analysis::StatementPlan;

/// What is done with a column of a group that is missing, as a person reads it.
Refusal without_key(
    const share::RequestKeys& keys, const field::ProtectedColumn& column, std::string_view what
) {
    Refusal result;
    result.sqlstate = "42501";
    if (!keys.is_group(column.group)) {
        result.message = column.qualified_name() + " is in key group " + column.group +
                         ", which the tenant has not made";
        result.hint = "Have the tenant administrator make it (pgveil-tenant group create " +
                      column.group + ") and grant it.";
        return result;
    }
    result.message = "user " + keys.user_id() + " does not have key group " + column.group +
                     ", which " + std::string(what) + " " + column.qualified_name() + " needs";
    result.hint =
        "Leave the column out, or have the tenant administrator grant the group "
        "(pgveil-tenant group grant " +
        keys.user_id() + " " + column.group + ") and use the new shares.";
    return result;
}

/// Goes through the columns until one may not be used.
class Check {
public:
    explicit Check(const share::RequestKeys& keys) : keys_(&keys) {}

    void need(const ColumnPtr& column, std::string_view what) {
        if (!refusal_ && column != nullptr && !keys_->covers(column->group)) {
            refusal_ = without_key(*keys_, *column, what);
        }
    }

    void need_all(const std::vector<ColumnPtr>& columns, std::string_view what) {
        for (const ColumnPtr& column : columns) {
            need(column, what);
        }
    }

    void open(const std::vector<ResultColumn>& results) {
        for (const ResultColumn& result : results) {
            open(result.column);
            for (const ColumnPtr& other : result.others) {
                open(other);
            }
        }
    }

    std::optional<Refusal> refusal() && { return std::move(refusal_); }

private:
    void open(const ColumnPtr& column) {
        if (column != nullptr && !column->is_null_without_key) {
            need(column, "reading");
        }
    }

    const share::RequestKeys* keys_;
    std::optional<Refusal> refusal_;
};

void check_copy(const analysis::CopyPlan& copy, Check& check) {
    if (!copy.is_from) {
        check.open(copy.columns);
        return;
    }
    for (const ResultColumn& column : copy.columns) {
        check.need(column.column, "writing");
    }
}

}  // namespace

std::optional<Refusal> missing_group(const share::RequestKeys& keys, const StatementPlan& plan) {
    Check check(keys);
    check.need_all(plan.guarded, "writing");
    check.need_all(plan.compared, "comparing or sorting");
    for (const analysis::Splice& splice : plan.splices) {
        if (const auto* const sealed = std::get_if<analysis::SealedLiteral>(&splice.replacement)) {
            check.need(sealed->column, "a value of");
        }
    }
    for (const analysis::ParameterPlan& parameter : plan.parameters) {
        check.need(parameter.column, "a value of");
    }
    check.open(plan.results);
    if (plan.copy != nullptr) {
        check_copy(*plan.copy, check);
    }
    return std::move(check).refusal();
}

bool is_hidden(
    const share::RequestKeys& keys, const field::ProtectedColumn& column, std::uint32_t key_id
) {
    return column.is_null_without_key && !keys.covers(column.group) &&
           keys.is_key_of(column.group, key_id);
}

}  // namespace pgveil::relay
