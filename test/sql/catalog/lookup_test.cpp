#include "sql/catalog/lookup.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace pgveil::catalog {
namespace {

using Kind = RelationName::Kind;
using Row = std::vector<std::optional<std::string_view>>;

constexpr std::size_t kKeys = 23;

/// With NULL in the cells behind, but for the keys of the table.
Row row_of(Row row) {
    row.resize(kLookupColumns);
    row[kKeys] = "1 3,2";
    return row;
}

const Row plain_row = row_of(
    {"1",
     "public",
     "16388",
     "public",
     "t",
     "r",
     "f",
     "t",
     "1",
     "id",
     "23",
     "-1",
     "integer",
     "f",
     "t",
     "t",
     "f",
     "f"}
);
const Row veiled_row = row_of(
    {"1",
     "public",
     "16388",
     "public",
     "t",
     "r",
     "f",
     "t",
     "3",
     "ssn",
     "99",
     "-1",
     "pgveil.ciphertext",
     "t",
     "f",
     "f",
     "f",
     "f"}
);

LookupReader reader_of_t() {
    return LookupReader(std::vector<RelationName>{{"", "t"}});
}

Row absent(std::string_view ordinal) {
    Row row(kLookupColumns);
    row[0] = ordinal;
    row[1] = "public";
    return row;
}

TEST(Lookup, ReadsColumnsAndAbsentNames) {
    LookupReader reader(std::vector<RelationName>{{"", "t"}, {"s", "gone"}});
    ASSERT_TRUE(reader.add_row(plain_row).has_value());
    ASSERT_TRUE(reader.add_row(veiled_row).has_value());
    ASSERT_TRUE(reader.add_row(absent("2")).has_value());
    Catalog catalog;
    ASSERT_TRUE(std::move(reader).finish(catalog).has_value());
    const Entry* const entry = catalog.find({"", "t"});
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->creation_schema, "public");
    ASSERT_EQ(entry->relation->columns.size(), 2U);
    EXPECT_TRUE(entry->relation->has_bytewise_text);
    EXPECT_EQ(entry->relation->keys, (std::vector<std::vector<std::int16_t>>{{1, 3}, {2}}));
    EXPECT_TRUE(entry->relation->columns[0].has_default);
    EXPECT_TRUE(entry->relation->column("ssn")->is_ciphertext);
    EXPECT_EQ(entry->relation->column("nothing"), nullptr);
    EXPECT_FALSE(catalog.find({"s", "gone"})->relation.has_value());
}

TEST(Lookup, ReadsUnderWhichDataKeyAColumnStands) {
    for (const bool is_usual : {false, true}) {
        LookupReader reader = reader_of_t();
        Row row = veiled_row;
        row[33] = "7";
        ASSERT_TRUE(reader.add_row(plain_row).has_value());
        ASSERT_TRUE(reader.add_row(row).has_value());
        if (is_usual) {
            reader.take_for_usual(std::vector<std::uint32_t>{7});
        }
        Catalog catalog;
        ASSERT_TRUE(std::move(reader).finish(catalog).has_value());
        const Relation& relation = *catalog.find({"", "t"})->relation;
        EXPECT_EQ(relation.column("id")->data_key, 0U);
        EXPECT_EQ(relation.column("ssn")->data_key, is_usual ? 0U : 7U);
    }
    LookupReader reader = reader_of_t();
    Row row = veiled_row;
    row[33] = "x";
    EXPECT_FALSE(reader.add_row(row).has_value());
}

/// What is left open of a relation whose first row has `value` there, and of a name of nothing.
std::vector<RelationName> left_open_by(std::size_t cell, std::optional<std::string_view> value) {
    const std::vector<RelationName> names = {{"", "t"}, {"", "gone"}};
    LookupReader reader(names, LookupReader::Answers::kBrief);
    Row row = veiled_row;
    row[cell] = value;
    EXPECT_TRUE(reader.add_row(row).has_value());
    EXPECT_TRUE(reader.add_row(plain_row).has_value());
    EXPECT_TRUE(reader.add_row(absent("2")).has_value());
    auto open = reader.left_open();
    Catalog catalog;
    EXPECT_TRUE(std::move(reader).finish(catalog).has_value());
    EXPECT_EQ(catalog.find(names[0]) == nullptr, !open.empty()) << "nothing is known of it";
    EXPECT_NE(catalog.find(names[1]), nullptr);
    return open;
}

TEST(Lookup, ABriefAnswerLeavesOpenWhatItDoesNotSay) {
    const std::vector<RelationName> t = {{"", "t"}};
    EXPECT_TRUE(left_open_by(33, "7").empty());
    EXPECT_TRUE(left_open_by(33, "").empty());
    EXPECT_EQ(left_open_by(33, "7 8"), t);
    EXPECT_EQ(left_open_by(6, std::nullopt), t) << "it is connected with another one";
    EXPECT_EQ(left_open_by(13, std::nullopt), t) << "a column of a type that somebody made";
}

TEST(Lookup, AWholeAnswerLeavesNothingOpen) {
    for (const std::size_t cell : {6U, 13U}) {
        LookupReader reader = reader_of_t();
        Row row = veiled_row;
        row[cell] = std::nullopt;
        EXPECT_FALSE(reader.add_row(row).has_value());
        EXPECT_TRUE(reader.left_open().empty());
    }
}

TEST(Lookup, OnlyRelationsAreAskedForBriefly) {
    EXPECT_TRUE(has_brief_lookup(std::vector<RelationName>{{"", "a"}, {"s", "b"}}));
    EXPECT_FALSE(has_brief_lookup(std::vector<RelationName>{{"", "a"}, {"", "b", Kind::kFunction}})
    );
}

TEST(Lookup, ReadsEnums) {
    LookupReader reader(std::vector<RelationName>{
        {"", "mood", Kind::kEnum}, {"s", "x", Kind::kEnum}});
    Row row = absent("1");
    row[24] = "500";
    row[25] = "501";
    row[26] = "public";
    row[27] = "mood";
    ASSERT_TRUE(reader.add_row(row).has_value());
    EXPECT_FALSE(reader.add_row(row).has_value());
    ASSERT_TRUE(reader.add_row(absent("2")).has_value());
    Catalog catalog;
    ASSERT_TRUE(std::move(reader).finish(catalog).has_value());
    const EnumType expected{500, 501, "public", "mood"};
    EXPECT_EQ(catalog.find({"", "mood", Kind::kEnum})->enum_type, expected);
    EXPECT_FALSE(catalog.find({"s", "x", Kind::kEnum})->enum_type.has_value());
    catalog.erase_absent();
    EXPECT_EQ(catalog.size(), 1U);
    row[25] = "many";
    LookupReader other(std::vector<RelationName>{{"", "mood", Kind::kEnum}});
    EXPECT_FALSE(other.add_row(row).has_value());
}

TEST(Lookup, ReadsWhatTypesHold) {
    LookupReader reader(std::vector<RelationName>{
        {"", "someone", Kind::kType}, {"", "16500", Kind::kTypeOid}, {"", "1", Kind::kTypeOid}});
    Row row = absent("1");
    row[30] = "t";
    row[31] = R"("public"."people" "s"."a""b")";
    ASSERT_TRUE(reader.add_row(row).has_value());
    EXPECT_FALSE(reader.add_row(row).has_value());
    Row empty = absent("2");
    empty[30] = "f";
    ASSERT_TRUE(reader.add_row(empty).has_value());
    ASSERT_TRUE(reader.add_row(absent("3")).has_value());
    Catalog catalog;
    ASSERT_TRUE(std::move(reader).finish(catalog).has_value());
    const HeldRows expected{true, {{"public", "people"}, {"s", "a\"b"}}};
    EXPECT_EQ(catalog.find({"", "someone", Kind::kType})->held_rows, expected);
    EXPECT_EQ(catalog.find({"", "16500", Kind::kTypeOid})->held_rows, HeldRows());
    EXPECT_FALSE(catalog.find({"", "1", Kind::kTypeOid})->held_rows.has_value());
    catalog.erase_absent();
    EXPECT_EQ(catalog.size(), 2U);
    for (const auto& [cell, text] : std::vector<std::pair<std::size_t, std::string_view>>{
             {30, "yes"}, {31, "public.people"}}) {
        Row bad = row;
        bad[cell] = text;
        LookupReader other(std::vector<RelationName>{{"", "someone", Kind::kType}});
        EXPECT_FALSE(other.add_row(bad).has_value()) << text;
    }
}

TEST(Lookup, AcceptsATableWithoutColumns) {
    LookupReader reader = reader_of_t();
    Row row(plain_row.begin(), plain_row.begin() + 8);
    row.resize(kLookupColumns);
    ASSERT_TRUE(reader.add_row(row).has_value());
    Catalog catalog;
    ASSERT_TRUE(std::move(reader).finish(catalog).has_value());
    EXPECT_TRUE(catalog.find({"", "t"})->relation->columns.empty());
}

TEST(Lookup, RefusesAnswersThatAreNotOurs) {
    LookupReader reader = reader_of_t();
    EXPECT_FALSE(reader.add_row(Row{"1"}).has_value());
    EXPECT_FALSE(reader.add_row(absent("0")).has_value());
    EXPECT_FALSE(reader.add_row(absent("2")).has_value());
    EXPECT_FALSE(reader.add_row(absent("x")).has_value());
    Row bad = plain_row;
    bad[10] = "23x";
    EXPECT_FALSE(reader.add_row(bad).has_value());
    for (const std::string_view keys : {"x", "1,,2", "1;2", ",1", "1 99999"}) {
        Row odd = plain_row;
        odd[kKeys] = keys;
        EXPECT_FALSE(reader_of_t().add_row(odd).has_value()) << keys;
    }
    Row other = plain_row;
    ASSERT_TRUE(reader_of_t().add_row(other).has_value());
    Catalog catalog;
    EXPECT_FALSE(reader_of_t().finish(catalog).has_value());
    EXPECT_EQ(catalog.size(), 0U);
}

TEST(Lookup, KeepsTheTextOfAViewOverProtectedTables) {
    for (const bool is_over : {true, false}) {
        LookupReader reader = reader_of_t();
        Row view = plain_row;
        view[5] = "v";
        view[6] = is_over ? "t" : "f";
        view[20] = "SELECT 1";
        ASSERT_TRUE(reader.add_row(view).has_value());
        Catalog catalog;
        ASSERT_TRUE(std::move(reader).finish(catalog).has_value());
        EXPECT_EQ(catalog.find({"", "t"})->relation->view_text, is_over ? "SELECT 1" : "");
    }
}

TEST(Lookup, ReadsWhatARelationIsAPartOf) {
    LookupReader reader = reader_of_t();
    Row part = plain_row;
    part[21] = "\"public\".\"a.\"\"b\"\"\" \"other\".\"c\"";
    part[22] = "LIST (city)";
    ASSERT_TRUE(reader.add_row(part).has_value());
    Catalog catalog;
    ASSERT_TRUE(std::move(reader).finish(catalog).has_value());
    const Relation& relation = *catalog.find({"", "t"})->relation;
    const std::vector<QualifiedName> expected = {{"public", "a.\"b\""}, {"other", "c"}};
    EXPECT_EQ(relation.ancestors, expected);
    EXPECT_EQ(relation.partition_key, "LIST (city)");
    for (const char* const broken : {"x", "\"a", "\"a\"", "\"a\".", "\"a\".b", "\"a\".\"b\"x"}) {
        part[21] = broken;
        EXPECT_FALSE(reader_of_t().add_row(part).has_value()) << broken;
    }
}

TEST(Lookup, RefusesTwoRelationsForOneName) {
    LookupReader reader = reader_of_t();
    ASSERT_TRUE(reader.add_row(plain_row).has_value());
    Row other = veiled_row;
    other[2] = "17000";
    EXPECT_FALSE(reader.add_row(other).has_value());
}

Row routine(std::string_view ordinal, std::string_view schema, std::string_view reason) {
    Row row = absent(ordinal);
    row[18] = schema;
    row[19] = reason;
    return row;
}

TEST(Lookup, ReadsTheFunctionsOfAName) {
    LookupReader reader(std::vector<RelationName>{
        {"", "f", Kind::kFunctionBody}, {"", "g", Kind::kFunction}});
    ASSERT_TRUE(reader.add_row(routine("1", "public", "v")).has_value());
    ASSERT_TRUE(reader.add_row(routine("1", "other", "s")).has_value());
    ASSERT_TRUE(reader.add_row(absent("2")).has_value());
    EXPECT_FALSE(reader.add_row(absent("2")).has_value()) << "twice nothing";
    Catalog catalog;
    ASSERT_TRUE(std::move(reader).finish(catalog).has_value());
    const std::vector<Routine> expected = {
        {"public", Routine::Reason::kSignature}, {"other", Routine::Reason::kSource}};
    EXPECT_EQ(catalog.find({"", "f", Kind::kFunctionBody})->routines, expected);
    EXPECT_TRUE(catalog.find({"", "g", Kind::kFunction})->routines.empty());
    EXPECT_EQ(catalog.find({"", "f"}), nullptr) << "a relation of that name is something else";
}

TEST(Lookup, RefusesAFunctionForARelation) {
    LookupReader reader = reader_of_t();
    EXPECT_FALSE(reader.add_row(routine("1", "public", "v")).has_value());
}

TEST(Lookup, WritesArrayLiterals) {
    const std::vector<RelationName> names = {{"", "a\"b\\"}, {"s", "NULL"}};
    EXPECT_EQ(names_parameter(names), R"({"a\"b\\","NULL"})");
    EXPECT_EQ(schemas_parameter(names), R"({"","s"})");
    const std::vector<RelationName> kinds = {
        {"", "a", Kind::kFunction}, {"", "a", Kind::kFunctionBody}, {"", "a"}};
    EXPECT_EQ(kinds_parameter(kinds), R"({"f","b","r"})");
    const auto policy = config::parse_policy(
        "p",
        R"({"tables": {"a.t": {"columns": {"c": {"type": "text"}}}, "b.t": {"columns": {"c": {"type": "text"}}}}})"
    );
    ASSERT_TRUE(policy.has_value());
    EXPECT_EQ(protected_parameter(**policy), R"({"t"})");
}

TEST(Lookup, BriefQueryQualifiesEveryName) {
    const std::vector<RelationName> unqualified = {{"", "a"}};
    const std::vector<RelationName> qualified = {{"", "a"}, {"s", "a"}};
    for (const std::string& query :
         {brief_lookup_query(unqualified), brief_lookup_query(qualified)}) {
        EXPECT_LT(query.size(), lookup_query(unqualified).size());
        EXPECT_EQ(query.find("FROM pg_class"), std::string::npos);
        EXPECT_EQ(query.find('\\'), std::string::npos) << "read with any setting of escapes";
        EXPECT_EQ(query.find(" = "), std::string::npos) << "operators are qualified, too";
        EXPECT_EQ(query.find('{'), query.find("{1,9}")) << "all parts are written out";
    }
}

TEST(Lookup, QueryQualifiesEveryName) {
    const std::vector<RelationName> relation = {{"", "a"}};
    const std::vector<RelationName> body = {{"", "a", Kind::kFunctionBody}};
    EXPECT_LT(lookup_query(relation).size(), lookup_query(body).size());
    for (const std::string& query : {lookup_query(relation), lookup_query(body)}) {
        EXPECT_EQ(query.find("FROM pg_class"), std::string::npos);
        EXPECT_NE(query.find("$4"), std::string::npos);
        EXPECT_EQ(query.find("$5"), std::string::npos);
        EXPECT_EQ(query.find('\\'), std::string::npos) << "read with any setting of escapes";
        EXPECT_EQ(query.find(" = "), std::string::npos) << "operators are qualified, too";
    }
}

}  // namespace
}  // namespace pgveil::catalog
