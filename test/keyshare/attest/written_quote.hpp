#pragma once

#include "keyshare/attest/bytes_out.hpp"
#include "keyshare/attest/public_area.hpp"
#include "keyshare/attest/quote.hpp"

#include <array>
#include <utility>

namespace pgveil::attest {

/// What a quote says, one field at a time, so that each can be forged.
struct QuoteFields {
    core::Bytes extra;
    PcrValues values;
    std::uint32_t magic = 0xff544347;
    std::uint16_t kind = 0x8018;
    Clock clock{1000, 3, 1, true};
};

/// The quote as a TPM would write it, under a key that signs whatever it is given.
inline Signed write_quote(const core::SigningKey& key, const QuoteFields& fields) {
    BytesOut out;
    out.u32(fields.magic).u16(fields.kind);
    out.sized(qualified_name(name_of(KeyKind::kAttestation, key.verifying_key().point())));
    out.sized(fields.extra)
        .raw(core::big_endian64(fields.clock.milliseconds))
        .u32(fields.clock.reset_count)
        .u32(fields.clock.restart_count)
        .raw(std::array<std::uint8_t, 1>{static_cast<std::uint8_t>(fields.clock.is_safe)});
    out.raw(core::big_endian64(9)).raw(selection_bytes(selection_of(fields.values)));
    out.sized(digest_of(fields.values));
    core::Bytes statement = std::move(out).take();
    const core::Signature signature = key.sign(statement);
    return {std::move(statement), signature};
}

}  // namespace pgveil::attest
