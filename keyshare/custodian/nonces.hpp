#pragma once

#include "keyshare/core/bytes.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>

namespace pgveil::custodian {

/// Random values that evidence has to answer: each good once, for whom it was given, and for a
/// minute. In memory; one thread. A clock that is set back ends all that were given.
class Nonces {
public:
    using Nonce = std::array<std::uint8_t, 32>;

    static constexpr std::int64_t kSeconds = 60;

    /// Of more than 16 that wait for one asker the oldest is forgotten.
    Nonce give(const std::string& whom, std::int64_t now_s);
    /// Whether it was given to this asker, is in time, and was not taken before.
    bool take(const std::string& whom, core::ByteView nonce, std::int64_t now_s);

private:
    struct Given {
        Nonce nonce{};
        std::int64_t at_s = 0;
    };

    std::map<std::string, std::deque<Given>> given_;
};

}  // namespace pgveil::custodian
