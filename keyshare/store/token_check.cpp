#include "keyshare/store/token_check.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/share/commitment.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>
#include <utility>

namespace pgveil::store {
namespace {

using share::Denial;
using share::DenialKind;
using share::Verdict;

constexpr std::string_view kNewToken = "; make a new one with pgveil-user token";

Denial token_denial(const share::Error& error) {
    const std::string message = "the user token cannot be used: " + error.message;
    switch (error.code) {
        case share::ErrorCode::kForged: return deny(DenialKind::kTokenAltered, message);
        case share::ErrorCode::kForeign: return deny(DenialKind::kTokenForeign, message);
        case share::ErrorCode::kMalformed:
        case share::ErrorCode::kOutOfOrder:
        case share::ErrorCode::kExpired:
        case share::ErrorCode::kUnsupported:
        case share::ErrorCode::kInvalidArgument:
        case share::ErrorCode::kUnknownGroup:
        case share::ErrorCode::kUnknownKey:
        case share::ErrorCode::kFailed: break;
    }
    return deny(DenialKind::kTokenMalformed, message);
}

const TokenKeyRecord* find_token_key(const RebuildContext& context, std::uint32_t key_id) {
    const auto& keys = context.snapshot.token_keys;
    const auto found = std::ranges::find(keys, key_id, &TokenKeyRecord::key_id);
    return found == keys.end() ? nullptr : &*found;
}

std::vector<share::Digest> commitments_of(
    const share::TokenContents& token, std::string_view tenant
) {
    std::vector<share::Digest> made;
    made.reserve(token.groups.size());
    for (const auto& [group, part] : token.groups) {
        made.push_back(share::commitment_of(part, {tenant, token.user_id, group, token.epoch}));
    }
    return made;
}

// A restriction that is not understood is never left out.
Verdict<share::TokenScopePtr> scope_of(const share::TokenContents& token) {
    if (token.scope.empty()) {
        return share::TokenScopePtr();
    }
    auto scope = share::parse_token_scope(token.scope);
    if (!scope.has_value()) {
        return deny(
            DenialKind::kTokenScope,
            "the user token carries a restriction (scope) that this version cannot enforce, " +
                scope.error().message + ": make one without, or update the proxy"
        );
    }
    return std::make_shared<const share::TokenScope>(*std::move(scope));
}

// A token that answers a challenge counts from when that was given, by P's clock, and the challenge
// is its nonce. One that is valid for too long keeps its times, and is refused for them.
void place_in_time(
    const RebuildContext& context,
    std::int64_t given_at_s,
    const share::Nonce& challenge,
    share::TokenContents& token
) {
    const std::int64_t validity_s = token.expires_at_s - token.issued_at_s;
    if (validity_s <= context.limits.max_validity_s) {
        token.issued_at_s = given_at_s;
        token.expires_at_s = given_at_s + validity_s;
    }
    token.nonce = challenge;
}

Denial foreign_challenge() {
    return deny(
        DenialKind::kTokenChallenge,
        "the user token answers no challenge of this session, or one that is too old: ask for one "
        "here (SELECT pgveil.challenge()) and make a new token with pgveil-user token --challenge"
    );
}

Verdict<OpenedTokenPtr> open_token(
    const RebuildContext& context, const share::PresentedShares& presented
) {
    const core::ByteView text = presented.token->reveal();
    const auto sealed = share::parse_token(text);
    if (!sealed.has_value()) {
        return token_denial(sealed.error());
    }
    const TokenKeyRecord* key = find_token_key(context, sealed->key_id);
    const auto& spent = context.snapshot.spent_token_keys;
    if (const auto found = spent.find(sealed->key_id); key == nullptr && found != spent.end()) {
        return deny(
            DenialKind::kTokenKeyDestroyed,
            "the user token is too old: the token key it is sealed to was destroyed on " +
                utc_text(found->second) +
                "; get the present one (SELECT pgveil.token_key()) and make a new token"
        );
    }
    if (key == nullptr) {
        return deny(
            DenialKind::kTokenKeyUnknown,
            "the user token is sealed to a key that this proxy does not hold: it was made for "
            "another proxy, or "
            "long ago; get the token key again (SELECT pgveil.token_key()) and make a new token"
        );
    }
    auto contents = share::open_token(*sealed, *key->pair, context.tenant);
    if (!contents.has_value()) {
        return token_denial(contents.error());
    }
    auto scope = scope_of(*contents);
    if (!scope.has_value()) {
        return scope.error();
    }
    if (*scope != nullptr && (*scope)->challenge) {
        const share::Nonce& challenge = *(*scope)->challenge;
        const auto given_at_s = presented.challenges == nullptr
                                    ? std::nullopt
                                    : presented.challenges->given_at_s(challenge);
        if (!given_at_s) {
            return foreign_challenge();
        }
        place_in_time(context, *given_at_s, challenge, *contents);
    }
    auto commitments = commitments_of(*contents, context.tenant);
    return std::make_shared<const OpenedToken>(OpenedToken{
        *std::move(contents),
        sealed->key_id,
        core::sha256(text),
        std::move(commitments),
        *std::move(scope)});
}

Verdict<void> check_times(
    const RebuildContext& context, const share::TokenContents& token, std::int64_t grace_s
) {
    const std::int64_t validity_s = token.expires_at_s - token.issued_at_s;
    if (validity_s > context.limits.max_validity_s) {
        return deny(
            DenialKind::kTokenValidTooLong,
            "the user token is valid for " + std::to_string(validity_s) +
                " s, but this proxy allows at most " +
                std::to_string(context.limits.max_validity_s) + " s" + std::string(kNewToken)
        );
    }
    if (context.now_s >= token.expires_at_s + grace_s) {
        return deny(
            DenialKind::kTokenExpired,
            "the user token expired on " + utc_text(token.expires_at_s) + ", " +
                std::to_string(context.now_s - token.expires_at_s) + " s ago" +
                (grace_s > 0
                     ? ", and its transaction had " + std::to_string(grace_s) + " s more to finish"
                     : std::string()) +
                std::string(kNewToken) +
                ", and if it was new compare the clocks of the user's machine and the proxy"
        );
    }
    if (token.issued_at_s > context.now_s + context.limits.clock_skew_s) {
        return deny(
            DenialKind::kTokenNotYetValid,
            "the user token is not valid before " + utc_text(token.issued_at_s) + ", " +
                std::to_string(token.issued_at_s - context.now_s) +
                " s from now: compare the clocks of the user's machine and the proxy"
        );
    }
    return {};
}

Verdict<void> check_challenge(
    const RebuildContext& context,
    const OpenedToken& opened,
    const share::PresentedShares& presented
) {
    const bool answers = opened.scope != nullptr && opened.scope->challenge;
    if (!answers && context.limits.challenge.covers(presented.user_id)) {
        return deny(
            DenialKind::kChallengeMissing,
            "the user token answers no challenge, which this proxy demands of user \"" +
                presented.user_id +
                "\": ask for one in this session (SELECT pgveil.challenge()) and make a new token "
                "with pgveil-user token --challenge"
        );
    }
    if (!answers) {
        return {};
    }
    const share::Nonce& challenge = *opened.scope->challenge;
    if (presented.challenges == nullptr || !presented.challenges->given_at_s(challenge)) {
        return foreign_challenge();
    }
    if (!presented.challenges->is_open_to(challenge, opened.text)) {
        return deny(
            DenialKind::kTokenChallenge,
            "the user token answers a challenge that another token has answered: each needs one of "
            "its own (SELECT pgveil.challenge())"
        );
    }
    return {};
}

Verdict<void> check_token(
    const RebuildContext& context,
    const OpenedToken& opened,
    const share::PresentedShares& presented
) {
    const share::TokenContents& token = opened.contents;
    if (token.audience != context.identity_fingerprint) {
        return deny(
            DenialKind::kTokenForeign,
            "the user token was made for another proxy: its user key pins another proxy identity"
        );
    }
    if (token.user_id != presented.user_id) {
        return deny(
            DenialKind::kTokenForeign,
            "the user token is of user \"" + token.user_id + "\", but pgveil.user_id is \"" +
                presented.user_id + "\""
        );
    }
    if (opened.scope != nullptr && !opened.scope->role.empty() &&
        opened.scope->role != presented.login) {
        return deny(
            DenialKind::kTokenRole,
            "the user token is for database role \"" + opened.scope->role +
                "\" only (scope role), but this session is of \"" + presented.login +
                "\": log in as that role, or make a token for this one"
        );
    }
    if (opened.scope != nullptr && opened.scope->tls && opened.scope->tls != presented.channel) {
        return deny(
            DenialKind::kTokenChannel,
            "the user token is for one TLS connection to this proxy (scope tls), and this session "
            "has come on another one, or without TLS: make a token for this connection, or one "
            "without that restriction where something between ends TLS"
        );
    }
    if (auto checked = check_challenge(context, opened, presented); !checked.has_value()) {
        return checked;
    }
    return check_times(context, token, presented.may_finish ? context.limits.grace_s : 0);
}

}  // namespace

share::Denial deny(share::DenialKind kind, std::string message) {
    return Denial{kind, std::move(message)};
}

std::string utc_text(std::int64_t seconds) {
    const auto moment = static_cast<std::time_t>(seconds);
    std::tm parts{};
    std::array<char, 32> text{};
    if (::gmtime_r(&moment, &parts) == nullptr ||
        std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts) == 0) {
        return std::to_string(seconds);
    }
    return text.data();
}

Verdict<OpenedTokenPtr> open_and_check_token(
    const RebuildContext& context,
    const share::PresentedShares& presented,
    const OpenedTokenPtr& opened
) {
    const bool is_open = opened != nullptr && find_token_key(context, opened->key_id) != nullptr;
    auto token = is_open ? Verdict<OpenedTokenPtr>(opened) : open_token(context, presented);
    if (!token.has_value()) {
        return token;
    }
    const auto checked = check_token(context, **token, presented);
    if (!checked.has_value()) {
        return checked.error();
    }
    return token;
}

}  // namespace pgveil::store
