#pragma once

#include "keyshare/share/key_kinds.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace pgveil::store {

/// Who has a token.
enum class Claim {
    kFirst,  ///< nobody had presented it before: it is this login's from now on
    kOwn,    ///< this login presented it before
    kTaken,  ///< another login did
};

/// Remembers which login first used a token, until the token expires. Any thread. What must outlive
/// the process is ClaimTable's.
class NonceBook {
public:
    Claim claim(
        const share::Nonce& nonce,
        std::string_view login,
        std::int64_t expires_s,
        std::int64_t now_s
    );
    /// Takes back a claim that was the first.
    void release(const share::Nonce& nonce);
    void forget_expired(std::int64_t now_s);

private:
    struct Owner {
        std::string login;
        std::int64_t expires_s;
    };

    struct Shelf {
        std::mutex mutex;
        std::map<share::Nonce, Owner> claims;
        std::size_t tidy_at = 1024;  // look for expired claims when this many are held
    };

    static void forget_expired(Shelf& shelf, std::int64_t now_s);

    std::array<Shelf, 16> shelves_;  // nonces are uniform: workers seldom meet on one shelf
};

}  // namespace pgveil::store
