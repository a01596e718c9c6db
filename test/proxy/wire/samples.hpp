#pragma once

#include "proxy/wire/authentication.hpp"
#include "proxy/wire/backend.hpp"
#include "proxy/wire/error_response.hpp"
#include "proxy/wire/frontend.hpp"
#include "proxy/wire/password.hpp"
#include "proxy/wire/row.hpp"
#include "proxy/wire/startup.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::wire {

/// One valid message and the decoder it is for. `decode` says how the bytes of a body fail, or
/// nothing when they are accepted.
struct Sample {
    std::string name;
    Output message;  ///< with its head
    std::function<std::optional<DecodeError>(ByteView)> decode;
    bool open_ended = false;  ///< the last field is "the rest": a shorter body can be valid
    std::size_t head = 5;     ///< bytes before what the decoder takes

    ByteView body() const { return message.bytes().subspan(head); }
};

template <class Decoder>
std::function<std::optional<DecodeError>(ByteView)> erase(Decoder decoder) {
    return [decoder](ByteView body) -> std::optional<DecodeError> {
        const auto result = decoder(body);
        return result.has_value() ? std::nullopt : std::optional(result.error());
    };
}

std::vector<Sample> all_samples();

}  // namespace pgveil::wire
