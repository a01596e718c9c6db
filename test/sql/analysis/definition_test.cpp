#include "sql/schema/schema.hpp"
#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::analysis::test {
namespace {

std::string veil(std::string_view column, config::Scheme scheme) {
    return std::string(schema::kCiphertextType) + " " + schema::check_constraint(column, scheme);
}

constexpr auto kRandomized = config::Scheme::kRandomized;
constexpr auto kEquality = config::Scheme::kEquality;

TEST(CreateTable, TranslatesProtectedColumns) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("CREATE TABLE patients (id int PRIMARY KEY, name character varying (10) NOT "
                    "NULL, ssn text UNIQUE, "
                    "born date, city text DEFAULT 'Bonn' CHECK (city <> ''))"),
        "CREATE TABLE \"public\".\"patients\" (id int PRIMARY KEY, name " +
            veil("name", kRandomized) + " NOT NULL, ssn " + veil("ssn", kEquality) +
            " UNIQUE, born " + veil("born", kEquality) +
            ", city text DEFAULT 'Bonn' CHECK (city <> ''))"
    );
    const auto plan =
        std::get<StatementPlan>(clinic.decide("CREATE TABLE public.patients (ssn text)"));
    EXPECT_TRUE(plan.needs_ciphertext_type);
    EXPECT_TRUE(plan.changes_catalog);
    EXPECT_FALSE(plan.needs_keys());
}

TEST(CreateTable, KeepsKeysOnEqualityColumns) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent(
            "CREATE TABLE visits (patient_ssn text REFERENCES patients (ssn), UNIQUE (patient_ssn))"
        ),
        "CREATE TABLE \"public\".\"visits\" (patient_ssn " + veil("patient_ssn", kEquality) +
            " REFERENCES \"public\".\"patients\" (ssn), UNIQUE (patient_ssn))"
    );
    EXPECT_EQ(
        clinic.sent("CREATE TABLE IF NOT EXISTS patients (age int4, email varchar(20), PRIMARY KEY "
                    "(age, email))"),
        "CREATE TABLE IF NOT EXISTS \"public\".\"patients\" (age " + veil("age", kEquality) +
            ", email " + veil("email", kEquality) + ", PRIMARY KEY (age, email))"
    );
}

TEST(CreateTable, PlainTablesPass) {
    const Clinic clinic;
    for (const std::string_view sql : {
             "CREATE TABLE things (id serial PRIMARY KEY, name varchar(10), ssn text)",
             "CREATE TABLE IF NOT EXISTS other.things (LIKE notes INCLUDING ALL)",
             "CREATE TEMP TABLE t (a int) ON COMMIT DROP",
             "CREATE TABLE archive.visits (diagnosis text)",
             "CREATE TABLE part PARTITION OF notes FOR VALUES IN (1)",
         }) {
        EXPECT_TRUE(clinic.analyze(sql).passthrough) << sql << clinic.sent(sql);
    }
    EXPECT_EQ(
        clinic.sent("CREATE TABLE bills (patient_id int REFERENCES patients (id))"),
        "CREATE TABLE bills (patient_id int REFERENCES \"public\".\"patients\" (id))"
    );
}

TEST(CreateTable, RefusesWhatThePolicyOrTheSchemeForbids) {
    const Clinic clinic;
    const std::vector<std::pair<std::string_view, std::string_view>> cases = {
        {"CREATE TABLE patients (name text)",
         "!0A000 public.patients.name: is text here, but varchar(10) in the policy "
         "(/tables/public.patients/columns/name)"},
        {"CREATE TABLE patients (name varchar(11))",
         "!0A000 public.patients.name: is varchar(11) here, but varchar(10) in the policy "
         "(/tables/public.patients/columns/name)"},
        {"CREATE TABLE patients (age serial)",
         "!0A000 public.patients.age: is serial here, but int4 in the policy "
         "(/tables/public.patients/columns/age)"},
        {"CREATE TABLE patients (ssn text[])",
         "!0A000 public.patients.ssn: is text[] here, but text in the policy "
         "(/tables/public.patients/columns/ssn)"},
        {"CREATE TABLE patients (name varchar(10) UNIQUE)",
         "!0A000 public.patients.name: PRIMARY KEY, UNIQUE"},
        {"CREATE TABLE patients (name varchar(10), PRIMARY KEY (name))",
         "!0A000 public.patients.name: PRIMARY KEY, UNIQUE"},
        {"CREATE TABLE patients (ssn text DEFAULT upper('x'))",
         "!0A000 public.patients.ssn: DEFAULT other than a constant in a table definition"},
        {"CREATE TABLE patients (born date DEFAULT CURRENT_DATE)",
         "!0A000 public.patients.born: DEFAULT other than a constant in a table definition"},
        {"CREATE TABLE patients (name varchar(10) DEFAULT 'much too long')",
         "!22001 value too long for type character varying(10)"},
        {"CREATE TABLE patients (ssn text CHECK (ssn <> ''))", "!0A000 public.patients.ssn: CHECK"},
        {"CREATE TABLE patients (ssn text, CHECK (length(ssn) > 3))",
         "!0A000 public.patients.ssn: CHECK"},
        {"CREATE TABLE patients (ssn text COLLATE \"C\")",
         "!0A000 public.patients.ssn: COLLATE, STORAGE, COMPRESSION in a table definition"},
        {"CREATE TABLE patients (age int GENERATED ALWAYS AS IDENTITY)",
         "!0A000 public.patients.age: GENERATED, IDENTITY, serial"},
        {"CREATE TABLE patients (ssn text, up text GENERATED ALWAYS AS (upper(ssn)) STORED)",
         "!0A000 public.patients.ssn: GENERATED, IDENTITY, serial"},
        {"CREATE TABLE patients (ssn text) PARTITION BY RANGE (ssn)",
         "!0A000 public.patients.ssn: PARTITION BY RANGE (column)"},
        {"CREATE TABLE patients (LIKE notes)",
         "!0A000 public.patients.ssn: CREATE TABLE (LIKE ...) into a table where the policy says "
         "something else of it"},
        {"CREATE TABLE patients () INHERITS (notes)",
         "!0A000 public.patients: INHERITS or PARTITION OF an unprotected table"},
        {"CREATE TABLE copy (LIKE patients)",
         "!0A000 public.patients.name: CREATE TABLE (LIKE ...) into a table where the policy says "
         "something else of it"},
        {"CREATE TEMP TABLE patients (a int)", "!0A000 patients: CREATE TEMPORARY TABLE"},
        {"CREATE TABLE other.patients (a int)", "!0A000 other.patients: CREATE TABLE"},
        {"CREATE TABLE visits (patient_ssn text REFERENCES notes (ssn))",
         "!0A000 public.visits.patient_ssn: REFERENCES, FOREIGN KEY within one context"},
        {"CREATE TABLE bills (s text REFERENCES patients (ssn))",
         "!0A000 public.patients.ssn: REFERENCES, FOREIGN KEY within one context"},
        {"CREATE TABLE x (a pgveil.ciphertext)", "!0A000 ciphertext: a type of schema pgveil"},
        {"CREATE TABLE x (a text DEFAULT set_config('pgveil.user_id', lower('x'), false))",
         "!0A000 pgveil.user_id: an expression as value"},
    };
    for (const auto& [sql, expected] : cases) {
        EXPECT_EQ(clinic.sent(sql), expected) << sql;
    }
}

TEST(CreateTable, IsSeenByTheRestOfTheText) {
    Clinic clinic;
    clinic.catalog.put({"", "patients"}, catalog::Entry{std::nullopt, "public"});
    clinic.catalog.put({"public", "patients"}, catalog::Entry{std::nullopt, "public"});
    const std::string sent =
        clinic.sent("CREATE TABLE patients (id int, ssn text); INSERT INTO patients VALUES (1, 'x')"
        );
    EXPECT_NE(sent.find("VALUES (1, {ssn=x})"), std::string::npos) << sent;
}

TEST(CreateTable, GoesWhereTheSessionCreates) {
    Clinic clinic;
    auto entry = *clinic.catalog.find({"", "patients"});
    entry.creation_schema = "other";
    clinic.catalog.put({"", "patients"}, entry);
    EXPECT_EQ(clinic.sent("CREATE TABLE patients (a int)"), "!0A000 other.patients: CREATE TABLE");
    entry.creation_schema = "";
    clinic.catalog.put({"", "patients"}, entry);
    EXPECT_EQ(
        clinic.sent("CREATE TABLE patients (a int)"),
        "!3F000 no schema has been selected to create in"
    );
}

TEST(AlterTable, AddsProtectedColumnsByThePolicy) {
    Clinic clinic;
    auto entry = *clinic.catalog.find({"", "patients"});
    auto& columns = entry.relation->columns;
    columns.erase(std::find_if(columns.begin(), columns.end(), [](const auto& column) {
        return column.name == "ssn";
    }));
    clinic.catalog.put({"", "patients"}, entry);
    const std::string check = schema::check_constraint("ssn", kEquality);
    EXPECT_EQ(
        clinic.sent(
            "ALTER TABLE patients ADD COLUMN ssn text UNIQUE, ADD extra text DEFAULT 'x' -- end"
        ),
        "ALTER TABLE \"public\".\"patients\" ADD COLUMN ssn " +
            std::string(schema::kCiphertextType) + " UNIQUE, ADD extra text DEFAULT 'x', ADD " +
            check + " NOT VALID -- end"
    );
    const auto plan = std::get<StatementPlan>(clinic.decide("ALTER TABLE patients ADD ssn text"));
    EXPECT_TRUE(plan.needs_ciphertext_type);
    EXPECT_TRUE(plan.changes_catalog);
    EXPECT_FALSE(plan.needs_keys());
    EXPECT_EQ(
        clinic.sent("ALTER TABLE patients ADD ssn varchar(9)"),
        "!0A000 public.patients.ssn: is varchar(9) here, but text in the policy "
        "(/tables/public.patients/columns/ssn)"
    );
    // Later statements of the same text see the new column.
    const std::string sent =
        clinic.sent("ALTER TABLE patients ADD ssn text; UPDATE patients SET ssn = 'x'");
    EXPECT_NE(sent.find("SET ssn = {ssn=x}"), std::string::npos) << sent;
}

TEST(WhileAnotherDataKeyComes, WhatIsMadeBeginsUnderIt) {
    Clinic clinic;
    const std::string_view made = "CREATE TABLE patients (name varchar(10), ssn text)";
    EXPECT_EQ(clinic.sent(made).find("pgveil_key"), std::string::npos);
    clinic.next_keys = {{"default", 7}, {"other", 9}};
    const std::string check = schema::data_key_constraint("ssn", 7);
    EXPECT_EQ(
        clinic.sent(made),
        "CREATE TABLE \"public\".\"patients\" (name " + veil("name", kRandomized) + ", ssn " +
            veil("ssn", kEquality) + " " + check + ")"
    );
    // The two would stand under different keys.
    EXPECT_EQ(
        clinic.sent("CREATE TABLE visits (patient_ssn text REFERENCES patients (ssn))"),
        "!0A000 public.visits.patient_ssn: REFERENCES, FOREIGN KEY within one context"
    );
    const std::string usual = clinic.sent("ALTER TABLE patients ADD COLUMN IF NOT EXISTS ssn text");
    EXPECT_EQ(usual.find("pgveil_key"), std::string::npos) << "it is there: " << usual;

    auto entry = *clinic.catalog.find({"", "patients"});
    std::erase_if(entry.relation->columns, [](const auto& column) { return column.name == "ssn"; });
    clinic.catalog.put({"", "patients"}, entry);
    const std::string added = clinic.sent("ALTER TABLE patients ADD ssn text, ADD extra text");
    EXPECT_NE(added.find(" NOT VALID, ADD " + check + " NOT VALID"), std::string::npos) << added;
}

TEST(WhileAnotherDataKeyComes, ACopiedColumnBeginsUnderItToo) {
    Clinic clinic;
    clinic.next_keys = {{"default", 7}};
    const std::string check = schema::data_key_constraint("patient_ssn", 7) + ", ";
    const std::string bare = clinic.sent("CREATE TABLE visits (LIKE visits)");
    EXPECT_NE(bare.find(check), std::string::npos) << bare;
    const std::string all = clinic.sent("CREATE TABLE visits (LIKE visits INCLUDING CONSTRAINTS)");
    EXPECT_NE(all.find("(" + check + "LIKE"), std::string::npos) << all;

    auto entry = *clinic.catalog.find({"", "visits"});
    for (catalog::Column& column : entry.relation->columns) {
        column.data_key = column.name == "patient_ssn" ? 7 : 0;
    }
    clinic.catalog.put({"", "visits"}, entry);
    const std::string copied = clinic.sent("CREATE TABLE visits (LIKE visits INCLUDING ALL)");
    EXPECT_EQ(copied.find("pgveil_key"), std::string::npos)
        << "it comes with the others: " << copied;
}

TEST(AlterTable, AddsAColumnThatIsThereOnlyByItsType) {
    EXPECT_EQ(
        Clinic().sent("ALTER TABLE patients ADD COLUMN IF NOT EXISTS ssn text"),
        "ALTER TABLE \"public\".\"patients\" ADD COLUMN IF NOT EXISTS ssn pgveil.ciphertext"
    );
}

TEST(AlterTable, KeepsWhatTouchesNoValue) {
    const Clinic clinic;
    const std::string alter = "ALTER TABLE \"public\".\"patients\" ";
    for (const std::string action : {
             "ADD CONSTRAINT k UNIQUE (ssn, city)",
             "ADD PRIMARY KEY (id)",
             "ADD FOREIGN KEY (id) REFERENCES notes (id) ON DELETE CASCADE",
             "ADD CHECK (city <> '')",
             "DROP COLUMN ssn",
             "DROP CONSTRAINT IF EXISTS k",
             "VALIDATE CONSTRAINT pgveil_ssn",
             "ALTER ssn SET NOT NULL, ALTER city DROP NOT NULL",
             "ALTER ssn DROP DEFAULT, ALTER ssn SET DEFAULT NULL, ALTER city SET DEFAULT 'Bonn'",
             "ALTER city TYPE varchar(80) USING upper(city)",
             "OWNER TO bob",
             "ALTER id ADD GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME public.s START WITH 5)",
             "ALTER id SET DEFAULT nextval('s'::regclass)",
             "ADD CONSTRAINT x EXCLUDE USING gist (city WITH =, lower(city) WITH <>) WHERE (id > "
             "0)",
             "ALTER city SET STORAGE EXTERNAL, ALTER city SET COMPRESSION pglz",
             "CLUSTER ON patients_pkey, REPLICA IDENTITY FULL, ALTER city SET (n_distinct = 5)",
             "ALTER id RESTART WITH 9, ALTER id SET GENERATED ALWAYS, ALTER id DROP IDENTITY",
             "SET (fillfactor = 70)",
             "ENABLE ROW LEVEL SECURITY",
             "DISABLE TRIGGER USER, ALTER ssn SET STATISTICS 5, SET UNLOGGED",
         }) {
        EXPECT_EQ(clinic.sent("ALTER TABLE patients " + action), alter + action);
    }
    EXPECT_EQ(
        clinic.sent("ALTER TABLE ONLY visits ADD FOREIGN KEY (patient_ssn) REFERENCES patients(ssn)"
        ),
        "ALTER TABLE ONLY \"public\".\"visits\" ADD FOREIGN KEY (patient_ssn) REFERENCES "
        "\"public\".\"patients\"(ssn)"
    );
    EXPECT_EQ(
        clinic.sent("ALTER TABLE notes ADD FOREIGN KEY (id) REFERENCES patients (id)"),
        "ALTER TABLE notes ADD FOREIGN KEY (id) REFERENCES \"public\".\"patients\" (id)"
    );
    EXPECT_TRUE(clinic.analyze("ALTER TABLE notes ADD ssn text DEFAULT 'x'").passthrough);
}

TEST(AlterTable, RefusesWhatWouldUndoOrOutwitProtection) {
    const Clinic clinic;
    const std::vector<std::pair<std::string_view, std::string_view>> cases = {
        {"ADD UNIQUE (name)", "!0A000 public.patients.name: PRIMARY KEY, UNIQUE"},
        {"ADD CHECK (length(ssn) > 3)", "!0A000 public.patients.ssn: CHECK"},
        {"ADD COLUMN up text GENERATED ALWAYS AS (upper(ssn)) STORED",
         "!0A000 public.patients.ssn: GENERATED, IDENTITY, serial"},
        {"ADD FOREIGN KEY (ssn) REFERENCES notes (title)",
         "!0A000 public.patients.ssn: REFERENCES, FOREIGN KEY within one context"},
        {"DROP CONSTRAINT pgveil_ssn", "!0A000 public.patients: DROP CONSTRAINT pgveil_ssn"},
        {"ALTER ssn SET DEFAULT now()",
         "!0A000 public.patients.ssn: DEFAULT other than a constant in a table definition"},
        {"ALTER ssn TYPE varchar(20)",
         "!0A000 public.patients.ssn: is varchar(20) here, but text in the policy "
         "(/tables/public.patients/columns/ssn)"},
        {"ALTER email TYPE varchar(20) USING email::varchar(20)",
         "!0A000 public.patients.email: ALTER COLUMN TYPE"},
        {"ALTER age TYPE int8", "!0A000 public.patients.age: ALTER COLUMN TYPE"},
        {"ALTER age TYPE int4", "!0A000 public.patients.age: ALTER COLUMN TYPE"},
        {"ALTER city TYPE text USING ssn", "!0A000 public.patients.ssn: any other expression"},
        {"ADD COLUMN x pgveil.ciphertext", "!0A000 ciphertext: a type of schema pgveil"},
        {"INHERIT notes",
         "!0A000 notes: ATTACH PARTITION or INHERIT of an unprotected and a protected table"},
        {"ALTER ssn SET STORAGE PLAIN",
         "!0A000 public.patients.ssn: COLLATE, STORAGE, COMPRESSION in a table definition"},
        {"ALTER ssn SET COMPRESSION pglz",
         "!0A000 public.patients.ssn: COLLATE, STORAGE, COMPRESSION in a table definition"},
        {"ALTER age ADD GENERATED ALWAYS AS IDENTITY",
         "!0A000 public.patients.age: GENERATED, IDENTITY, serial"},
        {"ADD EXCLUDE USING hash (city WITH =) WHERE (ssn IS NULL)",
         "!0A000 public.patients.ssn: EXCLUDE"},
        {"ADD EXCLUDE (city WITH =, lower(ssn) WITH =)", "!0A000 public.patients.ssn: EXCLUDE"},
        {"ADD EXCLUDE (city WITH =) INCLUDE (ssn)", "!0A000 public.patients.ssn: EXCLUDE"},
        {"ALTER city DROP EXPRESSION", "!0A000 public.patients: this form of ALTER TABLE"},
    };
    for (const auto& [action, expected] : cases) {
        const std::string sql = "ALTER TABLE patients " + std::string(action);
        EXPECT_EQ(clinic.sent(sql), expected) << sql;
    }
    EXPECT_EQ(
        clinic.sent("ALTER TABLE notes ADD FOREIGN KEY (title) REFERENCES patients (ssn)"),
        "!0A000 public.patients.ssn: REFERENCES, FOREIGN KEY within one context"
    );
}

TEST(CreateIndex, PlainColumnsOfEqualityOnly) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("CREATE UNIQUE INDEX i ON patients (ssn, city) INCLUDE (id) WHERE city = 'x'"),
        "CREATE UNIQUE INDEX i ON \"public\".\"patients\" (ssn, city) INCLUDE (id) WHERE city = 'x'"
    );
    EXPECT_EQ(
        clinic.sent("CREATE INDEX ON patients USING hash (ssn)"),
        "CREATE INDEX ON \"public\".\"patients\" USING hash (ssn)"
    );
    EXPECT_TRUE(clinic.analyze("CREATE INDEX ON notes (lower(title))").passthrough);
    EXPECT_EQ(
        clinic.sent("CREATE INDEX ON patients (name)"),
        "!0A000 public.patients.name: CREATE INDEX (plain column)"
    );
    EXPECT_EQ(
        clinic.sent("CREATE UNIQUE INDEX ON patients (name)"),
        "!0A000 public.patients.name: PRIMARY KEY, UNIQUE"
    );
    EXPECT_EQ(
        clinic.sent("CREATE INDEX ON patients (lower(ssn))"),
        "!0A000 public.patients.ssn: an index on an expression"
    );
    EXPECT_EQ(
        clinic.sent("CREATE INDEX ON patients (id) WHERE ssn = 'x'"),
        "!0A000 public.patients.ssn: a partial index over the column"
    );
    EXPECT_EQ(clinic.sent("CREATE INDEX ON patients USING gin (ssn)").substr(0, 6), "!0A000");
    EXPECT_EQ(clinic.sent("CREATE INDEX ON patients (ssn my_ops)").substr(0, 6), "!0A000");
}

TEST(CreateIndex, LeavesTheClassOfAPatternIndexOut) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("CREATE INDEX \"like\" ON \"patients\" (city text_pattern_ops, lower(city), "
                    "\"email\" varchar_pattern_ops, ssn pg_catalog.text_pattern_ops DESC)"),
        "CREATE INDEX \"like\" ON \"public\".\"patients\" (city text_pattern_ops, lower(city), "
        "\"email\", ssn DESC)"
    );
    for (const char* sql :
         {"CREATE INDEX ON patients (ssn COLLATE \"C\" text_pattern_ops)",
          "CREATE INDEX ON patients (ssn mine.text_pattern_ops)",
          "CREATE INDEX ON patients (ssn text_ops)",
          "CREATE INDEX ON patients (name varchar_pattern_ops)"}) {
        EXPECT_TRUE(clinic.sent(sql).starts_with("!0A000")) << sql;
    }
}

}  // namespace
}  // namespace pgveil::analysis::test
