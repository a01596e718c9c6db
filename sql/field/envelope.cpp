#include "sql/field/envelope.hpp"

#include <algorithm>

namespace pgveil::field {

namespace {

constexpr std::size_t kKeyIdOffset = 2;

}  // namespace

std::size_t overhead_of(config::Scheme scheme) {
    switch (scheme) {
        case config::Scheme::kRandomized: return kRandomizedOverhead;
        case config::Scheme::kEquality: return kEqualityOverhead;
        case config::Scheme::kOrder: return kOrderOverhead;
        case config::Scheme::kPadded: return kPaddedOverhead;
    }
    return 0;
}

boost::system::result<EnvelopeView, EnvelopeError> parse_envelope(core::ByteView bytes) {
    if (bytes.size() < kEnvelopeHeaderSize) {
        return EnvelopeError::kTooShort;
    }
    if (bytes[0] != kEnvelopeVersion) {
        return EnvelopeError::kUnknownVersion;
    }
    const auto scheme = static_cast<config::Scheme>(bytes[1]);
    if (overhead_of(scheme) == 0) {
        return EnvelopeError::kUnknownScheme;
    }
    if (bytes.size() < overhead_of(scheme)) {
        return EnvelopeError::kTooShort;
    }
    return EnvelopeView{
        scheme,
        core::read_big_endian32(bytes.subspan(kKeyIdOffset)),
        bytes.subspan(kEnvelopeHeaderSize)};
}

bool begins_envelope(core::ByteView bytes) {
    return bytes.size() >= kEnvelopeHeaderSize && bytes[0] == kEnvelopeVersion &&
           overhead_of(static_cast<config::Scheme>(bytes[1])) != 0;
}

void write_envelope_header(
    config::Scheme scheme, std::uint32_t key_id, std::span<std::uint8_t, kEnvelopeHeaderSize> out
) {
    out[0] = kEnvelopeVersion;
    out[1] = static_cast<std::uint8_t>(scheme);
    const auto id = core::big_endian32(key_id);
    std::copy(id.begin(), id.end(), out.subspan<kKeyIdOffset>().begin());
}

}  // namespace pgveil::field
