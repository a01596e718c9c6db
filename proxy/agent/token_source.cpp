#include "proxy/agent/token_source.hpp"

#include "keyshare/core/jws.hpp"
#include "keyshare/core/random.hpp"

#include <algorithm>

namespace pgveil::agent {

namespace {

/// A refusal has many reasons; a new token key is one that asking again would find.
constexpr std::int64_t kDoubtEverySeconds = 5;

}  // namespace

bool TokenSource::is_ready(const share::UserKey& key, std::int64_t now_s) const {
    const std::int64_t skew_s = answers_challenges_ ? share::kUncertainClockSkewS : 0;
    return statement_ && now_s < statement_->not_after_s + skew_s &&
           statement_->tenant == key.tenant &&
           std::ranges::equal(identity_, key.proxy_identity.bytes());
}

user::Result<void> TokenSource::take(
    const share::UserKey& key, std::string_view statement, std::int64_t now_s
) {
    const core::VerifyingKey identity(key.proxy_identity);
    const std::int64_t skew_s =
        answers_challenges_ ? share::kUncertainClockSkewS : share::kStatementSkewS;
    auto verified = share::verify_statement(statement, identity, key.tenant, now_s, skew_s);
    if (!verified) {
        return user::failed(
            "the token key is not that of the proxy that the key of user " + key.user_id +
            " knows: " + verified.error().message
        );
    }
    statement_ = std::move(*verified);
    identity_ = core::to_bytes(key.proxy_identity.bytes());
    taken_at_s_ = now_s;
    return {};
}

void TokenSource::doubt(std::int64_t now_s) {
    if (now_s - taken_at_s_ >= kDoubtEverySeconds) {
        statement_.reset();
    }
}

user::Result<core::SecretBytes> TokenSource::make(
    const share::UserKey& key, const share::TokenScope& scope, std::int64_t now_s
) const {
    core::invariant(is_ready(key, now_s), "a token is made for a token key that is known");
    auto token =
        share::make_token(key, statement_->key, {now_s, valid_s_}, core::system_random(), scope);
    if (!token) {
        return user::failed("no token can be made: " + token.error().message);
    }
    return std::move(*token);
}

}  // namespace pgveil::agent
