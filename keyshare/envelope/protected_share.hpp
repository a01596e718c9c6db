#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/envelope/membership.hpp"

namespace pgveil::envelope {

/// Cost of the password: scrypt with r = 8, p = 1 and this log2 of N (128 MiB, about half a
/// second).
inline constexpr unsigned kScryptLogN = 17;
/// Bounds of what is read. Below kScryptLogN only tests write.
inline constexpr unsigned kScryptLogNMin = 4;
inline constexpr unsigned kScryptLogNMax = 20;

/// The two things that open the third share. The password is what a person remembers; the code is
/// 128 random bits on paper, so that whoever holds the closed share and a list of passwords has
/// nothing to try them on.
struct Secrets {
    core::SecretBytes password;
    core::SecretBytes code;  ///< in the one form that normal_code() gives
};

/// A fresh recovery code as it is printed: XXXXX-XXXXX-XXXXX-XXXXX-XXXXXX.
core::SecretBytes make_code(core::RandomSource& random);

/// A code as a person types it, in capitals and without hyphens and spaces; O is read as 0, I and L
/// as 1. Fails unless 26 characters of the alphabet are left.
Result<core::SecretBytes> normal_code(core::ByteView typed);

/// The third share, closed; what company and cloud each keep a copy of (docs/FORMATS.md).
/// `secrets.code` is in its normal form.
Result<core::Bytes> close_share(
    const Membership& membership,
    const quorum::Group& group,
    const Secrets& secrets,
    unsigned log_n,
    core::RandomSource& random
);

/// One message for a wrong password, a wrong code and an altered share, which cannot be told apart.
Result<Membership> open_share(
    core::ByteView closed, const quorum::Group& group, const Secrets& secrets
);

}  // namespace pgveil::envelope
