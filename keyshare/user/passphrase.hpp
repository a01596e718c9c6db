#pragma once

#include "keyshare/core/secret.hpp"
#include "keyshare/user/error.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pgveil::user {

/// Where a secret a person knows comes from: a file, an open descriptor, or else the terminal.
struct SecretSource {
    std::string file;               ///< empty: not from a file
    std::optional<int> descriptor;  ///< unset: not from a descriptor

    bool is_prompt() const { return file.empty() && !descriptor; }
};

/// Whether the secret is set here for the first time. A new one is asked for twice.
enum class Asking { kKnown, kNew };

/// Reads one line, 1 to 1024 bytes, without its line end.
///
/// A file must be a regular file of ours, closed to group and others, and hold one line only. From
/// a descriptor exactly one line is taken, so that one descriptor can carry several secrets in the
/// order they are asked for. `what` names the secret in prompts and errors ("passphrase of nurse").
Result<core::SecretBytes> read_secret(
    const SecretSource& source, std::string_view what, Asking asking
);

}  // namespace pgveil::user
