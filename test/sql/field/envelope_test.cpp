#include "sql/field/envelope.hpp"

#include <gtest/gtest.h>

#include <array>

namespace pgveil::field {
namespace {

core::Bytes envelope_of(std::uint8_t version, std::uint8_t scheme, std::size_t size) {
    core::Bytes bytes(size, 0xEE);
    bytes[0] = version;
    bytes[1] = scheme;
    return bytes;
}

TEST(Envelope, ReadsWhatItWrites) {
    core::Bytes bytes = envelope_of(0, 0, kRandomizedOverhead);
    write_envelope_header(
        config::Scheme::kRandomized,
        0x01020304,
        std::span<std::uint8_t>(bytes).first<kEnvelopeHeaderSize>()
    );
    EXPECT_EQ(core::to_hex(core::ByteView(bytes).first(6)), "010101020304");
    const auto parsed = parse_envelope(bytes);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->scheme, config::Scheme::kRandomized);
    EXPECT_EQ(parsed->key_id, 0x01020304U);
    EXPECT_EQ(parsed->body.size(), 40U);
}

TEST(Envelope, RefusesShortOnes) {
    for (std::size_t size = 2; size < kRandomizedOverhead; ++size) {
        EXPECT_EQ(parse_envelope(envelope_of(1, 1, size)).error(), EnvelopeError::kTooShort);
    }
    EXPECT_EQ(
        parse_envelope(envelope_of(1, 2, kEqualityOverhead - 1)).error(), EnvelopeError::kTooShort
    );
    EXPECT_TRUE(parse_envelope(envelope_of(1, 2, kEqualityOverhead)).has_value());
    EXPECT_EQ(
        parse_envelope(envelope_of(1, 4, kPaddedOverhead - 1)).error(), EnvelopeError::kTooShort
    );
    EXPECT_TRUE(parse_envelope(envelope_of(1, 4, kPaddedOverhead)).has_value());
    EXPECT_EQ(
        parse_envelope(envelope_of(1, 3, kOrderOverhead - 1)).error(), EnvelopeError::kTooShort
    );
    EXPECT_TRUE(parse_envelope(envelope_of(1, 3, kOrderOverhead)).has_value());
    EXPECT_EQ(parse_envelope({}).error(), EnvelopeError::kTooShort);
}

TEST(Envelope, IsKnownByItsBeginning) {
    EXPECT_TRUE(begins_envelope(envelope_of(1, 3, kEnvelopeHeaderSize)));
    EXPECT_FALSE(begins_envelope(envelope_of(1, 3, kEnvelopeHeaderSize - 1)));
    EXPECT_FALSE(begins_envelope(envelope_of(2, 3, kEnvelopeHeaderSize)));
    EXPECT_FALSE(begins_envelope(envelope_of(1, 5, kEnvelopeHeaderSize)));
}

TEST(Envelope, RefusesOtherVersionsAndSchemes) {
    EXPECT_EQ(parse_envelope(envelope_of(2, 1, 64)).error(), EnvelopeError::kUnknownVersion);
    EXPECT_EQ(parse_envelope(envelope_of(0, 1, 64)).error(), EnvelopeError::kUnknownVersion);
    for (const std::uint8_t scheme : core::Bytes{0, 5, 255}) {
        EXPECT_EQ(
            parse_envelope(envelope_of(1, scheme, 64)).error(), EnvelopeError::kUnknownScheme
        );
    }
}

}  // namespace
}  // namespace pgveil::field
