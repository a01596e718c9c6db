#include "sql/guard/walker.hpp"

#include "sql/field/envelope.hpp"
#include "sql/parse/overloaded.hpp"

#include <algorithm>
#include <array>

namespace pgveil::guard {

namespace {

bool is_envelope(std::string_view text) {
    constexpr std::string_view kHex = "\\x";
    if (!text.starts_with(kHex)) {
        return false;
    }
    const auto bytes = core::from_hex(text.substr(kHex.size()));
    return bytes.has_value() && field::parse_envelope(*bytes).has_value();
}

/// `{"\\x0102...",NULL}`: every item an envelope. Envelopes as hex hold no comma.
bool is_envelope_array(std::string_view text) {
    if (!text.starts_with('{') || !text.ends_with('}')) {
        return false;
    }
    text = text.substr(1, text.size() - 2);
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        std::string item(text.substr(0, comma));
        std::erase(item, '"');
        if (item.starts_with("\\\\")) {
            item.erase(0, 1);
        }
        if (item != "NULL" && !is_envelope(item)) {
            return false;
        }
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return true;
}

bool is_plaintext(const parse::Constant& constant) {
    return constant.kind != parse::Constant::Kind::kNull && !is_envelope(constant.text) &&
           !is_envelope_array(constant.text);
}

/// Its result is true or false, whatever it looks at.
bool is_comparison(const parse::Operation& operation) {
    using Kind = parse::Operation::Kind;
    constexpr std::array<std::string_view, 6> kNames = {"=", "<>", "<", "<=", ">", ">="};
    if (operation.kind == Kind::kOperator) {
        return std::find(kNames.begin(), kNames.end(), operation.name) != kNames.end();
    }
    return operation.kind != Kind::kNullIf;
}

const parse::Construct* as_row(const parse::Expression& node) {
    const auto* const construct = std::get_if<parse::Construct>(&node.node);
    return construct != nullptr && construct->name == "row value" ? construct : nullptr;
}

}  // namespace

Flow Walker::checked(Flow flow) {
    if (flow.is_leak() && !leak_) {
        leak_ = Leak{flow.secret, flow.open};
    }
    return flow;
}

Flow Walker::optional(const parse::ExpressionPtr& node, const Level& level) {
    return node == nullptr ? Flow() : expression(*node, level);
}

Flow Walker::together(const parse::Expressions& list, const Level& level) {
    Flow flow;
    for (const auto& item : list) {
        flow.add(optional(item, level));
    }
    return flow;
}

Flow Walker::expression(const parse::Expression& node, const Level& level) {
    return std::visit(
        parse::Overloaded{
            [&](const parse::Constant& constant) {
                return Flow{{}, is_plaintext(constant) ? node.begin : parse::kNowhere};
            },
            [&](const parse::Parameter& parameter) {
                return Flow{{}, is_sealed_(parameter.number) ? parse::kNowhere : node.begin};
            },
            [&](const parse::ColumnReference& reference) {
                return reference.star ? Flow() : flow_of(reference, level);
            },
            [&](const parse::Cast& cast) { return optional(cast.operand, level); },
            [&](const parse::Operation& nested) { return operation(nested, level); },
            [&](const parse::Logical& logical) {
                for (const auto& operand : logical.operands) {
                    optional(operand, level);
                }
                return Flow();
            },
            [&](const parse::NullTest& test) {
                optional(test.operand, level);
                return Flow();
            },
            [&](const parse::Call& nested) { return call(nested, level); },
            [&](const parse::Case& choice) { return one_of(choice, level); },
            [&](const parse::SubQuery& nested) { return sub_query(nested, level); },
            [&](const parse::Construct& construct) {
                return checked(together(construct.parts, level));
            },
            [](const auto& /*nothing flows from it*/) {
                return Flow();
            }},
        node.node
    );
}

std::vector<Flow> Walker::row(const parse::Expression& node, const Level& level) {
    std::vector<Flow> flows;
    if (const auto* const parts = as_row(node)) {
        for (const auto& part : parts->parts) {
            flows.push_back(optional(part, level));
        }
        return flows;
    }
    const auto* const query = std::get_if<parse::SubQuery>(&node.node);
    if (query != nullptr && query->test == nullptr && query->query != nullptr) {
        for (const NamedFlow& column : select(*query->query, &level)) {
            flows.push_back(query->kind == parse::SubQuery::Kind::kExists ? Flow() : column.flow);
        }
        return flows;
    }
    flows.push_back(expression(node, level));
    return flows;
}

/// Rows of the same width meet column by column, all else as a whole.
Flow Walker::meet(const std::vector<std::vector<Flow>>& rows) {
    const bool is_even = std::all_of(rows.begin(), rows.end(), [&](const auto& candidate) {
        return candidate.size() == rows.front().size();
    });
    std::vector<Flow> columns(is_even && !rows.empty() ? rows.front().size() : 1);
    for (const auto& flows : rows) {
        for (std::size_t i = 0; i < flows.size(); ++i) {
            columns[is_even ? i : 0].add(flows[i]);
        }
    }
    Flow all;
    for (const Flow& column : columns) {
        all.add(checked(column));
    }
    return all;
}

Flow Walker::operation(const parse::Operation& operation, const Level& level) {
    std::vector<std::vector<Flow>> rows;
    for (const auto& operand : operation.operands) {
        if (operand != nullptr) {
            rows.push_back(row(*operand, level));
        }
    }
    const Flow all = meet(rows);
    return is_comparison(operation) ? Flow() : all;
}

std::optional<Shape> Walker::shape_of_call(const parse::Call& call) const {
    const std::size_t parts = call.name.size();
    return parts == 0 ? std::nullopt
                      : shapes_.function(
                            parts > 1 ? call.name[parts - 2] : std::string(), call.name.back()
                        );
}

Flow Walker::call(const parse::Call& call, const Level& level) {
    const std::string name = call.name.empty() ? std::string() : call.name.back();
    const bool is_qualified = call.name.size() == 2 && call.name.front() == "pg_catalog";
    Flow flow = together(call.arguments, level);
    together(call.order_by, level);
    for (const auto& clause : call.clauses) {
        optional(clause, level);
    }
    together(call.over.partition_by, level);
    together(call.over.order_by, level);
    if (is_qualified && (name == "encode" || name == "decode")) {
        flow.open = parse::kNowhere;  // 'hex', as MIN and MAX are rewritten
    }
    if (const auto shape = shape_of_call(call)) {
        return {shape->name, parse::kNowhere};
    }
    return name == "count" ? Flow() : checked(flow);
}

Flow Walker::one_of(const parse::Case& choice, const Level& level) {
    const Flow tested = optional(choice.tested, level);
    for (const auto& test : choice.tests) {
        const Flow flow = optional(test, level);
        if (choice.tested != nullptr) {
            meet({{tested}, {flow}});
        }
    }
    Flow flow = together(choice.results, level);
    flow.add(optional(choice.otherwise, level));
    return checked(flow);
}

Flow Walker::sub_query(const parse::SubQuery& query, const Level& level) {
    using Kind = parse::SubQuery::Kind;
    const Columns columns = query.query == nullptr ? Columns() : select(*query.query, &level);
    if (query.kind == Kind::kExists) {
        return {};
    }
    std::vector<Flow> listed;
    for (const NamedFlow& column : columns) {
        listed.push_back(column.flow);
    }
    if (query.test != nullptr) {
        meet({row(*query.test, level), listed});
        return {};
    }
    Flow flow;
    for (const Flow& column : listed) {
        flow.add(column);
    }
    return flow;
}

}  // namespace pgveil::guard
