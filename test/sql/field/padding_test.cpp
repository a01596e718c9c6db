#include "sql/field/padding.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::field {
namespace {

std::string padded_hex(std::string_view value, std::size_t pad_to) {
    return core::to_hex(padded(core::as_bytes(value), pad_to).reveal());
}

core::Result<core::SecretBytes> taken_out(std::string_view hex) {
    return without_padding(core::SecretBytes::copy_of(*core::from_hex(hex)));
}

struct Vector {
    std::string_view value;
    std::size_t pad_to;
    std::string_view form;
};

constexpr Vector kVectors[] = {
    {"", 4, "0000000000000000"},
    {"a", 4, "0000000161000000"},
    {"abcd", 4, "0000000461626364"},
    {"abcde", 4, "000000056162636465000000"},
    {"abc", 2, "0000000361626300"},
    {std::string_view("\0\0", 2), 3, "00000002000000"},
};

TEST(Padding, IsLengthValueAndZerosToTheNextMultiple) {
    for (const Vector& vector : kVectors) {
        EXPECT_EQ(padded_hex(vector.value, vector.pad_to), vector.form);
        const auto value = taken_out(vector.form);
        ASSERT_TRUE(value.has_value()) << vector.form;
        EXPECT_EQ(core::as_text(value->reveal()), vector.value);
    }
}

TEST(Padding, IsReadWithAnyNumberOfZeros) {
    EXPECT_TRUE(taken_out("0000000161").has_value());
    EXPECT_TRUE(taken_out("00000000").has_value());
    EXPECT_TRUE(taken_out("00000001610000000000").has_value());
}

TEST(Padding, RefusesALengthThatDoesNotFitAndWhatIsNotZero) {
    for (const std::string_view form :
         {"",
          "000000",
          "00000001",
          "0000000561626364",
          "ffffffff61",
          "000000016101",
          "0000000061",
          "000000016100000001"}) {
        EXPECT_FALSE(taken_out(form).has_value()) << form;
    }
}

}  // namespace
}  // namespace pgveil::field
