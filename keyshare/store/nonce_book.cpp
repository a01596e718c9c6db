#include "keyshare/store/nonce_book.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::store {
namespace {

void raise(std::atomic<std::int64_t>& highest, std::int64_t value) {
    std::int64_t known = highest;
    while (known < value && !highest.compare_exchange_weak(known, value)) {
    }
}

}  // namespace

Claim NonceBook::claim(
    const share::Nonce& nonce, std::string_view login, TokenSpan span, std::int64_t now_s
) {
    Shelf& shelf = shelf_of(nonce);
    const std::scoped_lock lock(shelf.mutex);
    const auto known = shelf.claims.find(nonce);
    if (known != shelf.claims.end()) {
        return known->second.login == login ? Claim::kOwn : Claim::kTaken;
    }
    if (may_be_forgotten(span)) {
        return Claim::kForgotten;
    }
    raise(newest_issued_s_, span.issued_s);
    if (shelf.claims.size() >= shelf.tidy_at) {
        forget_expired(shelf, now_s);
        shelf.tidy_at = std::max<std::size_t>(1024, 2 * shelf.claims.size());
    }
    shelf.claims.emplace(nonce, ClaimedToken{std::string(login), span.expires_s});
    return Claim::kFirst;
}

void NonceBook::release(const share::Nonce& nonce) {
    Shelf& shelf = shelf_of(nonce);
    const std::scoped_lock lock(shelf.mutex);
    shelf.claims.erase(nonce);
}

void NonceBook::forget_expired(Shelf& shelf, std::int64_t now_s) {
    std::erase_if(shelf.claims, [&](const auto& entry) {
        const bool is_over = entry.second.expires_s <= now_s;
        if (is_over) {
            restore_forgotten({newest_issued_s_, entry.second.expires_s});
        }
        return is_over;
    });
}

void NonceBook::restore_forgotten(TokenSpan forgotten) {
    raise(forgotten_issued_s_, forgotten.issued_s);
    raise(forgotten_until_s_, forgotten.expires_s);
}

void NonceBook::forget_expired(std::int64_t now_s) {
    // When those of an earlier process were made is not known: before they end, and before now.
    raise(newest_issued_s_, std::min(now_s, restored_until_s_.exchange(0)));
    for (Shelf& shelf : shelves_) {
        const std::scoped_lock lock(shelf.mutex);
        forget_expired(shelf, now_s);
    }
}

void NonceBook::restore(const share::Nonce& nonce, ClaimedToken claimed) {
    Shelf& shelf = shelf_of(nonce);
    const std::scoped_lock lock(shelf.mutex);
    raise(restored_until_s_, claimed.expires_s);
    shelf.claims.insert_or_assign(nonce, std::move(claimed));
}

std::optional<ClaimedToken> NonceBook::find(const share::Nonce& nonce) {
    Shelf& shelf = shelf_of(nonce);
    const std::scoped_lock lock(shelf.mutex);
    const auto found = shelf.claims.find(nonce);
    return found == shelf.claims.end() ? std::nullopt : std::optional(found->second);
}

bool NonceBook::give(const share::Nonce& nonce, Counted what) {
    Shelf& shelf = shelf_of(nonce);
    const std::scoped_lock lock(shelf.mutex);
    const auto found = shelf.claims.find(nonce);
    if (found == shelf.claims.end()) {
        return false;
    }
    TokenCount& count = found->second.count(what);
    if (count.given >= count.reserved) {
        return false;
    }
    ++count.given;
    return true;
}

void NonceBook::reserve(const share::Nonce& nonce, Counted what, std::uint32_t reserved) {
    Shelf& shelf = shelf_of(nonce);
    const std::scoped_lock lock(shelf.mutex);
    const auto found = shelf.claims.find(nonce);
    if (found != shelf.claims.end()) {
        found->second.count(what).reserved = reserved;
    }
}

}  // namespace pgveil::store
