#include "keyshare/store/nonce_book.hpp"

#include <algorithm>

namespace pgveil::store {

Claim NonceBook::claim(
    const share::Nonce& nonce, std::string_view login, std::int64_t expires_s, std::int64_t now_s
) {
    Shelf& shelf = shelves_[nonce[0] % shelves_.size()];
    const std::scoped_lock lock(shelf.mutex);
    const auto known = shelf.claims.find(nonce);
    if (known != shelf.claims.end()) {
        return known->second.login == login ? Claim::kOwn : Claim::kTaken;
    }
    if (shelf.claims.size() >= shelf.tidy_at) {
        forget_expired(shelf, now_s);
        shelf.tidy_at = std::max<std::size_t>(1024, 2 * shelf.claims.size());
    }
    shelf.claims.emplace(nonce, Owner{std::string(login), expires_s});
    return Claim::kFirst;
}

void NonceBook::release(const share::Nonce& nonce) {
    Shelf& shelf = shelves_[nonce[0] % shelves_.size()];
    const std::scoped_lock lock(shelf.mutex);
    shelf.claims.erase(nonce);
}

void NonceBook::forget_expired(Shelf& shelf, std::int64_t now_s) {
    std::erase_if(shelf.claims, [now_s](const auto& entry) {
        return entry.second.expires_s <= now_s;
    });
}

void NonceBook::forget_expired(std::int64_t now_s) {
    for (Shelf& shelf : shelves_) {
        const std::scoped_lock lock(shelf.mutex);
        forget_expired(shelf, now_s);
    }
}

}  // namespace pgveil::store
