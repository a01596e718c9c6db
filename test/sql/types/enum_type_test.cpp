#include "sql/types/enum_type.hpp"

#include "sql/types/convert.hpp"
#include "sql/types/order_form.hpp"
#include "sql/types/searchable_form.hpp"
#include "test/sql/types/value_text.hpp"

#include <gtest/gtest.h>

namespace pgveil::types {
namespace {

const EnumDefinition kMood = {"public", "mood", {"sad", "ok", "very happy", ""}};

Kind mood(std::uint32_t oid = 0) {
    return *enum_kind(kMood, oid == 0 ? EnumIdentity{} : EnumIdentity{oid, oid + 1, "mood"});
}

TEST(EnumKind, IsTheSameForTheSameEnumOfTheSameDatabase) {
    EXPECT_EQ(mood(), mood());
    EXPECT_EQ(mood(5), mood(5));
    EXPECT_NE(mood(), mood(5));
    EXPECT_NE(mood(5), mood(6));
    EXPECT_TRUE(is_same_enum(mood(5), mood(6)));
    EXPECT_FALSE(is_same_enum(mood(5), array_of(mood(6))));
    EXPECT_FALSE(is_same_enum(mood(5), Kind::kText));
    EXPECT_FALSE(is_same_enum(mood(), *enum_kind({"public", "mood", {"sad"}})));
}

TEST(EnumKind, HasTheNumbersOfTheDatabase) {
    EXPECT_EQ(oid_of(mood(20)), 20U);
    EXPECT_EQ(array_oid_of(mood(20)), 21U);
    EXPECT_EQ(oid_of(array_of(mood(20))), 21U);
    EXPECT_EQ(oid_of(mood()), 0U);
    EXPECT_EQ(typlen_of(mood(20)), 4);
    EXPECT_EQ(typlen_of(array_of(mood(20))), -1);
    EXPECT_EQ(collation_of(mood(20)), 0U);
    EXPECT_TRUE(is_enum(array_of(mood())));
    EXPECT_EQ(element_of(array_of(mood())), mood());
    EXPECT_FALSE(is_enum(array_of(Kind::kJsonb)));
}

TEST(EnumKind, HasItsNames) {
    EXPECT_EQ(name_of(Type{mood()}), "public.mood");
    EXPECT_EQ(sql_name_of(Type{mood()}), "public.mood");
    EXPECT_EQ(sql_name_of(Type{mood(7)}), "mood");
    EXPECT_EQ(sql_name_of(Type{array_of(mood(7))}), "mood[]");
    EXPECT_EQ(name_of(Type{*enum_kind({"a.b", "The \"Mood\"", {"x"}})}), R"("a.b"."The ""Mood""")");
}

TEST(EnumKind, IsNoOtherTypeInTheAssociatedData) {
    EXPECT_EQ(associated_name_of(Type{mood(3)}, true), "enum");
    EXPECT_EQ(associated_name_of(Type{array_of(mood(3))}, false), "enum[]");
}

TEST(EnumValue, IsOneOfTheLabels) {
    EXPECT_EQ(sent(Type{mood(7)}, "sad"), "736164");
    EXPECT_EQ(sent(Type{mood(7)}, ""), "");
    EXPECT_EQ(sent(Type{mood(7)}, "Sad"), "22P02 invalid input value for enum mood: \"Sad\"");
    EXPECT_EQ(sent(Type{mood(7)}, " sad"), "22P02 invalid input value for enum mood: \" sad\"");
    const std::string_view label = "very happy";
    const auto binary = from_binary(Type{mood()}, core::as_bytes(label));
    EXPECT_EQ(to_text(Type{mood()}, binary->reveal(), {})->size(), label.size());
    EXPECT_EQ(
        hex_or_error(from_binary(Type{mood(7)}, core::as_bytes(std::string_view("x")))),
        "22P02 invalid input value for enum mood: \"x\""
    );
    EXPECT_FALSE(from_binary(Type{mood(7)}, core::as_bytes(std::string_view("\xff"))).has_value());
}

TEST(EnumValue, MeetsItsOwnTypeOnly) {
    EXPECT_TRUE(is_comparable(mood(7), mood(7)));
    EXPECT_FALSE(is_comparable(Kind::kText, mood(7)));
    EXPECT_FALSE(is_comparable(mood(7), Kind::kText));
    EXPECT_FALSE(is_assignable(Kind::kText, mood(7)));
    EXPECT_TRUE(is_assignable(mood(7), Kind::kText));
    EXPECT_TRUE(is_castable(Kind::kText, mood(7)));
    EXPECT_TRUE(has_searchable_form(Type{mood()}));
    EXPECT_FALSE(has_searchable_form(Type{array_of(mood())}));
    EXPECT_FALSE(has_order_form(Type{mood()}));
}

TEST(EnumArray, IsStoredWithoutTheNumberOfItsType) {
    const Type here = {array_of(mood(0x0A0B))};
    const Type there = {array_of(mood(0x0C0D))};
    auto value = from_text(here, "{sad,NULL}", {});
    ASSERT_TRUE(value.has_value());
    const std::string rest = "000000020000000100000003736164ffffffff";
    EXPECT_EQ(core::to_hex(value->reveal()), "000000010000000100000a0b" + rest);
    auto stored = stored_form(here, std::move(*value));
    EXPECT_EQ(core::to_hex(stored.reveal()), "000000010000000100000000" + rest);
    auto opened = send_form_of_stored(there, std::move(stored));
    EXPECT_EQ(hex_or_error(opened), "000000010000000100000c0d" + rest);
    const auto text = to_text(there, opened->reveal(), {});
    EXPECT_EQ(core::as_text(text->reveal()), "{sad,NULL}");
    EXPECT_EQ(sent(here, "{sad,angry}"), "22P02 invalid input value for enum mood: \"angry\"");
}

}  // namespace
}  // namespace pgveil::types
