#pragma once

#include "keyshare/core/secret.hpp"

#include <boost/system/result.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pgveil::session {

/// Takes one `"quoted"` word off the front of `line`; `""` inside stands for one quote. In secret
/// memory, because the second word of a line holds a secret. Nothing if none stands there.
std::optional<core::SecretBytes> take_quoted(std::string_view& line);

/// Whether the line holds no words: empty, or a comment from `;` or `#`.
bool is_without_words(std::string_view line);

/// A file of secrets: its content, and what an operator should hear of its permissions.
struct SecretFile {
    core::SecretBytes content;
    std::string warning;  // empty: none
};

/// Reads it into secret memory. The error is one line: not readable, or everybody may write it.
/// @param what "users file", for the texts
boost::system::result<SecretFile, std::string> read_secret_file(
    const std::string& what, const std::string& path
);

}  // namespace pgveil::session
