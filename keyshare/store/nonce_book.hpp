#pragma once

#include "keyshare/share/key_kinds.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace pgveil::store {

/// Who has a token.
enum class Claim {
    kFirst,  ///< nobody had presented it before: it is this login's from now on
    kOwn,    ///< this login presented it before
    kTaken,  ///< another login did
    /// It is over, by what was forgotten since: the clock was set back, and whoever had presented
    /// it is not known any more.
    kForgotten,
};

/// What a scope counts (share::TokenScope).
enum class Counted { kUses, kStatements };

/// How much of a counted thing was reserved on disk, and given out of that.
struct TokenCount {
    std::uint32_t reserved = 0;
    std::uint32_t given = 0;
};

/// From when and until when a token is good, grace included (Unix seconds).
struct TokenSpan {
    std::int64_t issued_s = 0;
    std::int64_t expires_s = 0;
};

/// A token as it was first used, with what was counted since.
struct ClaimedToken {
    std::string login;
    std::int64_t expires_s = 0;
    TokenCount uses = {};
    TokenCount statements = {};

    TokenCount& count(Counted what) { return what == Counted::kUses ? uses : statements; }
};

/// Remembers which login first used a token, and what was counted of it, until the token expires.
/// Any thread. What must outlive the process is ClaimTable's.
class NonceBook {
public:
    Claim claim(
        const share::Nonce& nonce, std::string_view login, TokenSpan span, std::int64_t now_s
    );
    /// Takes back a claim that was the first.
    void release(const share::Nonce& nonce);
    void forget_expired(std::int64_t now_s);

    /// Tokens that were made and end within are not taken as new ones, because they may have been
    /// forgotten: the newest beginning and the latest end. Zeros if nothing was forgotten. One that
    /// was made later is new, whatever the clock had said in between.
    TokenSpan forgotten() const { return {forgotten_issued_s_, forgotten_until_s_}; }

    bool may_be_forgotten(TokenSpan span) const {
        return span.expires_s <= forgotten_until_s_ && span.issued_s <= forgotten_issued_s_;
    }

    /// What an earlier process had forgotten, or another proxy on the store.
    void restore_forgotten(TokenSpan forgotten);

    /// Takes up what an earlier process has written down.
    void restore(const share::Nonce& nonce, ClaimedToken claimed);
    /// What is known of a token; nullopt: nobody has presented it, or it is over.
    std::optional<ClaimedToken> find(const share::Nonce& nonce);
    /// Gives one of what is reserved. False: none is.
    bool give(const share::Nonce& nonce, Counted what);
    /// So many are reserved from now on: they stand on disk as given.
    void reserve(const share::Nonce& nonce, Counted what, std::uint32_t reserved);

private:
    struct Shelf {
        std::mutex mutex;
        std::map<share::Nonce, ClaimedToken> claims;
        std::size_t tidy_at = 1024;  // look for expired claims when this many are held
    };

    void forget_expired(Shelf& shelf, std::int64_t now_s);

    Shelf& shelf_of(const share::Nonce& nonce) { return shelves_[nonce[0] % shelves_.size()]; }

    std::atomic<std::int64_t> newest_issued_s_ = 0;   // of all that were claimed
    std::atomic<std::int64_t> restored_until_s_ = 0;  // of those of an earlier process; 0: no news
    std::atomic<std::int64_t> forgotten_issued_s_ = 0;
    std::atomic<std::int64_t> forgotten_until_s_ = 0;
    std::array<Shelf, 16> shelves_;  // nonces are uniform: workers seldom meet on one shelf
};

}  // namespace pgveil::store
