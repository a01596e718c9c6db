#include "proxy/relay/alarms.hpp"

#include "proxy/alarm/watch.hpp"
#include "proxy/relay/key_source.hpp"

#include <algorithm>
#include <array>

namespace pgveil::relay {

namespace {

using share::DenialKind;

constexpr std::array<DenialKind, 12> kSuspicious = {
    DenialKind::kUnknownUser,
    DenialKind::kWithdrawnUser,
    DenialKind::kTokenMalformed,
    DenialKind::kTokenAltered,
    DenialKind::kTokenForeign,
    DenialKind::kTokenTaken,
    DenialKind::kTokenChallenge,
    DenialKind::kTokenChannel,
    DenialKind::kUserShareWrong,
    DenialKind::kAppShareMalformed,
    DenialKind::kAppShareForeign,
    DenialKind::kAppShareWrong,
};

alarm::Origin origin_of(const SessionState& state, std::string user) {
    return {
        std::move(user),
        state.facts.login,
        state.facts.database,
        state.application,
        state.facts.id};
}

bool is_planted(const field::ProtectedColumn& column, core::ByteView value) {
    return std::any_of(
        column.poison.begin(),
        column.poison.end(),
        [text = core::as_text(value)](const std::string& planted) { return planted == text; }
    );
}

}  // namespace

std::optional<Refusal> watch_opened(
    const SessionState& state,
    const Segment& segment,
    const field::ProtectedColumn& column,
    core::ByteView value
) {
    alarm::Watch* const alarms = state.environment->alarms;
    if (alarms == nullptr || column.poison.empty() || !is_planted(column, value)) {
        return std::nullopt;
    }
    const std::string user = segment.keys->user_id();
    const auto until_s = alarms->saw(
        alarm::Kind::kPoison,
        origin_of(state, user),
        column.qualified_name(),
        state.environment->now_s()
    );
    return until_s ? std::optional(refusal(Reason::kUserLocked, user)) : std::nullopt;
}

void watch_failed_open(
    const SessionState& state, const Segment& segment, const field::ProtectedColumn& column
) {
    if (alarm::Watch* const alarms = state.environment->alarms) {
        alarms->saw(
            alarm::Kind::kFailedOpens,
            origin_of(state, segment.keys->user_id()),
            column.qualified_name(),
            state.environment->now_s()
        );
    }
}

void watch_denied(const SessionState& state, const share::Denial& denial) {
    alarm::Watch* const alarms = state.environment->alarms;
    const auto* const found = std::find(kSuspicious.begin(), kSuspicious.end(), denial.kind);
    if (alarms != nullptr && found != kSuspicious.end()) {
        alarms->saw(
            alarm::Kind::kDenied,
            origin_of(state, claimed_user(state)),
            std::string(),
            state.environment->now_s()
        );
    }
}

}  // namespace pgveil::relay
