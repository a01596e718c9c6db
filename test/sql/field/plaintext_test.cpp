#include "sql/field/plaintext.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pgveil::field {
namespace {

constexpr std::int32_t kFive = 9;  // the typmod of char(5)

ProtectedColumn column_of(config::Scheme scheme, types::Kind kind, std::int32_t typmod = -1) {
    ProtectedColumn column;
    column.scheme = scheme;
    column.type = {kind, typmod};
    return column;
}

core::SecretBytes bytes_of(std::string_view hex) {
    return core::SecretBytes::copy_of(*core::from_hex(hex));
}

/// What comes back of a value, in hexadecimal; the SQLSTATE where it is refused.
std::string kept(const ProtectedColumn& column, std::string_view hex) {
    auto plaintext = plaintext_of(column, bytes_of(hex));
    if (!plaintext) {
        return plaintext.error().sqlstate;
    }
    const auto value = value_of(column, std::move(*plaintext));
    return value ? core::to_hex(value->reveal()) : value.error().sqlstate;
}

TEST(Plaintext, OfAColumnWithoutSearchIsTheValueAsItIs) {
    using enum types::Kind;
    for (const auto scheme : {config::Scheme::kRandomized, config::Scheme::kPadded}) {
        EXPECT_EQ(kept(column_of(scheme, kBpchar), "612020"), "612020") << "blanks at the end";
        EXPECT_EQ(kept(column_of(scheme, kBpchar, kFive), "6120202020"), "6120202020");
        EXPECT_EQ(kept(column_of(scheme, kFloat4), "80000000"), "80000000") << "-0";
        EXPECT_EQ(kept(column_of(scheme, kFloat8), "8000000000000000"), "8000000000000000");
        EXPECT_EQ(kept(column_of(scheme, kFloat4), "ffc00000"), "ffc00000") << "-NaN";
        EXPECT_EQ(kept(column_of(scheme, kFloat8), "fff8000000000001"), "fff8000000000001");
    }
}

TEST(Plaintext, OfASearchableColumnHasOneFormForEqualValues) {
    using enum types::Kind;
    for (const auto scheme : {config::Scheme::kEquality, config::Scheme::kOrder}) {
        EXPECT_EQ(kept(column_of(scheme, kFloat4), "80000000"), "0A000");
        EXPECT_EQ(kept(column_of(scheme, kFloat8), "fff8000000000001"), "7ff8000000000000");
    }
    const auto plaintext =
        plaintext_of(column_of(config::Scheme::kEquality, kBpchar, kFive), bytes_of("6120202020"));
    ASSERT_TRUE(plaintext.has_value());
    EXPECT_EQ(core::to_hex(plaintext->reveal()), "61");
}

TEST(Plaintext, OfPaddedCharIsReadWithoutItsBlanksToo) {
    const auto column = column_of(config::Scheme::kPadded, types::Kind::kBpchar, kFive);
    const auto value = value_of(column, bytes_of("61"));
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(core::to_hex(value->reveal()), "6120202020");
}

}  // namespace
}  // namespace pgveil::field
