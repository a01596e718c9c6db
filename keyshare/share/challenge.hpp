#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/key_kinds.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgveil::share {

/// The challenges that P has given to one session, so that tokens need no common clock: a token
/// that answers one counts from when it was given, by P's clock, and is good in this session only.
/// Each serves one token. They die with the session, and with DISCARD ALL. docs/FORMATS.md,
/// "Challenge". Belongs to the session's thread; times are Unix seconds.
class Challenges {
public:
    /// So many are kept: the newest.
    static constexpr std::size_t kKept = 2;

    /// A fresh one, in place of the oldest.
    Nonce give(core::RandomSource& random, std::int64_t now_s);

    /// When it was given; nullopt: not to this session, or too long ago, or before a forget().
    std::optional<std::int64_t> given_at_s(const Nonce& challenge) const;

    /// No token has answered it, or this one (SHA-256 of its text form) has.
    bool is_open_to(const Nonce& challenge, const Digest& token) const;

    /// This token gave keys: no other one answers the challenge any more.
    void spend(const Nonce& challenge, const Digest& token);

    void forget() { given_ = {}; }

private:
    struct Given {
        Nonce challenge{};
        std::int64_t given_at_s = 0;
        std::optional<Digest> answer;
    };

    const Given* find(const Nonce& challenge) const;

    std::array<std::optional<Given>, kKept> given_;
    std::size_t next_ = 0;
};

/// `pgvc1.` and base64url of the 16 bytes: what SELECT pgveil.challenge() returns. Not secret.
std::string challenge_text(const Nonce& challenge);
/// kMalformed for anything else.
Result<Nonce> parse_challenge(std::string_view text);

}  // namespace pgveil::share
