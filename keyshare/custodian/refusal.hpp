#pragma once

#include "keyshare/quorum/error.hpp"
#include "keyshare/share/json_fields.hpp"
#include "keyshare/store/error.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace pgveil::custodian {

/// Why a request is not done, as the API says it. Never holds a secret.
struct Refusal {
    Refusal() = default;

    Refusal(unsigned of, std::string_view word, std::string text)
        : status(of), code(word), message(std::move(text)) {}

    unsigned status = 400;            ///< of HTTP
    std::string code;                 ///< one word for programs
    std::string message;              ///< for a person: what happened, to whom, what to do
    std::uint32_t member = 0;         ///< that cheated, from 1; 0: none
    std::uint32_t retry_after_s = 0;  ///< 0: not said
};

/// What is said when it is done. A type of its own: JSON converts to everything, a Refusal
/// included.
struct Reply {
    share::Json json;
};

template <class T>
using Result = boost::system::result<T, Refusal>;

inline Refusal refused(unsigned status, std::string_view code, std::string message) {
    return {status, code, std::move(message)};
}

/// What came is not what the description says.
inline Refusal malformed(std::string message) {
    return refused(400, "malformed", std::move(message));
}

/// Well asked, but not in this state.
inline Refusal out_of_state(std::string_view code, std::string message) {
    return refused(409, code, std::move(message));
}

/// Of a step of a run: 422 names who cheats.
Refusal refusal_of(const quorum::Error& error);
/// The store does not take it: 503.
Refusal refusal_of(const store::Error& error);

}  // namespace pgveil::custodian
