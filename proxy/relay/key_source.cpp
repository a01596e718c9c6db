#include "proxy/relay/key_source.hpp"

#include "config/searchable.hpp"
#include "keyshare/core/invariant.hpp"
#include "proxy/relay/alarms.hpp"
#include "proxy/relay/audit.hpp"

namespace pgveil::relay {

using analysis::SessionParameter;

namespace {

share::PresentedShares shares_in_force(SessionState& state) {
    share::PresentedShares presented;
    if (const auto* const user_id = state.parameters.current(SessionParameter::kUserId)) {
        presented.user_id = core::as_text(user_id->reveal());
    }
    presented.login = state.facts.login;
    presented.token = state.parameters.current(SessionParameter::kUserToken);
    presented.app_share = state.parameters.current(SessionParameter::kAppShare);
    presented.challenges = &state.parameters.challenges();
    presented.channel = state.facts.channel;
    presented.may_finish = state.grace.covers(state.parameters.in_force());
    return presented;
}

}  // namespace

void look_at_token(SessionState& state) {
    const share::PresentedShares presented = shares_in_force(state);
    state.restriction = TokenRestriction{
        state.parameters.in_force(),
        presented.user_id,
        state.environment->custody->scope_of(presented, state.environment->now_s())};
}

std::string claimed_user(const SessionState& state) {
    if (state.parameters.must_read_back()) {
        return {};
    }
    const auto* const user_id = state.parameters.current(SessionParameter::kUserId);
    return user_id == nullptr ? std::string() : audit::harmless(core::as_text(user_id->reveal()));
}

std::optional<Refusal> ensure_keys(SessionState& state) {
    if (auto unrecorded = check_audit(state)) {
        return unrecorded;
    }
    Segment& segment = state.open_segment();
    if (segment.keys) {
        return std::nullopt;
    }
    const share::PresentedShares presented = shares_in_force(state);
    const std::int64_t now_s = state.environment->now_s();
    const metrics::Stopwatch watch(state.environment->tally->key);
    auto keys =
        state.environment->custody->rebuild(presented, now_s, state.parameters.opened_token());
    if (!keys.has_value()) {
        if (keys.error().kind == share::DenialKind::kTokenExpired) {
            state.parameters.wipe_shares();
            state.grace.end();
        }
        watch_denied(state, keys.error());
        return refusal(keys.error());
    }
    segment.keys.emplace(std::move(*keys));
    segment.built_from = state.parameters.in_force();
    if (now_s < segment.keys->token_expires_s()) {
        state.grace.begin(state.segment);
    }
    return std::nullopt;
}

analysis::NextKeys next_keys(const SessionState& state) {
    analysis::NextKeys next;
    const auto& custody = state.environment->custody;
    if (const auto keyring = custody ? custody->keyring() : nullptr) {
        for (const share::KeyringRow& row : keyring->rows) {
            if (row.state == share::KeyState::kNext) {
                next.emplace(row.group, row.key_id);
            }
        }
    }
    return next;
}

boost::system::result<field::FieldCipher*, Refusal> sealing_cipher(
    const SessionState& state, Segment& segment, const analysis::ColumnPtr& column
) {
    core::invariant(segment.keys.has_value(), "keys are rebuilt before a value is sealed");
    const auto key_id = segment.keys->sealing_key_id(
        column->group, config::is_searchable(column->scheme), column->data_key
    );
    if (!key_id.has_value()) {
        return refusal(key_id.error());
    }
    return opening_cipher(state, segment, column, *key_id);
}

boost::system::result<field::FieldCipher*, Refusal> opening_cipher(
    const SessionState& state,
    Segment& segment,
    const analysis::ColumnPtr& column,
    std::uint32_t key_id
) {
    core::invariant(segment.keys.has_value(), "keys are rebuilt before a value is opened");
    for (const ColumnCipher& known : segment.ciphers) {
        if (known.key_id == key_id && known.column == column) {
            return known.cipher.get();
        }
    }
    share::ColumnKeyRequest request{};
    request.group = column->group;
    request.context = column->context;
    request.scheme = config::name_of(column->scheme);
    request.purpose = field::key_purpose(column->scheme);
    request.size = field::key_size(column->scheme);
    request.key_id = key_id;
    const auto key = segment.keys->column_key(request);
    if (!key.has_value()) {
        return refusal(key.error());
    }
    const field::FieldKey field_key{key->key->reveal(), key->key_id};
    const field::FieldPlace place{state.environment->custody->tenant(), *column};
    segment.ciphers.push_back(
        {column, key_id, std::make_unique<field::FieldCipher>(field_key, place)}
    );
    return segment.ciphers.back().cipher.get();
}

}  // namespace pgveil::relay
