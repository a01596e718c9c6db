#pragma once

#include "keyshare/core/bytes.hpp"

#include <cstddef>
#include <cstdint>

namespace pgveil::attest {

/// Reads what a TPM wrote. The first thing that does not fit makes every later answer empty or
/// zero; ask ok() at the end, which also demands that nothing is left over. Views point into the
/// bytes. Never throws on any bytes.
class BytesIn {
public:
    explicit BytesIn(core::ByteView bytes) : rest_(bytes) {}

    std::uint8_t u8();
    std::uint16_t u16();
    std::uint32_t u32();
    std::uint64_t u64();
    core::ByteView raw(std::size_t size);
    core::ByteView sized();

    bool ok() const { return !failed_ && rest_.empty(); }

private:
    core::ByteView rest_;
    bool failed_ = false;
};

}  // namespace pgveil::attest
