#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/invariant.hpp"

#include <cstdint>
#include <limits>
#include <utility>

namespace pgveil::attest {

/// Writes structures as a TPM does (TPM 2.0 Library, Part 1, section 8): integers big endian, a
/// buffer behind its size of two bytes.
class BytesOut {
public:
    BytesOut& u16(std::uint16_t value) { return raw(core::big_endian16(value)); }

    BytesOut& u32(std::uint32_t value) { return raw(core::big_endian32(value)); }

    BytesOut& raw(core::ByteView bytes) {
        core::append(out_, bytes);
        return *this;
    }

    /// A TPM2B: at most 65535 bytes (invariant).
    BytesOut& sized(core::ByteView bytes) {
        core::invariant(
            bytes.size() <= std::numeric_limits<std::uint16_t>::max(), "a TPM2B has 16 bits of size"
        );
        return u16(static_cast<std::uint16_t>(bytes.size())).raw(bytes);
    }

    const core::Bytes& bytes() const { return out_; }

    core::Bytes take() && { return std::move(out_); }

private:
    core::Bytes out_;
};

}  // namespace pgveil::attest
