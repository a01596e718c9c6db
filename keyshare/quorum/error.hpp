#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pgveil::quorum {

/// What kind of refusal it was; the caller acts on this, a person reads the message.
enum class ErrorCode {
    kMalformed,        ///< not the format it claims to be, or not its one canonical form
    kInvalidArgument,  ///< a setup nobody may run: threshold, number of members, equal keys
    kMissing,          ///< a member has sent nothing
    kCheating,         ///< a member sent what no honest one sends; `participants` names it
    kForeign,          ///< of another group, epoch, run or recipient
    kTooFew,           ///< fewer than the threshold
};

/// One failure of this module. Never carries key bytes.
struct Error {
    ErrorCode code = ErrorCode::kMalformed;
    std::string message;
    /// The members (1 to n) it is about, ascending; empty when it is about no member.
    std::vector<std::uint32_t> participants;
};

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace pgveil::quorum
