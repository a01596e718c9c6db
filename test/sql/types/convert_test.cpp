#include "sql/types/convert.hpp"

#include "sql/types/codec.hpp"
#include "sql/types/time_zone.hpp"
#include "test/sql/types/value_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::types {
namespace {

const Type kInt2 = {Kind::kInt2};
const Type kInt4 = {Kind::kInt4};
const Type kInt8 = {Kind::kInt8};
const Type kText = {Kind::kText};
const Type kDate = {Kind::kDate};
const Type kTimestamp = {Kind::kTimestamp};
const Type kTimestamptz = {Kind::kTimestamptz};
const Type kVarchar3 = {Kind::kVarchar, 7};

core::SecretBytes value_of(Type type, std::string_view text) {
    auto value = from_text(type, text, {});
    EXPECT_TRUE(value.has_value()) << text;
    return value.has_value() ? std::move(*value) : core::SecretBytes();
}

std::string compared(Type from, std::string_view text, Type column) {
    return hex_or_error(convert_for_comparison(from, column, value_of(from, text).reveal()));
}

bool is_comparison_refused(Type from, std::string_view text, Type column) {
    return is_refused(convert_for_comparison(from, column, value_of(from, text).reveal()));
}

std::string assigned(Type from, std::string_view text, Type column, const TextStyle& style = {}) {
    return hex_or_error(convert_for_assignment(from, column, value_of(from, text).reveal(), style));
}

TEST(Comparison, IntegersConvertWhereTheyFit) {
    EXPECT_EQ(compared(kInt8, "-5", kInt4), "fffffffb");
    EXPECT_EQ(compared(kInt4, "5", kInt8), "0000000000000005");
    EXPECT_TRUE(is_comparison_refused(kInt8, "3000000000", kInt4));
    EXPECT_TRUE(is_comparison_refused(kInt4, "40000", kInt2));
}

TEST(Comparison, TextKeepsItsBlanksAndIgnoresTheLengthLimit) {
    EXPECT_EQ(compared(kText, "ab  ", kVarchar3), "61622020");
    EXPECT_EQ(compared(Type{Kind::kVarchar}, "abcdef", kVarchar3), "616263646566");
}

TEST(Comparison, TimestampIsADateOnlyAtMidnight) {
    EXPECT_EQ(compared(kTimestamp, "2000-01-02 00:00", kDate), "00000001");
    EXPECT_TRUE(is_comparison_refused(kTimestamp, "2000-01-02 10:00", kDate));
    EXPECT_EQ(compared(kTimestamp, "-infinity", kDate), "80000000");
}

TEST(Comparison, DateIsATimestampWhereInRange) {
    EXPECT_EQ(compared(kDate, "2000-01-02", kTimestamp), "000000141dd76000");
    EXPECT_TRUE(is_comparison_refused(kDate, "294277-01-01", kTimestamp));
    EXPECT_EQ(compared(kDate, "4713-11-24 BC", kTimestamp), "fd0f9983eb0ae000");
}

TEST(Comparison, RefusesPairsThatDependOnTheZoneOrHaveNoOperator) {
    EXPECT_TRUE(is_comparison_refused(kDate, "2000-01-02", kTimestamptz));
    EXPECT_TRUE(is_comparison_refused(kTimestamp, "2000-01-02", kTimestamptz));
    EXPECT_TRUE(is_comparison_refused(kText, "5", kInt4));
    EXPECT_TRUE(is_comparison_refused(kInt4, "5", kText));
    EXPECT_TRUE(is_comparison_refused(kInt4, "1", Type{Kind::kBool}));
}

TEST(Assignment, IntegersOverflowAsPostgreSqlSays) {
    EXPECT_EQ(assigned(kInt8, "3000000000", kInt4), "22003 integer out of range");
    EXPECT_EQ(assigned(kInt4, "40000", kInt2), "22003 smallint out of range");
    EXPECT_EQ(assigned(kInt2, "-1", kInt8), "ffffffffffffffff");
}

TEST(Assignment, EveryTypeBecomesTextByItsOutput) {
    EXPECT_EQ(assigned(kInt4, "12", kText), core::to_hex(core::as_bytes("12")));
    EXPECT_EQ(assigned(Type{Kind::kBool}, "t", kText), core::to_hex(core::as_bytes("true")));
    TextStyle german;
    german.date_style = DateStyle::kGerman;
    EXPECT_EQ(
        assigned(kDate, "2000-01-02", kText, german), core::to_hex(core::as_bytes("02.01.2000"))
    );
    EXPECT_EQ(
        assigned(kInt4, "1234", kVarchar3), "22001 value too long for type character varying(3)"
    );
}

TEST(Assignment, TimestampsFollowTheSessionZone) {
    const TimeZone zone = TimeZone::fixed(3600, "X");
    TextStyle style;
    style.zone = &zone;
    EXPECT_EQ(assigned(kTimestamp, "2000-01-01 01:00", kTimestamptz, style), "0000000000000000");
    EXPECT_EQ(assigned(kTimestamptz, "2000-01-01 23:30+00", kDate, style), "00000001");
    EXPECT_EQ(assigned(kTimestamp, "1999-12-31 23:30", kDate, style), "ffffffff");
    EXPECT_EQ(
        assigned(kTimestamp, "2000-01-01 00:00:00.6", Type{Kind::kTimestamp, 0}), "00000000000f4240"
    );
    EXPECT_TRUE(is_refused(convert_for_assignment(
        kTimestamp, kTimestamptz, value_of(kTimestamp, "2000-01-01").reveal(), {}
    )));
}

TEST(Assignment, RefusesPairsWithoutAnAssignmentCast) {
    for (const Type column : {kInt4, kDate, Type{Kind::kUuid}, Type{Kind::kBytea}}) {
        EXPECT_TRUE(is_refused(convert_for_assignment(kText, column, core::as_bytes("5"), {})))
            << name_of(column);
    }
}

TEST(Conversion, RefusesValuesThatAreNoValidSendForm) {
    EXPECT_FALSE(convert_for_comparison(kInt4, kInt8, core::as_bytes("123")).has_value());
    EXPECT_FALSE(convert_for_assignment(kText, kText, core::as_bytes("\xff"), {}).has_value());
}

}  // namespace
}  // namespace pgveil::types
