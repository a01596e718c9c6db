#include "sql/schema/schema.hpp"
#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// DEFAULT, ALTER TYPE and RENAME of protected columns.
namespace pgveil::analysis::test {
namespace {

TEST(Default, ConstantsOfProtectedColumnsAreSealed) {
    const Clinic clinic;
    const std::string table = "CREATE TABLE \"public\".\"patients\" (ssn pgveil.ciphertext " +
                              schema::check_constraint("ssn", config::Scheme::kEquality);
    EXPECT_EQ(
        clinic.sent("CREATE TABLE patients (ssn text DEFAULT 'x' NOT NULL, city text DEFAULT 'y')"),
        table + " DEFAULT {ssn=x} NOT NULL, city text DEFAULT 'y')"
    );
    EXPECT_EQ(
        clinic.sent("CREATE TABLE patients (ssn text DEFAULT NULL::character varying)"),
        table + " DEFAULT NULL::pg_catalog.bytea)"
    );
    EXPECT_EQ(
        clinic.sent("ALTER TABLE public.patients ALTER age SET DEFAULT 7, ALTER email SET DEFAULT "
                    "'e'::character varying"),
        "ALTER TABLE public.patients ALTER age SET DEFAULT {age=7}, ALTER email SET DEFAULT "
        "{email=e}::pg_catalog.bytea"
    );
    EXPECT_TRUE(std::get<StatementPlan>(
                    clinic.decide("ALTER TABLE patients ALTER COLUMN ssn SET DEFAULT 'x'")
    )
                    .needs_keys());
}

TEST(AlterType, IsTheLengthThatThePolicyHasAlready) {
    EXPECT_EQ(
        Clinic().sent("ALTER TABLE public.patients ALTER COLUMN email TYPE varchar(20), ALTER city "
                      "TYPE varchar(9)"),
        "ALTER TABLE public.patients ALTER COLUMN email TYPE pgveil.ciphertext, ALTER city TYPE "
        "varchar(9)"
    );
}

TEST(Rename, KeepsWhatTheValuesWereSealedWith) {
    const Clinic clinic;
    for (const std::string_view sql : {
             "ALTER TABLE public.events RENAME COLUMN room TO chamber",
             "ALTER TABLE public.patients RENAME city TO town",
             "ALTER TABLE public.patients RENAME CONSTRAINT a TO b",
             "ALTER TABLE public.patients RENAME CONSTRAINT pgveil_a TO pgveil_b",
             "ALTER TABLE notes RENAME TO jottings",
             "ALTER TABLE notes RENAME ssn TO name",
             "ALTER TABLE notes SET SCHEMA archive",
             "ALTER INDEX i RENAME TO j",
         }) {
        EXPECT_EQ(clinic.sent(sql), sql);
    }
    const std::vector<std::pair<std::string_view, std::string_view>> refused = {
        {"ALTER TABLE patients RENAME ssn TO number",
         "!0A000 public.patients.ssn: ALTER TABLE ... RENAME to a name that the policy does not "
         "know"},
        {"ALTER TABLE patients RENAME ssn TO email",
         "!0A000 public.patients.ssn: ALTER TABLE ... RENAME to a name that the policy does not "
         "know"},
        {"ALTER TABLE patients RENAME city TO age",
         "!0A000 public.patients.age: is protected by the policy "
         "(/tables/public.patients/columns/age), but the column to rename is plain"},
        {"ALTER TABLE patients RENAME TO people",
         "!0A000 public.patients.name: ALTER TABLE ... RENAME to a name that the policy does not "
         "know"},
        {"ALTER TABLE patients RENAME CONSTRAINT pgveil_ssn TO x",
         "!0A000 patients: RENAME CONSTRAINT pgveil_ssn TO x"},
        {"ALTER TABLE patients RENAME CONSTRAINT x TO pgveil_ssn",
         "!0A000 patients: RENAME CONSTRAINT x TO pgveil_ssn"},
        {"ALTER TABLE v_patients RENAME TO v",
         "!0A000 public.v_patients: a view, rule or inheritance over a protected table"},
    };
    for (const auto& [sql, expected] : refused) {
        EXPECT_EQ(clinic.sent(sql), expected) << sql;
    }
}

TEST(Rename, FollowsAnEntryWithTheSameContext) {
    Clinic clinic;
    const auto parsed = config::parse_policy("policy.json", R"json({ "tables": {
      "public.patients": { "columns": {
        "name":  { "type": "varchar(10)" },
        "ssn":   { "type": "text", "search": "equality", "context": "person.ssn" },
        "born":  { "type": "date", "search": "equality" },
        "active": { "type": "bool", "search": "equality" },
        "age":   { "type": "int4", "search": "equality" },
        "email": { "type": "varchar(20)", "search": "equality" },
        "mail":  { "type": "varchar(20)", "search": "equality", "context": "public.patients.email" },
        "post":  { "type": "varchar(30)", "search": "equality", "context": "public.patients.email" },
        "note":  { "type": "text" } } },
      "public.visits": { "columns": {
        "patient_ssn": { "type": "text", "search": "equality", "context": "person.ssn" },
        "diagnosis":   { "type": "text" } } },
      "archive.calls": { "columns": {
        "patient_ssn": { "type": "text", "search": "equality", "context": "person.ssn" },
        "diagnosis":   { "type": "text", "context": "public.visits.diagnosis" } } },
      "public.calls": { "columns": {
        "patient_ssn": { "type": "text", "search": "equality", "context": "person.ssn" },
        "diagnosis":   { "type": "text", "context": "public.visits.diagnosis" } } },
      "*.stray": { "columns": { "secret": { "type": "text", "context": "stray" } } } } })json");
    ASSERT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
    clinic.policy = *parsed;
    EXPECT_EQ(
        clinic.sent("ALTER TABLE patients RENAME COLUMN email TO mail; UPDATE patients SET mail = "
                    "'m'"),
        "ALTER TABLE \"public\".\"patients\" RENAME COLUMN email TO mail; UPDATE "
        "\"public\".\"patients\" SET mail = {mail=m}"
    );
    EXPECT_EQ(
        clinic.sent("ALTER TABLE patients RENAME email TO post"),
        "!0A000 public.patients.email: ALTER TABLE ... RENAME to a name that the policy does not "
        "know"
    );
    EXPECT_EQ(
        clinic.sent("ALTER TABLE visits RENAME TO calls; DELETE FROM public.calls WHERE "
                    "patient_ssn = 'x'"),
        "ALTER TABLE \"public\".\"visits\" RENAME TO calls; DELETE FROM public.calls WHERE "
        "patient_ssn = {patient_ssn=x}"
    );
    EXPECT_EQ(
        clinic.sent("ALTER TABLE stray SET SCHEMA archive; DELETE FROM archive.stray"),
        "ALTER TABLE \"public\".\"stray\" SET SCHEMA archive; DELETE FROM archive.stray"
    );
}

}  // namespace
}  // namespace pgveil::analysis::test
