#include "sql/field/seal.hpp"

#include "sql/field/envelope.hpp"
#include "sql/field/plaintext.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>
#include <utility>

namespace pgveil::field {
namespace {

/// 0, 1, 2, ... so that envelopes can be compared with recorded ones.
class CountingRandom : public core::RandomSource {
public:
    void fill(core::MutableByteView out) override {
        std::generate(out.begin(), out.end(), [this] { return next_++; });
    }

private:
    std::uint8_t next_ = 0;
};

constexpr std::uint32_t kPadTo = 16;
constexpr std::uint32_t kOrderBytes = 12;

/// What `size` bytes take inside an envelope, beside the scheme's overhead.
std::size_t stored_size(config::Scheme scheme, std::size_t size) {
    const std::size_t buckets = std::max<std::size_t>(1, (size + kPadTo - 1) / kPadTo);
    return scheme == config::Scheme::kPadded ? buckets * kPadTo : size;
}

std::size_t overhead(config::Scheme scheme) {
    constexpr std::size_t kTag = 8 * std::size_t{kOrderBytes};
    return scheme == config::Scheme::kOrder ? kEqualityOverhead + kTag : overhead_of(scheme);
}

std::size_t longest(config::Scheme scheme) {
    constexpr std::size_t kLong = 70000;
    return scheme == config::Scheme::kOrder ? kOrderBytes : kLong;
}

core::Bytes key_of(config::Scheme scheme) {
    core::Bytes key(key_size(scheme));
    std::uint8_t next = 0x40;
    std::generate(key.begin(), key.end(), [&next] { return next++; });
    return key;
}

ProtectedColumn column_of(config::Scheme scheme) {
    ProtectedColumn column;
    column.schema = "public";
    column.table = "patients";
    column.name = "ssn";
    column.context = "public.patients.ssn";
    column.group = "default";
    column.type = {types::Kind::kText, -1};
    column.scheme = scheme;
    column.pad_to = scheme == config::Scheme::kPadded ? kPadTo : 0;
    column.order_bytes = scheme == config::Scheme::kOrder ? kOrderBytes : 0;
    return column;
}

class Sealing : public testing::TestWithParam<config::Scheme> {
protected:
    core::Bytes sealed(std::string_view text) {
        return seal_value(key(), {"clinic", column}, core::as_bytes(text), random);
    }

    bool opens(const FieldPlace& where, core::ByteView envelope) const {
        return open_value(key(), where, envelope).has_value();
    }

    FieldKey key(std::uint32_t key_id = 7) const { return {key_bytes, key_id}; }

    CountingRandom random;
    core::Bytes key_bytes = key_of(GetParam());
    ProtectedColumn column = column_of(GetParam());
    FieldPlace place{"clinic", column};
};

INSTANTIATE_TEST_SUITE_P(
    Schemes,
    Sealing,
    testing::Values(
        config::Scheme::kRandomized,
        config::Scheme::kEquality,
        config::Scheme::kOrder,
        config::Scheme::kPadded
    )
);

TEST_P(Sealing, OpensToTheSameBytesAlsoWhenEmpty) {
    for (const std::string& text :
         {std::string(), std::string("123-45-6789"), std::string(longest(GetParam()), 'x')}) {
        const core::Bytes envelope = sealed(text);
        EXPECT_EQ(envelope.size(), stored_size(GetParam(), text.size()) + overhead(GetParam()));
        const auto opened = open_value(key(), place, envelope);
        ASSERT_TRUE(opened.has_value());
        EXPECT_EQ(core::as_text(opened->reveal()), text);
    }
}

TEST_P(Sealing, RefusesEveryFlippedBit) {
    const core::Bytes envelope = sealed("value");
    ASSERT_TRUE(opens(place, envelope));
    for (std::size_t bit = 0; bit < envelope.size() * 8; ++bit) {
        core::Bytes broken = envelope;
        broken[bit / 8] = static_cast<std::uint8_t>(broken[bit / 8] ^ (1U << (bit % 8)));
        EXPECT_FALSE(opens(place, broken)) << bit;
    }
}

TEST_P(Sealing, RefusesEveryTruncationAndEverythingAppended) {
    core::Bytes envelope = sealed("value");
    for (std::size_t size = 0; size < envelope.size(); ++size) {
        EXPECT_FALSE(opens(place, core::ByteView(envelope).first(size))) << size;
    }
    envelope.push_back(0);
    EXPECT_FALSE(opens(place, envelope));
}

TEST_P(Sealing, RefusesAValueMovedToAnotherPlace) {
    const core::Bytes envelope = sealed("value");
    EXPECT_FALSE(opens({"other", column}, envelope));
    ProtectedColumn moved = column;
    moved.context = "public.patients.name";
    EXPECT_FALSE(opens({"clinic", moved}, envelope));
    moved = column;
    moved.group = "medical";
    EXPECT_FALSE(opens({"clinic", moved}, envelope));
    moved = column;
    moved.type.kind = types::Kind::kBytea;
    EXPECT_FALSE(opens({"clinic", moved}, envelope));
}

TEST_P(Sealing, RefusesAnotherKeyAndAnotherKeyId) {
    const core::Bytes envelope = sealed("value");
    EXPECT_FALSE(open_value(key(8), place, envelope).has_value());
    core::Bytes renamed = envelope;
    renamed[5] = 8;
    EXPECT_FALSE(open_value(key(8), place, renamed).has_value());
    key_bytes[0] ^= 1U;
    EXPECT_FALSE(opens(place, envelope));
}

TEST_P(Sealing, SurvivesWideningTheColumn) {
    column.type = {types::Kind::kVarchar, 24};
    const core::Bytes envelope = sealed("value");
    column.type = {types::Kind::kVarchar, 84};
    EXPECT_TRUE(opens(place, envelope));
    column.type = {types::Kind::kText, -1};
    EXPECT_TRUE(opens(place, envelope));
}

TEST_P(Sealing, ValuesOfAnySizeUseARoomAgain) {
    FieldCipher cipher(key(), place);
    core::Bytes room;
    for (const std::size_t size :
         {std::size_t{5}, std::size_t{0}, longest(GetParam()), std::size_t{1}}) {
        const core::Bytes value(size, 'v');
        const core::Bytes made = cipher.seal(value, random);
        const core::ByteView envelope = cipher.seal_in(room, value, random);
        EXPECT_EQ(envelope.size(), made.size());
        const auto opened = open_value(key(), place, envelope);
        ASSERT_TRUE(opened.has_value());
        EXPECT_TRUE(std::ranges::equal(opened->reveal(), value));
    }
}

TEST_P(Sealing, ManyValuesOfOneCipherOpenOneByOne) {
    FieldCipher cipher(key(), place);
    for (int index = 0; index < 300; ++index) {
        const std::string text = "value " + std::to_string(index);
        const core::Bytes envelope = cipher.seal(core::as_bytes(text), random);
        const auto opened = open_value(key(), place, envelope);
        ASSERT_TRUE(opened.has_value());
        EXPECT_EQ(core::as_text(opened->reveal()), text);
    }
}

TEST(Seal, OnlyEqualityAndOrderGiveEqualEnvelopes) {
    CountingRandom random;
    const auto twice_equal = [&random](config::Scheme scheme) {
        const core::Bytes key = key_of(scheme);
        const ProtectedColumn column = column_of(scheme);
        FieldCipher cipher({key, 1}, {"clinic", column});
        const core::Bytes first = cipher.seal(core::as_bytes("a"), random);
        return first == cipher.seal(core::as_bytes("a"), random);
    };
    EXPECT_TRUE(twice_equal(config::Scheme::kEquality));
    EXPECT_TRUE(twice_equal(config::Scheme::kOrder));
    EXPECT_FALSE(twice_equal(config::Scheme::kRandomized));
    EXPECT_FALSE(twice_equal(config::Scheme::kPadded));
}

TEST(Seal, RefusesAnEnvelopeOfTheOtherScheme) {
    CountingRandom random;
    const core::Bytes key = key_of(config::Scheme::kRandomized);
    const ProtectedColumn randomized = column_of(config::Scheme::kRandomized);
    const ProtectedColumn equality = column_of(config::Scheme::kEquality);
    const core::Bytes envelope =
        seal_value({key, 1}, {"clinic", randomized}, core::as_bytes("a"), random);
    const core::Bytes other_key = key_of(config::Scheme::kEquality);
    EXPECT_FALSE(open_value({other_key, 1}, {"clinic", equality}, envelope).has_value());
}

TEST(Seal, KeepsPaddedAndUnpaddedApart) {
    CountingRandom random;
    const core::Bytes key = key_of(config::Scheme::kRandomized);
    const ProtectedColumn randomized = column_of(config::Scheme::kRandomized);
    const ProtectedColumn with_padding = column_of(config::Scheme::kPadded);
    for (const auto& [from, to] :
         {std::pair(&randomized, &with_padding), std::pair(&with_padding, &randomized)}) {
        core::Bytes envelope = seal_value({key, 1}, {"clinic", *from}, core::as_bytes("a"), random);
        EXPECT_TRUE(open_value({key, 1}, {"clinic", *from}, envelope).has_value());
        EXPECT_FALSE(open_value({key, 1}, {"clinic", *to}, envelope).has_value());
        envelope[1] = static_cast<std::uint8_t>(to->scheme);
        EXPECT_FALSE(open_value({key, 1}, {"clinic", *to}, envelope).has_value()) << "renamed";
    }
}

TEST(Seal, ShowsOfAPaddedValueNothingButTheMultiple) {
    CountingRandom random;
    const core::Bytes key = key_of(config::Scheme::kPadded);
    const ProtectedColumn column = column_of(config::Scheme::kPadded);
    FieldCipher cipher({key, 1}, {"clinic", column});
    const auto size_of = [&](std::size_t size) {
        return cipher.seal(core::Bytes(size, 'x'), random).size();
    };
    for (std::size_t size = 0; size <= kPadTo; ++size) {
        EXPECT_EQ(size_of(size), kPaddedOverhead + kPadTo) << size;
    }
    for (std::size_t size = kPadTo + 1; size <= 2 * kPadTo; ++size) {
        EXPECT_EQ(size_of(size), kPaddedOverhead + 2 * kPadTo) << size;
    }
}

TEST(Seal, OpensPaddedValuesAfterPadToChanged) {
    CountingRandom random;
    const core::Bytes key = key_of(config::Scheme::kPadded);
    ProtectedColumn column = column_of(config::Scheme::kPadded);
    const core::Bytes envelope =
        seal_value({key, 1}, {"clinic", column}, core::as_bytes("value"), random);
    column.pad_to = 3;
    EXPECT_TRUE(open_value({key, 1}, {"clinic", column}, envelope).has_value());
}

/// The bytes of FORMATS.md, written down once more by hand.
TEST(Seal, PutsLengthValueAndZerosUnderTheTag) {
    CountingRandom random;
    const core::Bytes key = key_of(config::Scheme::kPadded);
    const ProtectedColumn column = column_of(config::Scheme::kPadded);
    const core::Bytes envelope =
        seal_value({key, 7}, {"clinic", column}, core::as_bytes("value"), random);
    EXPECT_EQ(core::to_hex(core::ByteView(envelope).first(6)), "010400000007");
    const auto associated = core::from_hex(
        "00000006636c696e6963"                            // tenant
        "0000000764656661756c74"                          // group
        "0000000400000007"                                // key id
        "000000137075626c69632e70617469656e74732e73736e"  // context
        "0000000474657874"                                // type
        "00000006706164646564"                            // scheme
    );
    const auto opened =
        core::xaes_open(key, *associated, core::ByteView(envelope).subspan(kEnvelopeHeaderSize));
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(core::to_hex(opened->reveal()), "0000000576616c75650000000000000000000000");
}

TEST(Seal, RefusesPaddingThatIsNoneUnderARightTag) {
    CountingRandom random;
    const core::Bytes key = key_of(config::Scheme::kPadded);
    const ProtectedColumn column = column_of(config::Scheme::kPadded);
    const FieldPlace place{"clinic", column};
    const auto opens = [&](std::string_view form) {
        core::Bytes envelope(kEnvelopeHeaderSize);
        write_envelope_header(column.scheme, 7, std::span(envelope).first<kEnvelopeHeaderSize>());
        core::append(
            envelope, core::xaes_seal(key, associated_data(place, 7), *core::from_hex(form), random)
        );
        return open_value({key, 7}, place, envelope).has_value();
    };
    EXPECT_TRUE(opens("000000016100"));
    EXPECT_FALSE(opens("000000016101"));
    EXPECT_FALSE(opens("000000036100"));
}

TEST(AssociatedData, IsLengthPrefixedFieldByField) {
    const ProtectedColumn column = column_of(config::Scheme::kEquality);
    EXPECT_EQ(
        core::to_hex(associated_data({"clinic", column}, 7)),
        "00000006636c696e6963"                            // tenant
        "0000000764656661756c74"                          // group
        "0000000400000007"                                // key id
        "000000137075626c69632e70617469656e74732e73736e"  // context
        "0000000474657874"                                // type
        "00000008657175616c697479"                        // scheme
    );
}

TEST(AssociatedData, CarriesTheScaleOfASearchableNumeric) {
    ProtectedColumn column = column_of(config::Scheme::kEquality);
    column.type = *types::parse_type_name("numeric(10,2)");
    const core::Bytes narrow = associated_data({"clinic", column}, 7);
    column.type = *types::parse_type_name("numeric(12,2)");
    EXPECT_EQ(associated_data({"clinic", column}, 7), narrow);
    column.type = *types::parse_type_name("numeric(12,3)");
    EXPECT_NE(associated_data({"clinic", column}, 7), narrow);
}

TEST(Plaintext, KeepsTheSendFormUnlessTheColumnIsSearchable) {
    ProtectedColumn column = column_of(config::Scheme::kRandomized);
    column.type = *types::parse_type_name("char(4)");
    const auto plaintext = [&column] {
        auto made = plaintext_of(column, core::SecretBytes::copy_of(core::as_bytes("ab  ")));
        return made.has_value() ? std::string(core::as_text(made->reveal())) : made.error().message;
    };
    EXPECT_EQ(plaintext(), "ab  ");
    column.scheme = config::Scheme::kEquality;
    EXPECT_EQ(plaintext(), "ab");
    const auto value = value_of(column, core::SecretBytes::copy_of(core::as_bytes("ab")));
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(core::as_text(value->reveal()), "ab  ");
}

TEST(ProtectedColumn, TakesTheContextFromThePolicyOrFromItsPlace) {
    config::ColumnPolicy policy;
    policy.name = "ssn";
    EXPECT_EQ(protected_column("public", "patients", policy)->context, "public.patients.ssn");
    policy.context = "person";
    const auto left = protected_column("public", "patients", policy);
    const auto right = protected_column("public", "visits", policy);
    EXPECT_EQ(left->context, "person");
    EXPECT_TRUE(shares_context(*left, *right));
    policy.group = "medical";
    EXPECT_FALSE(shares_context(*left, *protected_column("public", "visits", policy)));
}

TEST(ProtectedColumn, SharesAContextWithColumnsOfTheSamePaddingOnly) {
    config::ColumnPolicy policy;
    policy.name = "note";
    policy.context = "notes";
    policy.scheme = config::Scheme::kPadded;
    policy.pad_to = 64;
    const auto left = protected_column("public", "patients", policy);
    EXPECT_TRUE(shares_context(*left, *protected_column("public", "visits", policy)));
    policy.pad_to = 128;
    EXPECT_FALSE(shares_context(*left, *protected_column("public", "visits", policy)));
}

}  // namespace
}  // namespace pgveil::field
