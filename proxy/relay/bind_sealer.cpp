#include "keyshare/core/invariant.hpp"
#include "proxy/relay/parameter_value.hpp"
#include "proxy/relay/sealed_values.hpp"
#include "proxy/relay/sealer.hpp"
#include "sql/analysis/analyzer.hpp"
#include "sql/analysis/rejection.hpp"
#include "sql/parse/expression.hpp"
#include "sql/types/array_elements.hpp"

#include <algorithm>

// The values of a Bind as they leave.
namespace pgveil::relay {

using boost::system::result;

namespace {

/// The values of one Bind, and what is known of those that were sealed.
struct Binding {
    SessionState& state;
    const analysis::StatementPlan& plan;
    std::span<const FormattedCell> sent;
    /// Values leave unencrypted that have to be compared with those that are sealed.
    bool has_open_values = false;
    SealedValues sealed = {};
};

/// The value of a protected parameter (or an element of it), as it is sealed.
result<core::SecretBytes, Refusal> parameter_value(
    Binding& binding, const analysis::ParameterPlan& parameter, const FormattedCell& sent
) {
    const types::TextStyle& style = binding.state.settings.style();
    auto value = read_parameter(parameter, sent, style);
    if (!value.has_value()) {
        return value.error();
    }
    if (binding.has_open_values) {
        binding.sealed.add(parameter, sent, value->reveal(), style);
    }
    return plaintext_of_parameter(parameter, std::move(*value), style);
}

/// A bytea[] with every element sealed.
result<core::Bytes, Refusal> sealed_array(
    Binding& binding, const analysis::ParameterPlan& parameter, const FormattedCell& sent
) {
    SessionState& state = binding.state;
    types::ByteaArray sealed;
    std::optional<Refusal> failure;
    const auto seal_element = [&](std::optional<core::ByteView> element) {
        if (!element) {
            sealed.add(std::nullopt);
            return true;
        }
        const auto plaintext = parameter_value(binding, parameter, {*element, sent.format});
        if (!plaintext.has_value()) {
            failure = plaintext.error();
            return false;
        }
        const auto envelope =
            seal_value(state, *state.segment, parameter.column, plaintext->reveal(), {});
        if (!envelope.has_value()) {
            failure = envelope.error();
            return false;
        }
        sealed.add(*envelope);
        return true;
    };
    const bool is_text = sent.format == wire::Format::kText;
    const auto read =
        is_text ? types::read_array_text(
                      core::as_text(*sent.cell), state.settings.style(), seal_element
                  )
                : types::read_array_binary(*sent.cell, parameter.input_type.kind, seal_element);
    if (!read.has_value()) {
        return unread_parameter(
            refusal(read.error(), parameter.column.get()), parameter.client_number(), is_text
        );
    }
    return failure ? result<core::Bytes, Refusal>(std::move(*failure)) : sealed.finish();
}

/// Plans are ordered by their numbers.
const analysis::ParameterPlan* plan_of(const analysis::StatementPlan& plan, std::size_t index) {
    const auto found = std::lower_bound(
        plan.parameters.begin(),
        plan.parameters.end(),
        index + 1,
        [](const analysis::ParameterPlan& candidate, std::size_t number) {
            return candidate.number < number;
        }
    );
    return found == plan.parameters.end() || found->number != index + 1 ? nullptr : &*found;
}

/// One parameter as it leaves: its own bytes (made here) or the client's.
struct LeavingParameter {
    std::optional<core::Bytes> made;
    wire::Cell client;
    wire::Format format = wire::Format::kText;

    wire::Cell cell() const { return made ? wire::Cell(wire::ByteView(*made)) : client; }
};

/// A value of a protected column, sealed; NULL when it is for a row that cannot be.
result<void, Refusal> replace_protected(
    Binding& binding, const analysis::ParameterPlan& parameter, LeavingParameter& leaving
) {
    SessionState& state = binding.state;
    const FormattedCell sent{leaving.client, leaving.format};
    std::optional<core::Bytes> row = core::Bytes();
    if (!parameter.row.empty()) {
        auto named = row_of_parameters(parameter.row, binding.sent, state.settings.style());
        if (!named.has_value()) {
            return named.error();
        }
        row = std::move(*named);
    }
    if (parameter.is_array) {
        auto array = sealed_array(binding, parameter, sent);
        if (!array.has_value()) {
            return array.error();
        }
        leaving.format = wire::Format::kBinary;
        leaving.made = std::move(*array);
        return {};
    }
    const auto value = parameter_value(binding, parameter, sent);
    if (!value.has_value()) {
        return value.error();
    }
    leaving.format = wire::Format::kBinary;
    if (!row) {
        leaving.client = std::nullopt;
        return {};
    }
    const auto envelope =
        seal_value(state, *state.segment, parameter.column, value->reveal(), *row);
    if (!envelope.has_value()) {
        return envelope.error();
    }
    leaving.made.emplace(envelope->begin(), envelope->end());
    return {};
}

/// One byte that says: not NULL.
result<void, Refusal> replace_tested(
    const types::TextStyle& style,
    const analysis::ParameterPlan& parameter,
    LeavingParameter& leaving
) {
    if (parameter.described_oid != 0) {  // else the server has refused the statement
        auto read = read_parameter(parameter, {leaving.client, leaving.format}, style);
        if (!read.has_value()) {
            return read.error();
        }
        const auto cast = cast_parameter(parameter, std::move(*read), style);
        if (!cast.has_value()) {
            return cast.error();
        }
    }
    leaving.format = wire::Format::kBinary;
    leaving.made = core::Bytes(1);
    return {};
}

result<void, Refusal> replace_value(
    Binding& binding, const analysis::ParameterPlan& parameter, LeavingParameter& leaving
) {
    SessionState& state = binding.state;
    if (parameter.is_null_test) {
        return replace_tested(state.settings.style(), parameter, leaving);
    }
    if (parameter.is_parameter_name) {
        const std::string_view name = core::as_text(*leaving.client);
        if (analysis::is_veil_parameter_name(name)) {
            return refusal(Reason::kReservedParameterName, name);
        }
        return {};
    }
    if (parameter.handle) {
        const auto handle = handle_for(state, *parameter.handle, *leaving.client);
        if (!handle.has_value()) {
            return handle.error();
        }
        leaving.made = core::to_bytes(core::as_bytes(*handle));
        return {};
    }
    return parameter.column == nullptr ? result<void, Refusal>()
                                       : replace_protected(binding, parameter, leaving);
}

/// What the client sent, to be read in any order.
std::vector<FormattedCell> sent_parameters(const wire::Bind& bind) {
    std::vector<FormattedCell> sent;
    sent.reserve(bind.parameters.size());
    for (const wire::Cell& cell : bind.parameters) {
        const std::int16_t format = bind.parameter_formats.code_for(sent.size());
        sent.push_back({cell, static_cast<wire::Format>(format)});
    }
    return sent;
}

result<LeavingParameter, Refusal> leaving_parameter(
    Binding& binding, const FormattedCell& sent, const analysis::ParameterPlan* parameter
) {
    LeavingParameter leaving;
    leaving.client = sent.cell;
    leaving.format = sent.format;
    if (parameter != nullptr && sent.cell) {
        const auto replaced = replace_value(binding, *parameter, leaving);
        if (!replaced.has_value()) {
            return replaced.error();
        }
    }
    return leaving;
}

/// The client's parameters, and behind them the values that leave in a further form.
result<std::vector<LeavingParameter>, Refusal> leaving_parameters(Binding& binding) {
    std::vector<LeavingParameter> leaving;
    const std::size_t count = binding.sent.size() + binding.plan.split_parameters;
    leaving.reserve(count);
    while (leaving.size() < count) {
        const analysis::ParameterPlan* const parameter = plan_of(binding.plan, leaving.size());
        core::invariant(
            leaving.size() < binding.sent.size() || parameter != nullptr,
            "a further parameter has a plan"
        );
        const std::size_t source =
            parameter == nullptr ? leaving.size() : parameter->client_number() - 1;
        auto next = leaving_parameter(binding, binding.sent[source], parameter);
        if (!next.has_value()) {
            return next.error();
        }
        leaving.push_back(std::move(*next));
    }
    return leaving;
}

/// What leaves under the client's number `index` + 1 is what the client sent.
bool leaves_open(const analysis::StatementPlan& plan, std::size_t index) {
    const analysis::ParameterPlan* const parameter = plan_of(plan, index);
    return parameter == nullptr ||
           (parameter->column == nullptr && !parameter->is_null_test && !parameter->handle);
}

bool seals_values(const analysis::StatementPlan& plan) {
    return std::any_of(plan.parameters.begin(), plan.parameters.end(), [](const auto& parameter) {
        return parameter.column != nullptr;
    });
}

/// A value that is sealed here and leaves open here, too.
analysis::ColumnPtr repeated_column(const Binding& binding) {
    if (binding.sealed.is_empty()) {
        return nullptr;
    }
    for (std::size_t i = 0; i < binding.sent.size(); ++i) {
        auto column = leaves_open(binding.plan, i) ? binding.sealed.find(binding.sent[i]) : nullptr;
        if (column != nullptr) {
            return column;
        }
    }
    for (const std::size_t hash : binding.plan.open_texts) {
        if (auto column = binding.sealed.find_text(hash)) {
            return column;
        }
    }
    return nullptr;
}

result<void, Refusal> check_repeated(Binding& binding) {
    const analysis::ColumnPtr column = repeated_column(binding);
    if (column == nullptr) {
        return {};
    }
    if (binding.state.policy->repeated_values() == config::RepeatedValues::kCount) {
        note_repeated(binding.state, std::span(&column, 1));
        return {};
    }
    return refusal(
        analysis::refusal_of_column(
            *column,
            "the same value in an unprotected place, too",
            analysis::kRepeatedHint,
            parse::kNowhere
        ),
        {}
    );
}

bool has_open_values(const analysis::StatementPlan& plan, std::size_t count) {
    if (!seals_values(plan)) {
        return false;
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (leaves_open(plan, i)) {
            return true;
        }
    }
    return !plan.open_texts.empty();
}

/// PostgreSQL's error, with the numbers as the client counts.
Refusal wrong_count(const wire::Bind& bind, std::size_t expected) {
    Refusal result;
    result.sqlstate = "08P01";
    result.message = "bind message supplies " + std::to_string(bind.parameters.size()) +
                     " parameters, but prepared statement \"" + std::string(bind.statement) +
                     "\" requires " + std::to_string(expected);
    return result;
}

}  // namespace

std::vector<wire::Format> result_formats(
    const wire::FormatCodes& wanted, const analysis::StatementPlan& plan
) {
    std::vector<wire::Format> formats;
    formats.reserve(plan.results.size());
    for (const analysis::ResultColumn& column : plan.results) {
        const bool is_hidden = formats.size() >= plan.shown_results();
        formats.push_back(
            column.column != nullptr || is_hidden
                ? wire::Format::kBinary
                : static_cast<wire::Format>(wanted.code_for(formats.size()))
        );
    }
    return formats;
}

result<void, Refusal> seal_bind(
    SessionState& state,
    const wire::Bind& bind,
    const analysis::StatementPlan& plan,
    wire::Output& upstream
) {
    if (!bind.parameter_formats.fits(bind.parameters.size()) ||
        (!plan.results.empty() && !bind.result_formats.fits(plan.shown_results()))) {
        return refusal(Reason::kBadParameter, "format codes");
    }
    if (plan.split_parameters != 0 && bind.parameters.size() != plan.parameter_count) {
        return wrong_count(bind, plan.parameter_count);
    }
    metrics::Tally& tally = *state.environment->tally;
    const metrics::Stopwatch watch(tally.seal, tally.values_sealed);
    const std::vector<FormattedCell> sent = sent_parameters(bind);
    Binding binding{state, plan, sent, has_open_values(plan, sent.size())};
    const auto leaving = leaving_parameters(binding);
    if (!leaving.has_value()) {
        Refusal refused = leaving.error();
        name_portal(refused, bind.portal);
        return refused;
    }
    const auto repeated = check_repeated(binding);
    if (!repeated.has_value()) {
        return repeated.error();
    }
    std::vector<wire::Format> formats;
    formats.reserve(leaving->size());
    for (const LeavingParameter& parameter : *leaving) {
        formats.push_back(parameter.format);
    }
    wire::BindWriter writer(
        upstream,
        {bind.portal, bind.statement},
        formats,
        static_cast<std::uint16_t>(leaving->size())
    );
    for (const LeavingParameter& parameter : *leaving) {
        writer.add(parameter.cell());
    }
    if (plan.results.empty()) {
        writer.finish(bind.result_formats);
    } else {
        writer.finish(result_formats(bind.result_formats, plan));
    }
    return {};
}

}  // namespace pgveil::relay
