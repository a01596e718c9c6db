#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/error.hpp"
#include "keyshare/core/secret.hpp"

#include <cstddef>

// The plaintext form of the padded scheme (FORMATS.md, "Padding"): length(4, big endian), value,
// zeros.
namespace pgveil::field {

/// The form of `value` whose value and zeros together are a multiple of `pad_to` bytes, at least
/// one: values of up to `pad_to` bytes look alike, longer ones show only the multiple.
/// `pad_to` is at least 1, `value` below 4 GiB (invariants).
core::SecretBytes padded(core::ByteView value, std::size_t pad_to);

/// The value inside; kEncoding if the length does not fit or a byte behind the value is not zero.
/// Any number of zeros is accepted, so that `pad_to` can be changed for later values.
core::Result<core::SecretBytes> without_padding(core::SecretBytes form);

}  // namespace pgveil::field
