#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/error.hpp"
#include "keyshare/core/secret.hpp"

#include <cstddef>
#include <initializer_list>
#include <span>
#include <vector>

namespace pgveil::core {

/// LP(x, y, ...): each part after its length as 4 bytes big endian. Injective for a fixed list of
/// parts, so two different lists never give the same bytes. Integers go in as
/// big_endian32()/big_endian64() of bytes.hpp, text as its UTF-8 bytes by as_bytes(). A part of 4
/// GiB or more is an invariant failure.
Bytes length_prefixed(std::initializer_list<ByteView> parts);
Bytes length_prefixed(std::span<const ByteView> parts);

/// The same for parts that are secret.
SecretBytes secret_length_prefixed(std::initializer_list<ByteView> parts);
SecretBytes secret_length_prefixed(std::span<const ByteView> parts);

/// Takes LP bytes apart into exactly `count` parts; kEncoding on any missing or left-over byte. The
/// views point into `bytes`. Never throws on any bytes.
Result<std::vector<ByteView>> split_length_prefixed(ByteView bytes, std::size_t count);

/// As above for any number of parts up to `most`.
Result<std::vector<ByteView>> split_length_prefixed_up_to(ByteView bytes, std::size_t most);

}  // namespace pgveil::core
