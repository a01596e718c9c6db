#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace pgveil::custody {

/// What kind of failure it was; the caller acts on this, a person reads the message.
enum class ErrorCode {
    kSettings,     ///< a file of the asker's, or what stands in it
    kTooFew,       ///< fewer custodians than the threshold gave a good answer
    kCheating,     ///< a custodian sent what no honest one sends; the message names it
    kRefused,      ///< a custodian said no
    kUnreachable,  ///< a custodian gave no answer
    kNoEvidence,   ///< custodians demand the evidence of the asker's TPM, which gives none
};

/// One failure. The message says what happened, at which custodian, and what to do; it never
/// carries key bytes. Where several custodians are concerned it has a line for each.
struct Error {
    ErrorCode code = ErrorCode::kSettings;
    std::string message;
};

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace pgveil::custody
