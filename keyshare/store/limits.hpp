#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::store {

/// Whose tokens have to answer a challenge (share::Challenges).
struct ChallengeDemand {
    bool of_all = false;
    std::vector<std::string> users = {};

    bool covers(std::string_view user_id) const {
        return of_all || std::find(users.begin(), users.end(), user_id) != users.end();
    }
};

/// What P enforces on tokens and how long a token key lives. Seconds. A transaction that had keys
/// from a token while it was valid may finish within `grace_s` after its end.
struct TokenLimits {
    std::int64_t max_validity_s = 300;
    std::int64_t clock_skew_s = 30;
    std::int64_t key_epoch_s = 86400;
    std::int64_t grace_s = 0;
    ChallengeDemand challenge = {};
};

/// How often a token is opened. TK is put together and wiped per request either way.
enum class TokenOpening {
    kPerRequest,  ///< for each request: TKu is wiped with TK
    kPerToken,    ///< once by each session: TKu stays in secret memory until the token expires
};

}  // namespace pgveil::store
