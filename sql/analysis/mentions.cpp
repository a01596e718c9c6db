#include "sql/analysis/mentions.hpp"

#include <algorithm>

namespace pgveil::analysis {

namespace {

/// One visit per node kind; recursion is bounded by the depth of the tree.
struct Mentions {
    const SoughtColumn& sought;

    bool any(const parse::Expressions& list) const {
        return std::any_of(list.begin(), list.end(), [this](const auto& item) { return in(item); });
    }

    bool in(const parse::ExpressionPtr& item) const {
        return item != nullptr && std::visit(*this, item->node);
    }

    bool operator()(const parse::Unknown& /*unknown*/) const { return true; }

    bool operator()(const parse::SubQuery& /*query*/) const { return true; }

    bool operator()(const parse::Constant& /*constant*/) const { return false; }

    bool operator()(const parse::Parameter& /*parameter*/) const { return false; }

    bool operator()(const parse::Default& /*word*/) const { return false; }

    bool operator()(const parse::ColumnReference& reference) const {
        const auto& parts = reference.parts;
        const bool is_whole_row = !parts.empty() && parts.back() == sought.table;
        return reference.star || is_whole_row ||
               std::find(parts.begin(), parts.end(), sought.column) != parts.end();
    }

    bool operator()(const parse::Operation& operation) const { return any(operation.operands); }

    bool operator()(const parse::Logical& logical) const { return any(logical.operands); }

    bool operator()(const parse::NullTest& test) const { return in(test.operand); }

    bool operator()(const parse::Call& call) const {
        return any(call.arguments) || any(call.order_by) || any(call.clauses) ||
               any(call.over.partition_by) || any(call.over.order_by) || any(call.over.offsets);
    }

    bool operator()(const parse::Cast& cast) const { return in(cast.operand); }

    bool operator()(const parse::MultiAssignment& assignment) const {
        return in(assignment.source);
    }

    bool operator()(const parse::Case& choice) const {
        return in(choice.tested) || any(choice.tests) || any(choice.results) ||
               in(choice.otherwise);
    }

    bool operator()(const parse::Construct& construct) const { return any(construct.parts); }
};

}  // namespace

bool may_mention(const parse::Expression& expression, const SoughtColumn& sought) {
    return std::visit(Mentions{sought}, expression.node);
}

bool may_mention(const parse::IndexElement& element, const SoughtColumn& sought) {
    return element.expression == nullptr ? element.column == sought.column
                                         : may_mention(*element.expression, sought);
}

}  // namespace pgveil::analysis
