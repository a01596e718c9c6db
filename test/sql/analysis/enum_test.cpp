#include "sql/types/enum_type.hpp"
#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pgveil::analysis::test {
namespace {

constexpr std::string_view kPolicy = R"json({
  "tables": {
    "public.days": { "columns": {
      "mood":  { "type": "mood", "search": "equality", "context": "mood" },
      "night": { "type": "public.mood", "search": "equality", "context": "mood" },
      "all":   { "type": "mood[]" },
      "note":  { "type": "text", "search": "equality" } } } },
  "enums": { "public.mood": [ "sad", "ok", "very happy" ], "public.color": [ "red" ] }
})json";

using Lookup = catalog::RelationName::Kind;

void put_enum(Clinic& clinic, const std::string& name, std::uint32_t oid) {
    const catalog::EnumType type{oid, oid + 1, "public", name};
    for (const std::string schema : {"", "public"}) {
        catalog::Entry entry;
        entry.enum_type = type;
        clinic.catalog.put({schema, name, Lookup::kEnum}, entry);
    }
}

Clinic clinic_with_moods() {
    Clinic clinic;
    const auto parsed = config::parse_policy("policy.json", kPolicy);
    EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
    clinic.policy = *parsed;
    catalog::Relation days;
    days.oid = 9;
    days.schema = "public";
    days.name = "days";
    for (const std::string name : {"id", "mood", "night", "all", "note"}) {
        catalog::Column column;
        column.name = name;
        column.attnum = static_cast<std::int16_t>(days.columns.size() + 1);
        column.is_ciphertext = name != "id";
        days.columns.push_back(column);
    }
    for (const std::string schema : {"", "public"}) {
        clinic.catalog.put({schema, "days"}, catalog::Entry{days, "public"});
    }
    put_enum(clinic, "mood", 500);
    put_enum(clinic, "color", 600);
    return clinic;
}

std::string sent(std::string_view sql) {
    std::string text = clinic_with_moods().sent(sql);
    const std::string table = "\"public\".\"days\"";
    for (std::size_t at = text.find(table); at != std::string::npos; at = text.find(table)) {
        text.replace(at, table.size(), "$");
    }
    return text;
}

TEST(Enums, ConstantsAreSealedAsLabels) {
    EXPECT_EQ(
        sent("SELECT id FROM days WHERE mood = 'sad' AND night IN ('ok', 'very happy')"),
        "SELECT id FROM $ WHERE mood = {mood=sad} AND night IN ({night=ok}, {night=very happy})"
    );
    EXPECT_EQ(
        sent("SELECT id FROM days WHERE mood = 'sad'::mood OR mood = CAST('ok' AS public.mood)"),
        "SELECT id FROM $ WHERE mood = {mood=sad}::pg_catalog.bytea OR mood = CAST({mood=ok} AS "
        "pg_catalog.bytea)"
    );
    EXPECT_EQ(
        sent("INSERT INTO days (id, mood, night) VALUES (1, 'sad', mood 'ok')"),
        "INSERT INTO $ (id, mood, night) VALUES (1, {mood=sad}, {night=ok})"
    );
    EXPECT_EQ(
        sent("UPDATE days SET mood = COALESCE(night, 'ok'), night = 'sad'::text::mood"),
        "UPDATE $ SET mood = COALESCE(night, {mood=ok}), night = "
        "{night=sad}::pg_catalog.bytea::pg_catalog.bytea"
    );
    EXPECT_EQ(
        sent("SELECT mood = ANY ('{sad,ok}'::mood[]) FROM days"),
        "SELECT mood = ANY (ARRAY[{mood=sad},{mood=ok}]::pg_catalog.bytea[]::pg_catalog.bytea[]) "
        "FROM $"
    );
}

TEST(Enums, ALabelThatThePolicyDoesNotListDoesNotLeave) {
    const std::string wrong = "!22P02 invalid input value for enum mood: \"angry\"";
    EXPECT_EQ(sent("SELECT id FROM days WHERE mood = 'angry'"), wrong);
    EXPECT_EQ(sent("SELECT id FROM days WHERE mood = 'angry'::mood"), wrong);
    EXPECT_EQ(sent("INSERT INTO days (mood) VALUES ('angry')"), wrong);
    EXPECT_EQ(sent("INSERT INTO days (\"all\") VALUES ('{sad,angry}')"), wrong);
    EXPECT_EQ(sent("SELECT id FROM days WHERE mood = ANY ('{angry}')"), wrong);
    const Decision decision =
        clinic_with_moods().decide("SELECT id FROM days WHERE mood = 'angry'");
    EXPECT_EQ(std::get<Rejection>(decision).position, 33);
}

TEST(Enums, OtherTypesAreRefused) {
    for (const std::string_view condition :
         {"mood = 'sad'::text",
          "mood = 'red'::color",
          "mood = 'sad'::other.mood",
          "mood = $1::text",
          "mood = 1",
          "mood::text = 'sad'",
          "mood < 'sad'",
          "mood = note",
          "GREATEST(mood, 'sad') = 'sad'",
          "note = mood 'sad'"}) {
        const std::string sql = "SELECT id FROM days WHERE " + std::string(condition);
        EXPECT_EQ(sent(sql).substr(0, 6), "!0A000") << sql << ": " << sent(sql);
    }
}

TEST(Enums, AreDescribedWithTheNumbersOfTheDatabase) {
    const Clinic clinic = clinic_with_moods();
    EXPECT_EQ(
        clinic.parameters("SELECT id FROM days WHERE mood = $1 AND night = $2::mood"),
        "1:mood compared 17/500,2:night compared 17/500"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT id FROM days WHERE mood = ANY ($1) AND night IN ($2, $3)", {501}),
        "1:mood compared 1001/501 array,2:night compared 17/500,3:night compared 17/500"
    );
    EXPECT_EQ(
        clinic.parameters("INSERT INTO days (mood, \"all\") VALUES ($1, $2)", {500, 501}),
        "1:mood assigned 17/500,2:all assigned 17/501"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM days WHERE mood = $1", {600}).substr(0, 6), "!0A000"
    );
    const Decision decision = clinic.decide("SELECT mood, \"all\" FROM days");
    const auto& results = std::get<StatementPlan>(decision).results;
    EXPECT_EQ(types::oid_of(results[0].column->type.kind), 500U);
    EXPECT_EQ(types::oid_of(results[1].column->type.kind), 501U);
}

TEST(Enums, ATypeThatTheDatabaseDoesNotHaveRefusesTheTable) {
    Clinic clinic = clinic_with_moods();
    clinic.catalog.erase({"public", "mood", Lookup::kEnum});
    EXPECT_EQ(
        clinic.sent("SELECT id FROM days"),
        "!0A000 public.days.mood: is of type public.mood in the "
        "policy, which this database does not have"
    );
    clinic.catalog.put({"", "days"}, catalog::Entry{std::nullopt, "public"});
    clinic.catalog.erase({"", "mood", Lookup::kEnum});
    EXPECT_EQ(
        clinic.sent("CREATE TABLE days (id int, mood mood)"), "!42704 type \"mood\" does not exist"
    );
}

TEST(Enums, AnUnqualifiedNameThatMeansAnotherTypeIsNotTheEnum) {
    Clinic clinic = clinic_with_moods();
    clinic.catalog.erase({"", "mood", Lookup::kEnum});
    catalog::Entry other;
    other.enum_type = catalog::EnumType{700, 701, "mine", "mood"};
    clinic.catalog.put({"", "mood", Lookup::kEnum}, other);
    EXPECT_EQ(clinic.sent("SELECT id FROM days WHERE mood = 'sad'::mood").substr(0, 6), "!0A000");
    EXPECT_NE(clinic.sent("SELECT id FROM days WHERE mood = 'sad'::public.mood").substr(0, 1), "!");
}

TEST(Enums, TablesAreCreatedByThePolicy) {
    Clinic clinic = clinic_with_moods();
    clinic.catalog.put({"", "days"}, catalog::Entry{std::nullopt, "public"});
    const std::string text =
        clinic.sent("CREATE TABLE days (id int, mood mood DEFAULT 'ok', \"all\" public.mood[])");
    EXPECT_NE(text.find("mood pgveil.ciphertext"), std::string::npos) << text;
    EXPECT_NE(text.find("DEFAULT {mood=ok}"), std::string::npos) << text;
    EXPECT_EQ(clinic.sent("CREATE TABLE days (id int, mood text)").substr(0, 6), "!0A000");
    EXPECT_EQ(
        clinic.sent("CREATE TABLE days (id int, mood mood DEFAULT 'x')"),
        "!22P02 invalid input value for enum mood: \"x\""
    );
}

TEST(Enums, LabelsAndNamesAreNotChangedThroughThePolicysBack) {
    for (const std::string_view command :
         {"ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'",
          "alter type public.mood rename to feeling",
          "ALTER TYPE \"mood\" SET SCHEMA archive"}) {
        EXPECT_EQ(sent(command).substr(0, 18), "!0A000 public.mood") << command;
    }
    for (const std::string_view command :
         {"ALTER TYPE mood ADD VALUE 'angry'",
          "ALTER TYPE other.mood RENAME TO feeling",
          "ALTER TYPE size RENAME VALUE 'a' TO 'b'",
          "CREATE TYPE mood AS ENUM ('sad')",
          "DROP TYPE mood",
          "SELECT 'sad'::mood, enum_range(NULL::mood)"}) {
        EXPECT_EQ(sent(command), command);
    }
}

}  // namespace
}  // namespace pgveil::analysis::test
