#pragma once

#include "keyshare/share/key_kinds.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace pgveil::store {

/// Remembers which login first used a token, until the token expires. Any thread. Lost at a
/// restart.
class NonceBook {
public:
    /// True if `login` is the first that presents this token, or the one that did.
    bool claim(
        const share::Nonce& nonce,
        std::string_view login,
        std::int64_t expires_s,
        std::int64_t now_s
    );
    void forget_expired(std::int64_t now_s);

private:
    struct Claim {
        std::string login;
        std::int64_t expires_s;
    };

    struct Shelf {
        std::mutex mutex;
        std::map<share::Nonce, Claim> claims;
        std::size_t tidy_at = 1024;  // look for expired claims when this many are held
    };

    static void forget_expired(Shelf& shelf, std::int64_t now_s);

    std::array<Shelf, 16> shelves_;  // nonces are uniform: workers seldom meet on one shelf
};

}  // namespace pgveil::store
