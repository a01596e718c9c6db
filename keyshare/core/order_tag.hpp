#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/handles.hpp"
#include "keyshare/core/secret.hpp"

#include <cstddef>

namespace pgveil::core {

inline constexpr std::size_t kOrderTagKeySize = 64;
/// Bytes of a tag for each byte of the order form.
inline constexpr std::size_t kOrderTagExpansion = 8;

/// Bytes whose order as unsigned bytes is that of the values they were made from (FORMATS.md,
/// "Order tag"). Our own construction after Chenette, Lewi, Weis, Wu (FSE 2016); no published
/// vectors exist.
///
/// What it does not hide: the order, the first differing bit of every two values, and each bit
/// outright with probability 1/255. It does not authenticate. Equal forms have equal tags, and only
/// they. The contexts hold round keys: keep the object inside one request. One thread at a time.
class OrderTag {
public:
    /// `key` is 64 bytes: K1 for the chain, then K2 for the bits (invariant).
    explicit OrderTag(ByteView key);

    /// Eight bytes for each byte of `order_form`. Forms of different sizes are not comparable.
    Bytes tag_of(ByteView order_form);

private:
    void append_chunk(ByteView chunk, Bytes& tag);
    void chain(ByteView chunk);

    CipherContext chain_;
    CipherContext bits_;
    SecretBytes state_;   // S_j
    SecretBytes blocks_;  // one for each bit of a chunk
};

}  // namespace pgveil::core
