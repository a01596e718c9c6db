#include "proxy/relay/sealer.hpp"

#include "keyshare/core/invariant.hpp"
#include "proxy/relay/key_source.hpp"
#include "sql/analysis/analyzer.hpp"
#include "sql/field/envelope.hpp"

#include <algorithm>

namespace pgveil::relay {

using boost::system::result;

namespace {

bool is_share(analysis::SessionParameter which) {
    return which != analysis::SessionParameter::kUserId;
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
    note_repeated(state, plan.repeated);
    for (const analysis::Splice& splice : plan.splices) {
        auto text = replacement_text(state, splice.replacement);
        if (!text.has_value()) {
            return text.error();
        }
        replacements.push_back({splice.begin, splice.end, std::move(*text)});
    }
    return {};
}

}  // namespace

void note_repeated(SessionState& state, std::span<const analysis::ColumnPtr> columns) {
    for (const analysis::ColumnPtr& column : columns) {
        state.environment->tally->repeated_values.add();
        if (state.environment->on_repeated) {
            state.environment->on_repeated(state.facts.id, column->qualified_name());
        }
    }
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

result<core::ByteView, Refusal> seal_value(
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
    const core::ByteView envelope =
        (*cipher)->seal_in(segment.room.envelope, plaintext, *state.environment->random, row);
    core::invariant(
        field::parse_envelope(envelope).has_value(), "what leaves sealed is an envelope"
    );
    state.environment->tally->values_sealed.add();
    return envelope;
}

result<SealedText, Refusal> seal_text(
    SessionState& state,
    std::string_view user_text,
    const analysis::Analysis& analysis,
    const std::optional<RefusedStatement>& refused
) {
    metrics::Tally& tally = *state.environment->tally;
    const metrics::Stopwatch watch(tally.seal, tally.values_sealed);
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

}  // namespace pgveil::relay
