#include "sql/guard/guard.hpp"

#include "sql/analysis/rejection.hpp"
#include "sql/field/envelope.hpp"
#include "sql/guard/made_tables.hpp"
#include "sql/guard/walker.hpp"
#include "sql/parse/parser.hpp"
#include "sql/rewrite/rewrite.hpp"

#include <algorithm>
#include <array>

namespace pgveil::guard {

namespace {

/// An envelope of the right form that nobody made.
std::string stand_in(const analysis::Replacement& replacement) {
    if (const auto* const fixed = std::get_if<analysis::FixedText>(&replacement)) {
        return fixed->text;
    }
    if (std::holds_alternative<analysis::ShareHandle>(replacement)) {
        return "''";
    }
    const config::Scheme scheme = std::get<analysis::SealedLiteral>(replacement).column->scheme;
    core::Bytes envelope(field::overhead_of(scheme));
    field::write_envelope_header(
        scheme,
        0,
        std::span<std::uint8_t, field::kEnvelopeHeaderSize>(
            envelope.data(), field::kEnvelopeHeaderSize
        )
    );
    return "E'\\\\x" + core::to_hex(envelope) + "'::bytea";
}

/// What a function that stands in the policy returns.
std::optional<Shape> shape_of_result(
    const analysis::Context& context,
    const MadeTables& tables,
    const std::string& schema,
    const std::string& name
) {
    for (const config::FunctionPolicy& function : context.policy.functions()) {
        const bool is_it =
            function.name.name == name && (schema.empty() || function.name.schema == schema);
        if (is_it && function.column.empty()) {
            return tables.find(function.table.schema, function.table.name);
        }
        if (is_it) {
            const std::string table = function.table.schema + "." + function.table.name;
            return Shape{table + "." + function.column, {{std::string(), true}}};
        }
    }
    return std::nullopt;
}

analysis::Rejection refused(const Leak& leak, const analysis::StatementPlan& plan) {
    return analysis::refusal_of(
        leak.column,
        "a value that would leave unencrypted",
        "write the statement in a simpler way, and report it: this is a fault of pgveil",
        plan.begin
    );
}

/// Of the statement itself, or of the one that it prepares.
bool is_sealed(const analysis::StatementPlan& plan, std::uint32_t number) {
    if (plan.kind == analysis::StatementKind::kPrepare && plan.defined != nullptr) {
        return is_sealed(*plan.defined, number);
    }
    return std::any_of(
        plan.parameters.begin(),
        plan.parameters.end(),
        [&](const analysis::ParameterPlan& parameter) {
            return parameter.number == number && parameter.column != nullptr;
        }
    );
}

/// The arguments of EXECUTE by what the prepared statement makes of them.
std::optional<Leak> leak_of_arguments(
    const parse::Execute& execute, const analysis::StatementPlan& prepared
) {
    const ShapeOf nothing = [](const std::string&, const std::string&) {
        return std::nullopt;
    };
    const Shapes no_shapes{nothing, nothing};
    const std::function<bool(std::uint32_t)> none = [](std::uint32_t) {
        return false;
    };
    Walker walker(no_shapes, none);
    for (const analysis::ParameterPlan& parameter : prepared.parameters) {
        const bool is_given = parameter.number >= 1 &&
                              parameter.number <= execute.arguments.size() &&
                              execute.arguments[parameter.number - 1] != nullptr;
        if (is_given && parameter.column != nullptr) {
            walker.argument(
                *execute.arguments[parameter.number - 1], parameter.column->qualified_name()
            );
        }
    }
    return walker.leak();
}

/// EXECUTE, also inside EXPLAIN and CREATE TABLE AS.
const parse::Execute* execute_in(const parse::Statement& statement) {
    if (const auto* const explain = std::get_if<parse::Explain>(&statement.node)) {
        return explain->statement == nullptr ? nullptr : execute_in(*explain->statement);
    }
    if (const auto* const create = std::get_if<parse::CreateTableAs>(&statement.node)) {
        return create->source == nullptr ? nullptr : execute_in(*create->source);
    }
    return std::get_if<parse::Execute>(&statement.node);
}

std::optional<Leak> leak_of(
    const parse::Statement& statement, const analysis::StatementPlan& plan, const Shapes& shapes
) {
    const parse::Execute* const execute = execute_in(statement);
    if (execute != nullptr && plan.used != nullptr) {
        return leak_of_arguments(*execute, *plan.used);
    }
    return find_leak(statement, shapes, [&plan](std::uint32_t number) {
        return is_sealed(plan, number);
    });
}

/// Looks at every statement that concerns something protected, as it would be sent.
void check(analysis::Analysis& analysis, std::string_view sql, const analysis::Context& context) {
    const std::string text = stand_in_text(sql, analysis);
    const auto statements = parse::parse(text);
    MadeTables tables(context);
    Shapes shapes;
    shapes.function = [&](const std::string& schema, const std::string& name) {
        return shape_of_result(context, tables, schema, name);
    };
    shapes.relation = [&](const std::string& schema, const std::string& name) {
        return tables.find(schema, name);
    };
    const bool is_read = statements.has_value() && statements->size() == analysis.statements.size();
    for (std::size_t i = 0; i < analysis.statements.size(); ++i) {
        if (is_read && i > 0) {
            tables.note((*statements)[i - 1]);
        }
        auto* const plan = std::get_if<analysis::StatementPlan>(&analysis.statements[i]);
        if (plan == nullptr || plan->call || !plan->touches_protected) {
            continue;
        }
        if (!is_read) {
            analysis.statements[i] = refused(Leak{"protected tables", 0}, *plan);
            continue;
        }
        if (const auto leak = leak_of((*statements)[i], *plan, shapes)) {
            analysis.statements[i] = refused(*leak, *plan);
        }
    }
}

}  // namespace

std::string stand_in_text(std::string_view sql, const analysis::Analysis& plans) {
    std::vector<rewrite::Replacement> replacements;
    for (const analysis::Decision& decision : plans.statements) {
        if (const auto* const plan = std::get_if<analysis::StatementPlan>(&decision)) {
            for (const analysis::Splice& splice : plan->splices) {
                replacements.push_back({splice.begin, splice.end, stand_in(splice.replacement)});
            }
        }
    }
    return rewrite::apply(sql, replacements).text;
}

std::optional<Leak> find_leak(
    const parse::Statement& statement,
    const Shapes& shapes,
    const std::function<bool(std::uint32_t)>& is_sealed
) {
    Walker walker(shapes, is_sealed);
    walker.statement(statement, nullptr);
    return walker.leak();
}

analysis::Analysis analyze(std::string_view sql, const analysis::Context& context) {
    analysis::Analysis analysis = analysis::analyze(sql, context);
    const bool is_concerned = std::any_of(
        analysis.statements.begin(),
        analysis.statements.end(),
        [](const analysis::Decision& decision) {
            const auto* const plan = std::get_if<analysis::StatementPlan>(&decision);
            return plan != nullptr && plan->touches_protected;
        }
    );
    if (is_concerned && !analysis.parse_failed) {
        check(analysis, sql, context);
    }
    return analysis;
}

}  // namespace pgveil::guard
