#pragma once

#include "keyshare/core/secret.hpp"
#include "keyshare/share/token.hpp"
#include "keyshare/share/token_key.hpp"
#include "keyshare/user/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgveil::agent {

/// Tokens of all users of one proxy, for the token key that it has published. Every session asks
/// here, and whoever finds the statement missing or too old brings a new one. Belongs to the loop's
/// thread; times are Unix seconds.
class TokenSource {
public:
    /// @param answers_challenges each token is made for one session (share::Challenges), and the
    /// clock may be wrong
    explicit TokenSource(std::int64_t valid_s, bool answers_challenges = false)
        : valid_s_(valid_s), answers_challenges_(answers_challenges) {}

    /// As the constructor; for tokens made from now on.
    void set(std::int64_t valid_s, bool answers_challenges) {
        valid_s_ = valid_s;
        answers_challenges_ = answers_challenges;
    }

    bool answers_challenges() const { return answers_challenges_; }

    std::int64_t valid_s() const { return valid_s_; }

    /// A statement of the proxy that `key` knows, and in force at `now_s`, is here.
    bool is_ready(const share::UserKey& key, std::int64_t now_s) const;

    /// Takes what SELECT pgveil.token_key() returned. The error says why it was not believed: the
    /// proxy is not the one that the tenant has pinned in `key`, or a clock is wrong.
    user::Result<void> take(
        const share::UserKey& key, std::string_view statement, std::int64_t now_s
    );

    /// A token was refused: asks again, but not more often than every few seconds.
    void doubt(std::int64_t now_s);

    /// A token for no more than `scope`. Only when is_ready().
    user::Result<core::SecretBytes> make(
        const share::UserKey& key, const share::TokenScope& scope, std::int64_t now_s
    ) const;

private:
    std::int64_t valid_s_;
    bool answers_challenges_;
    std::optional<share::TokenKeyStatement> statement_;
    core::Bytes identity_;  ///< who has signed it
    std::int64_t taken_at_s_ = 0;
};

}  // namespace pgveil::agent
