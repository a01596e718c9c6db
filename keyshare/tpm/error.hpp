#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace pgveil::tpm {

enum class ErrorCode {
    kUnreachable,  ///< there is no TPM at that place, or it does not answer
    kForeign,      ///< it is not the TPM that was there before
    kRefused,      ///< the policy is not satisfied: another state, or too old a key
    kFailed,       ///< everything else that it answers
};

/// The message names the TPM's place and what it said.
struct Error {
    ErrorCode code = ErrorCode::kFailed;
    std::string message;
};

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace pgveil::tpm
