#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/envelope/header.hpp"
#include "keyshare/quorum/exchange.hpp"
#include "keyshare/quorum/group.hpp"
#include "keyshare/user/error.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace pgveil::envelope {

/// What is sent to a holder to have one file opened: bytes in, bytes out, so that a holder may be a
/// directory here or a program elsewhere.
struct Question {
    quorum::PartialRequest request;
    core::Bytes header;  ///< of the file, whole: the holder reads the policy in it
};

/// One who keeps a share of the group's key and decides whether to help. The answer is this
/// holder's part, with its proof, sealed to the asker: neither the key nor the content of the file
/// ever reaches a holder.
class Holder {
public:
    Holder() = default;
    virtual ~Holder() = default;
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
    Holder(Holder&&) = delete;
    Holder& operator=(Holder&&) = delete;

    virtual const std::string& name() const = 0;
    virtual const quorum::Group& group() const = 0;
    /// Its number in the group, from 1.
    virtual std::uint32_t index() const = 0;

    /// Sends the question to a holder that is elsewhere, so that several work on it at the same
    /// time: answer() for this question then takes what came. One at hand has nothing to send.
    virtual void begin(const Question& /*question*/) {}

    /// Whether answer() would not wait; until then it may become so. May return earlier.
    virtual bool is_ready(std::chrono::steady_clock::time_point /*until*/) { return true; }

    /// quorum::answer() for the question, or why there is none.
    virtual Result<core::Bytes> answer(const Question& question, std::int64_t now_s) = 0;
};

/// What every holder checks before it helps: that the header is the one that the point came with,
/// that the file is sealed to its group, and that the policy allows this requester, this purpose
/// and this time. The requester's name is as good as the way it came on.
Result<void> check_question(
    const Question& question, const quorum::Group& group, std::int64_t now_s
);

}  // namespace pgveil::envelope
