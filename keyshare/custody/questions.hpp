#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/custody/https_calls.hpp"
#include "keyshare/quorum/exchange.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace pgveil::custody {

/// Which state of a store asks: custodians refuse one that is older than what they have been told.
struct StoreVersion {
    std::array<std::uint8_t, 16> store{};
    std::uint64_t version = 0;
};

/// One question to the members of a group.
struct Question {
    core::PublicPoint point;
    std::string purpose;  ///< a word that the group's policy knows
    std::optional<StoreVersion> store = {};
    core::Bytes header = {};  ///< of a protected file, where custodians look at its policy
};

/// Bodies of POST .../partial and .../store-version.
std::string partial_body(const quorum::PartialRequest& request, const Question& question);
std::string version_body(const StoreVersion& store);

/// The sealed answer in a reply of status 200; nothing if there is none.
std::optional<core::Bytes> answer_in(const std::string& body);

/// What a custodian said instead of an answer.
struct Refusal {
    std::string code;          ///< of the custodians' interface; empty: none
    std::string message;       ///< for people: one line of printable text, at most 500 characters
    std::uint32_t member = 0;  ///< who cheats, if that is it
};

Refusal refusal_in(const HttpsReply& reply);

/// Text from elsewhere, as it may stand in a message.
std::string printable(const std::string& text);

}  // namespace pgveil::custody
