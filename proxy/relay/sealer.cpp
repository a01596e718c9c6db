#include "proxy/relay/sealer.hpp"

#include "keyshare/core/invariant.hpp"
#include "proxy/relay/key_source.hpp"
#include "proxy/relay/row_keys.hpp"
#include "sql/analysis/analyzer.hpp"
#include "sql/field/envelope.hpp"
#include "sql/field/plaintext.hpp"
#include "sql/types/array_elements.hpp"
#include "sql/types/codec.hpp"
#include "sql/types/convert.hpp"

#include <algorithm>

namespace pgveil::relay {

namespace {

using boost::system::result;

bool is_share(analysis::SessionParameter which) {
    return which != analysis::SessionParameter::kUserId;
}

result<std::string, Refusal> handle_for(
    SessionState& state, analysis::SessionParameter which, core::ByteView value
) {
    if (is_share(which) && !state.facts.client_is_tls) {
        return refusal(Reason::kSharesInClear, analysis::name_of(which));
    }
    if (!SessionParameters::fits(value.size())) {
        return refusal(Reason::kShareTooLong, analysis::name_of(which));
    }
    return state.parameters.remember(which, value);
}

result<std::string, Refusal> replacement_text(
    SessionState& state, const analysis::Replacement& replacement
) {
    if (const auto* const fixed = std::get_if<analysis::FixedText>(&replacement)) {
        return fixed->text;
    }
    if (const auto* const share = std::get_if<analysis::ShareHandle>(&replacement)) {
        const auto handle = handle_for(state, share->which, share->value.reveal());
        return handle.has_value() ? result<std::string, Refusal>("'" + *handle + "'") : handle;
    }
    const auto& literal = std::get<analysis::SealedLiteral>(replacement);
    const auto envelope =
        seal_value(state, *state.segment, literal.column, literal.plaintext.reveal(), literal.row);
    if (!envelope.has_value()) {
        return envelope.error();
    }
    return "E'\\\\x" + core::to_hex(*envelope) + "'::bytea";
}

result<void, Refusal> add_replacements(
    SessionState& state,
    const analysis::StatementPlan& plan,
    std::vector<rewrite::Replacement>& replacements
) {
    for (const analysis::Splice& splice : plan.splices) {
        auto text = replacement_text(state, splice.replacement);
        if (!text.has_value()) {
            return text.error();
        }
        replacements.push_back({splice.begin, splice.end, std::move(*text)});
    }
    return {};
}

types::Result<core::SecretBytes> converted_for(
    const analysis::ParameterPlan& parameter,
    types::Type from,
    core::ByteView value,
    const types::TextStyle& style
) {
    const types::Type column = parameter.column->type;
    switch (parameter.use) {
        case analysis::ParameterUse::kCompared:
            return types::convert_for_comparison(from, column, value);
        case analysis::ParameterUse::kBeside:
            return types::convert_unchanged(from, column, value, style);
        case analysis::ParameterUse::kAssigned:
        case analysis::ParameterUse::kPlain: break;
    }
    return types::convert_for_assignment(from, column, value, style);
}

/// The value a client sent for a protected parameter (or an element of it), as it is sealed.
result<core::SecretBytes, Refusal> parameter_value(
    const SessionState& state,
    const analysis::ParameterPlan& parameter,
    core::ByteView value,
    wire::Format format
) {
    types::Type from = parameter.input_type;
    const types::TextStyle& style = state.settings.style();
    auto read = format == wire::Format::kBinary
                    ? types::from_binary(from, value)
                    : types::from_text(from, core::as_text(value), style);
    if (!read.has_value()) {
        return unread_parameter(read.error(), parameter.number, format == wire::Format::kText);
    }
    for (const types::Type& cast : parameter.casts) {
        read = types::cast_explicitly(from, cast, read->reveal(), style);
        if (!read.has_value()) {
            return refusal(read.error());
        }
        from = cast;
    }
    auto converted = converted_for(parameter, from, read->reveal(), style);
    if (!converted.has_value()) {
        return refusal(converted.error());
    }
    auto plaintext = field::plaintext_of(*parameter.column, std::move(*converted));
    if (!plaintext.has_value()) {
        return refusal(plaintext.error());
    }
    return std::move(*plaintext);
}

/// A bytea[] with every element sealed.
result<core::Bytes, Refusal> sealed_array(
    SessionState& state,
    const analysis::ParameterPlan& parameter,
    core::ByteView value,
    wire::Format format
) {
    types::ByteaArray sealed;
    std::optional<Refusal> failure;
    const auto seal_element = [&](std::optional<core::ByteView> element) {
        if (!element) {
            sealed.add(std::nullopt);
            return true;
        }
        const auto plaintext = parameter_value(state, parameter, *element, format);
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
        sealed.add(core::ByteView(*envelope));
        return true;
    };
    const auto read = format == wire::Format::kBinary
                          ? types::read_array_binary(value, parameter.input_type.kind, seal_element)
                          : types::read_array_text(core::as_text(value), seal_element);
    if (!read.has_value()) {
        return unread_parameter(read.error(), parameter.number, format == wire::Format::kText);
    }
    return failure ? result<core::Bytes, Refusal>(std::move(*failure)) : sealed.finish();
}

/// The plans of `count` parameters by their place; null: nothing is done with it.
std::vector<const analysis::ParameterPlan*> plans_of(
    const analysis::StatementPlan& plan, std::size_t count
) {
    std::vector<const analysis::ParameterPlan*> plans(count, nullptr);
    for (const analysis::ParameterPlan& parameter : plan.parameters) {
        if (parameter.number >= 1 && parameter.number <= count) {
            plans[parameter.number - 1] = &parameter;
        }
    }
    return plans;
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
    SessionState& state,
    const analysis::ParameterPlan& parameter,
    std::span<const FormattedCell> sent,
    LeavingParameter& leaving
) {
    std::optional<core::Bytes> row = core::Bytes();
    if (!parameter.row.empty()) {
        auto named = row_of_parameters(parameter.row, sent, state.settings.style());
        if (!named.has_value()) {
            return named.error();
        }
        row = std::move(*named);
    }
    if (parameter.is_array) {
        auto array = sealed_array(state, parameter, *leaving.client, leaving.format);
        if (!array.has_value()) {
            return array.error();
        }
        leaving.format = wire::Format::kBinary;
        leaving.made = std::move(*array);
        return {};
    }
    const auto value = parameter_value(state, parameter, *leaving.client, leaving.format);
    if (!value.has_value()) {
        return value.error();
    }
    leaving.format = wire::Format::kBinary;
    if (!row) {
        leaving.client = std::nullopt;
        return {};
    }
    auto envelope = seal_value(state, *state.segment, parameter.column, value->reveal(), *row);
    if (!envelope.has_value()) {
        return envelope.error();
    }
    leaving.made = std::move(*envelope);
    return {};
}

result<void, Refusal> replace_value(
    SessionState& state,
    const analysis::ParameterPlan& parameter,
    std::span<const FormattedCell> sent,
    LeavingParameter& leaving
) {
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
                                       : replace_protected(state, parameter, sent, leaving);
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

result<std::vector<LeavingParameter>, Refusal> leaving_parameters(
    SessionState& state, const wire::Bind& bind, const analysis::StatementPlan& plan
) {
    std::vector<LeavingParameter> leaving;
    const std::vector<FormattedCell> sent = sent_parameters(bind);
    const auto plans = plans_of(plan, sent.size());
    leaving.reserve(sent.size());
    for (const FormattedCell& parameter_sent : sent) {
        LeavingParameter next;
        next.client = parameter_sent.cell;
        next.format = parameter_sent.format;
        const analysis::ParameterPlan* const parameter = plans[leaving.size()];
        if (parameter != nullptr && next.client) {
            const auto replaced = replace_value(state, *parameter, sent, next);
            if (!replaced.has_value()) {
                Refusal refused = replaced.error();
                name_portal(refused, bind.portal);
                return refused;
            }
        }
        leaving.push_back(std::move(next));
    }
    return leaving;
}

/// Protected columns and keys of our own in binary, the others as the client wants them.
std::vector<wire::Format> result_formats(
    const wire::Bind& bind, const analysis::StatementPlan& plan
) {
    std::vector<wire::Format> formats;
    formats.reserve(plan.results.size());
    for (const analysis::ResultColumn& column : plan.results) {
        const bool is_hidden = formats.size() >= plan.shown_results();
        formats.push_back(
            column.column != nullptr || is_hidden
                ? wire::Format::kBinary
                : static_cast<wire::Format>(bind.result_formats.code_for(formats.size()))
        );
    }
    return formats;
}

}  // namespace

result<core::Bytes, Refusal> seal_value(
    const SessionState& state,
    Segment& segment,
    const analysis::ColumnPtr& column,
    core::ByteView plaintext,
    core::ByteView row
) {
    const auto cipher = sealing_cipher(state, segment, column);
    if (!cipher.has_value()) {
        return cipher.error();
    }
    core::Bytes envelope = (*cipher)->seal(plaintext, *state.environment->random, row);
    core::invariant(
        field::parse_envelope(envelope).has_value(), "what leaves sealed is an envelope"
    );
    return envelope;
}

result<SealedText, Refusal> seal_text(
    SessionState& state,
    std::string_view user_text,
    const analysis::Analysis& analysis,
    const std::optional<RefusedStatement>& refused
) {
    std::vector<rewrite::Replacement> replacements;
    for (const analysis::Decision& decision : analysis.statements) {
        const auto* const plan = std::get_if<analysis::StatementPlan>(&decision);
        if (plan == nullptr || (refused && plan->begin >= refused->begin)) {
            break;
        }
        const auto added = add_replacements(state, *plan, replacements);
        if (!added.has_value()) {
            return added.error();
        }
    }
    if (refused) {
        replacements.push_back(
            {refused->begin, static_cast<std::uint32_t>(user_text.size()), refused->marker}
        );
    }
    rewrite::Rewritten rewritten = rewrite::apply(user_text, replacements);
    SealedText result;
    result.text = std::move(rewritten.text);
    result.positions = std::make_shared<const rewrite::PositionMap>(std::move(rewritten.map));
    return result;
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
    const auto leaving = leaving_parameters(state, bind, plan);
    if (!leaving.has_value()) {
        return leaving.error();
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
        writer.finish(result_formats(bind, plan));
    }
    return {};
}

}  // namespace pgveil::relay
