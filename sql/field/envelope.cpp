#include "sql/field/envelope.hpp"

#include <algorithm>

namespace pgveil::field {

namespace {

constexpr std::size_t kKeyIdOffset = 2;

}  // namespace

std::size_t overhead_of(config::Scheme scheme) {
    return scheme == config::Scheme::kRandomized ? kRandomizedOverhead : kEqualityOverhead;
}

boost::system::result<EnvelopeView, EnvelopeError> parse_envelope(core::ByteView bytes) {
    if (bytes.size() < kEnvelopeHeaderSize) {
        return EnvelopeError::kTooShort;
    }
    if (bytes[0] != kEnvelopeVersion) {
        return EnvelopeError::kUnknownVersion;
    }
    const bool is_known = bytes[1] == static_cast<std::uint8_t>(config::Scheme::kRandomized) ||
                          bytes[1] == static_cast<std::uint8_t>(config::Scheme::kEquality);
    if (!is_known) {
        return EnvelopeError::kUnknownScheme;
    }
    const auto scheme = static_cast<config::Scheme>(bytes[1]);
    if (bytes.size() < overhead_of(scheme)) {
        return EnvelopeError::kTooShort;
    }
    return EnvelopeView{
        scheme,
        core::read_big_endian32(bytes.subspan(kKeyIdOffset)),
        bytes.subspan(kEnvelopeHeaderSize)};
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
