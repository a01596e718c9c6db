#pragma once

#include "keyshare/custody/error.hpp"
#include "keyshare/user/error.hpp"

namespace pgveil::envelope {

/// What a person at the command line is told of a failure with custodians.
inline user::Error told(const custody::Error& error) {
    return {
        error.code == custody::ErrorCode::kSettings ? user::Exit::kUsage : user::Exit::kFailed,
        error.message};
}

}  // namespace pgveil::envelope
