#include "keyshare/store/custody_impl.hpp"
#include "keyshare/store/token_check.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace pgveil::store {
namespace {

using share::DenialKind;
using share::Verdict;

// One synced write serves so many statements: at most a sixteenth of a count is lost with the
// process.
std::uint32_t batch_of(Counted what, std::uint32_t limit) {
    return what == Counted::kUses ? 1 : std::clamp<std::uint32_t>(limit / 16, 1, 64);
}

share::Denial spent(std::uint32_t limit, std::string_view what, std::string_view name) {
    return deny(
        DenialKind::kTokenSpent,
        "the user token was used for " + std::to_string(limit) + " " + std::string(what) +
            ", which is all that it allows (scope " + std::string(name) +
            "): make a new one with pgveil-user token"
    );
}

}  // namespace

share::Denial spent(Counted what, std::uint32_t limit) {
    return what == Counted::kUses
               ? spent(limit, limit == 1 ? "session" : "sessions", "uses")
               : spent(limit, limit == 1 ? "statement" : "statements", "statements");
}

share::Denial token_taken() {
    return deny(
        DenialKind::kTokenTaken,
        "the user token was already used by another database login: each login needs a token of "
        "its own"
    );
}

share::Denial token_forgotten() {
    return deny(
        DenialKind::kTokenExpired,
        "the user token was over before the proxy's clock was set back: make a new one with "
        "pgveil-user token, and have the proxy's clock looked at"
    );
}

share::TokenScopePtr ProxyCustody::Impl::scope_of(
    const share::PresentedShares& presented, std::int64_t now_s
) const {
    if (presented.token == nullptr || presented.token->empty()) {
        return nullptr;
    }
    const SnapshotPtr snapshot = snapshot_.current();
    const auto token = open_and_check_token(
        {tenant_, fingerprint_, limits_, *snapshot, now_s}, presented, nullptr
    );
    return token.has_value() ? (*token)->scope : nullptr;
}

Verdict<void> ProxyCustody::Impl::count_use(const Rebuilt& rebuilt, OpenedTokens::Slot& slot) {
    const share::TokenScope& scope = *rebuilt.keys.scope();
    const share::Nonce& nonce = rebuilt.keys.nonce();
    if (scope.statements > 0) {
        const auto claimed = nonces_.find(nonce);
        if (!claimed || claimed->statements.given >= scope.statements) {
            return spent(Counted::kStatements, scope.statements);
        }
    }
    if (scope.uses == 0 || slot.is_counted(nonce)) {
        return {};
    }
    const auto given = give(nonce, Counted::kUses, scope.uses);
    if (!given.has_value()) {
        return given;
    }
    slot.note_counted(nonce);
    return {};
}

Verdict<void> ProxyCustody::Impl::count_statement(const share::RequestKeys& keys) {
    const std::uint32_t limit = keys.scope() == nullptr ? 0 : keys.scope()->statements;
    return limit == 0 ? Verdict<void>() : give(keys.nonce(), Counted::kStatements, limit);
}

Verdict<void> ProxyCustody::Impl::give(
    const share::Nonce& nonce, Counted what, std::uint32_t limit
) {
    if (place_) {
        return give_shared(nonce, what, limit);
    }
    if (nonces_.give(nonce, what)) {
        return {};
    }
    const std::scoped_lock lock(writer_);
    if (nonces_.give(nonce, what)) {
        return {};  // another thread has reserved some
    }
    const auto reserved = reserve(nonce, what, limit);
    if (!reserved.has_value()) {
        return reserved;
    }
    return nonces_.give(nonce, what) ? Verdict<void>() : spent(what, limit);
}

// The caller holds writer_, so nobody else reserves.
Verdict<void> ProxyCustody::Impl::reserve(
    const share::Nonce& nonce, Counted what, std::uint32_t limit
) {
    auto claimed = nonces_.find(nonce);
    const std::uint32_t before = claimed ? claimed->count(what).reserved : limit;
    if (before >= limit) {
        return spent(what, limit);
    }
    const std::uint32_t more = std::min(limit - before, batch_of(what, limit));
    claimed->count(what).reserved = before + more;
    const auto standing = store_.claims().find(nonce);
    const TokenClaim claim{
        nonce,
        claimed->login,
        claimed->expires_s,
        claimed->uses.reserved,
        claimed->statements.reserved};
    const auto written =
        standing.has_value()
            ? store_.claims().replace(claim, standing->sealed, core::system_random())
            : standing.error();
    if (!written.has_value()) {
        return deny(
            DenialKind::kStoreUnavailable,
            "the proxy cannot write down the use of the user token, so it does not accept it: " +
                written.error().message
        );
    }
    nonces_.reserve(nonce, what, before + more);
    return {};
}

}  // namespace pgveil::store
