#include "keyshare/store/custody_impl.hpp"
#include "keyshare/store/token_check.hpp"

#include <algorithm>

// First uses and counts of tokens that several proxies see: the store decides, one after the other.
namespace pgveil::store {
namespace {

using share::DenialKind;
using share::Verdict;

ClaimedToken as_known(const TokenClaim& claim) {
    return {
        claim.login,
        claim.expires_s,
        {claim.uses, claim.uses},
        {claim.statements, claim.statements}};
}

std::uint32_t& count_in(TokenClaim& claim, Counted what) {
    return what == Counted::kUses ? claim.uses : claim.statements;
}

}  // namespace

Verdict<void> ProxyCustody::Impl::claim_shared(const Rebuilt& rebuilt, const std::string& login) {
    const share::Nonce& nonce = rebuilt.token->contents.nonce;
    const auto is_own = [&](const std::string& owner) {
        return owner == login ? Verdict<void>() : Verdict<void>(token_taken());
    };
    if (const auto known = nonces_.find(nonce)) {
        return is_own(known->login);
    }
    const std::scoped_lock lock(claiming(nonce));
    if (const auto known = nonces_.find(nonce)) {
        return is_own(known->login);
    }
    const std::int64_t until_s = rebuilt.keys.grace_ends_s();
    if (nonces_.may_be_forgotten({rebuilt.token->contents.issued_at_s, until_s})) {
        return token_forgotten();
    }
    const TokenClaim claim{nonce, login, until_s};
    const auto standing = store_.claims().add(claim, core::system_random());
    if (!standing.has_value()) {
        return deny(
            DenialKind::kStoreUnavailable,
            "the proxy cannot write down the first use of the user token, so it does not accept "
            "it: " +
                standing.error().message
        );
    }
    const TokenClaim& first = *standing ? **standing : claim;
    nonces_.restore(nonce, as_known(first));
    return is_own(first.login);
}

/// Adds one to what stands in the store. False: none is left.
Result<bool> ProxyCustody::Impl::count_shared(
    const share::Nonce& nonce, Counted what, std::uint32_t limit
) {
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
        auto standing = store_.claims().find(nonce);
        if (!standing.has_value()) {
            return standing.error();
        }
        TokenClaim& claim = standing->claim;
        auto known = nonces_.find(nonce);
        if (known && count_in(claim, what) < known->count(what).given) {
            return broken_store("has put back the count of a token");
        }
        if (count_in(claim, what) >= limit) {
            nonces_.restore(nonce, as_known(claim));
            return false;
        }
        ++count_in(claim, what);
        const auto counted =
            store_.claims().replace(claim, standing->sealed, core::system_random());
        if (!counted.has_value()) {
            return counted.error();
        }
        if (*counted) {
            nonces_.restore(nonce, as_known(claim));
            return true;
        }
    }
    return Error{ErrorCode::kUnavailable, "too many proxies count the same token at once"};
}

Verdict<void> ProxyCustody::Impl::give_shared(
    const share::Nonce& nonce, Counted what, std::uint32_t limit
) {
    const std::scoped_lock lock(claiming(nonce));
    const auto counted = count_shared(nonce, what, limit);
    if (!counted.has_value()) {
        return deny(
            DenialKind::kStoreUnavailable,
            "the proxy cannot write down the use of the user token, so it does not accept it: " +
                counted.error().message
        );
    }
    return *counted ? Verdict<void>() : Verdict<void>(spent(what, limit));
}

}  // namespace pgveil::store
