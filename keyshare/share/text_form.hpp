#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/share/error.hpp"

#include <string_view>

namespace pgveil::share {

/// A prefix that says what it is ("pgvt1.", "pgva1.") and the base64url of the bytes, in secret
/// memory.
core::SecretBytes to_text_form(std::string_view prefix, core::ByteView bytes);
/// kMalformed for another prefix, more than kShareTextSizeMax bytes, or base64url that is not
/// canonical.
Result<core::SecretBytes> from_text_form(std::string_view prefix, core::ByteView text);

}  // namespace pgveil::share
