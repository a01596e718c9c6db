#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

// Places of a statement that are easily forgotten: nothing may leave from them as it is.
namespace pgveil::analysis::test {
namespace {

TEST(ForgottenPlaces, QueriesWhereNoRuleGoesAreRefused) {
    const Clinic clinic;
    const std::string query = "(SELECT count(*) FROM visits WHERE patient_ssn = 'secret')";
    for (const std::string& sql :
         {"CREATE TABLE k (a int, CHECK (" + query + " > 0))",
          "CREATE TABLE k (a numeric(" + query + "))",
          "CREATE TABLE k (a int) PARTITION BY RANGE ((" + query + "))",
          "CREATE TABLE k PARTITION OF notes FOR VALUES IN (" + query + ")",
          "CREATE TABLE k PARTITION OF notes FOR VALUES FROM (" + query + ") TO (2)",
          "ALTER TABLE notes ADD CHECK (" + query + " > 0)",
          "ALTER TABLE notes ALTER id SET DEFAULT " + query,
          "ALTER TABLE notes ALTER id TYPE int USING " + query,
          "ALTER TABLE notes ADD COLUMN g int GENERATED ALWAYS AS (" + query + ") STORED",
          "CREATE INDEX ON notes ((" + query + "))",
          "CREATE INDEX ON notes (id) WHERE " + query + " = 1",
          "SELECT 1::numeric(" + query + ")",
          "SELECT '1'::bit(" + query + ") FROM visits"}) {
        EXPECT_EQ(clinic.sent(sql), "!0A000 visits: a sub-query in this place") << sql;
    }
    EXPECT_EQ(
        clinic.sent("WITH visits AS (SELECT 1 AS id) SELECT id FROM visits"),
        "WITH visits AS (SELECT 1 AS id) SELECT id FROM visits"
    );
}

TEST(ForgottenPlaces, OrderOfValuesAndSubscriptsAreRead) {
    const Clinic clinic;
    const std::string query = "(SELECT count(*) FROM public.visits WHERE patient_ssn = 'secret')";
    const std::string sealed =
        "(SELECT count(*) FROM public.visits WHERE patient_ssn = {patient_ssn=secret})";
    for (const std::string_view sql :
         {"VALUES (1), (2) ORDER BY @",
          "(VALUES (1) LIMIT 1) ORDER BY @",
          "INSERT INTO notes VALUES (1, 'x') ORDER BY @",
          "INSERT INTO notes (body[@]) VALUES ('x')",
          "UPDATE notes SET body[@] = 'x'",
          "UPDATE notes SET body[1:@] = 'x'"}) {
        std::string asked(sql);
        std::string expected(sql);
        asked.replace(asked.find('@'), 1, query);
        expected.replace(expected.find('@'), 1, sealed);
        EXPECT_EQ(clinic.sent(asked), expected);
    }
}

TEST(ForgottenPlaces, TheSourceOfAMultipleAssignmentIsReadOnce) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("UPDATE notes SET (id, body) = (SELECT 1, 'x' FROM visits WHERE patient_ssn = "
                    "'secret')"),
        "UPDATE notes SET (id, body) = (SELECT 1, 'x' FROM \"public\".\"visits\" WHERE patient_ssn "
        "= {patient_ssn=secret})"
    );
}

TEST(ForgottenPlaces, ValuesThatAreSortedAreNotSealed) {
    const Clinic clinic;
    for (const std::string_view tail :
         {"ORDER BY 1", "ORDER BY column1", "ORDER BY lower(column1)", "UNION SELECT 'c'"}) {
        EXPECT_EQ(
            clinic.sent(
                "INSERT INTO visits (patient_ssn) VALUES ('b'), ('a') " + std::string(tail)
            ),
            "!0A000 public.visits.patient_ssn: assignment of an expression"
        ) << tail;
    }
}

TEST(ForgottenPlaces, PositionsBehindTheListAreNotThere) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("SELECT ssn FROM patients ORDER BY 2"),
        "!42P10 ORDER BY position 2 is not in select list"
    );
    EXPECT_EQ(
        clinic.sent("SELECT ssn FROM patients GROUP BY 0"),
        "!42P10 GROUP BY position 0 is not in select list"
    );
    EXPECT_EQ(
        clinic.sent("SELECT DISTINCT ON (2) ssn FROM patients"),
        "!42P10 SELECT DISTINCT ON position 2 is not in select list"
    );
}

TEST(ForgottenPlaces, ColumnsHaveTheNamesThatPostgresGives) {
    const Clinic clinic;

    struct Named {
        std::string_view value;
        std::string_view name;
    };

    for (const auto& [value, name] :
         {Named{"coalesce(1, 0)", "coalesce"},
          Named{"greatest(1, 2)", "greatest"},
          Named{"least(1, 2)", "least"},
          Named{"ARRAY[1]", "array"},
          Named{"ARRAY(SELECT 1)", "array"},
          Named{"ROW(1)", "row"},
          Named{"CASE WHEN true THEN 1 END", "case"},
          Named{"NULLIF(1, 2)", "nullif"},
          Named{"EXISTS (SELECT 1)", "exists"},
          Named{"(SELECT 1 AS one)", "one"},
          Named{"'x' COLLATE \"C\" || 'y' = 'z'", "ssn"}}) {
        const std::string sql = "SELECT s.\"" + std::string(name) + "\" FROM (SELECT " +
                                std::string(value) + ", ssn FROM public.patients) s";
        EXPECT_EQ(clinic.sent(sql), sql);
    }
    EXPECT_EQ(
        clinic.sent("SELECT s.id FROM (SELECT CASE WHEN true THEN 1 ELSE ssn IS NULL END, 1 + 1, "
                    "ssn FROM patients) s"),
        "!0A000 column \"id\" may be an expression without a name: name it with AS"
    );
}

TEST(ForgottenPlaces, FunctionsWithColumnsOfTheirOwnAreUnknown) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("SELECT * FROM patients, ROWS FROM (json_to_recordset('[]') AS (a int)) WITH "
                    "ORDINALITY x"),
        "!0A000 public.patients.name: * over a function or an unknown relation"
    );
    const std::string_view named =
        "SELECT p.ssn, x.a FROM public.patients p, ROWS FROM (json_to_recordset('[]') AS (a int)) "
        "x";
    EXPECT_EQ(clinic.sent(named), named);
}

TEST(ForgottenPlaces, AColumnThatIsDroppedAndAddedGetsItsCheckBack) {
    const Clinic clinic;
    const std::string sent =
        clinic.sent("ALTER TABLE visits DROP COLUMN diagnosis, ADD COLUMN diagnosis text");
    EXPECT_NE(sent.find("ADD CONSTRAINT \"pgveil_diagnosis\""), std::string::npos) << sent;
    const std::string kept =
        clinic.sent("ALTER TABLE visits ADD COLUMN IF NOT EXISTS diagnosis text");
    EXPECT_EQ(kept.find("ADD CONSTRAINT"), std::string::npos) << kept;
}

TEST(ForgottenPlaces, APlainTwinKeepsItsSchemaWhateverTheSearchPathBecomes) {
    Clinic clinic;
    catalog::Relation twin;
    twin.oid = 30000;
    twin.schema = "archive";
    twin.name = "visits";
    twin.columns.emplace_back();
    twin.columns.front().name = "patient_ssn";
    clinic.catalog.put({"", "visits"}, {twin, "archive"});
    for (const std::string_view sql :
         {"INSERT INTO @ VALUES ('secret')",
          "UPDATE @ SET patient_ssn = 'secret'",
          "DELETE FROM @ v WHERE patient_ssn = 'secret'",
          "SELECT visits.patient_ssn FROM ONLY @ WHERE patient_ssn = 'secret'",
          "TRUNCATE @"}) {
        std::string asked(sql);
        std::string expected(sql);
        asked.replace(asked.find('@'), 1, "visits");
        expected.replace(expected.find('@'), 1, "\"archive\".\"visits\"");
        EXPECT_EQ(clinic.sent(asked), expected);
    }
}

TEST(ForgottenPlaces, ParametersWithoutAnAssignmentCastAreRefusedWhenTheyAreNull) {
    constexpr std::uint32_t kTextOid = 25;
    constexpr std::uint32_t kUuidOid = 2950;
    constexpr std::uint32_t kInt8Oid = 20;
    const Clinic clinic;
    EXPECT_EQ(
        clinic.parameters("UPDATE patients SET age = $1", {kTextOid}),
        "!0A000 public.patients.age: assignment of a parameter of type text"
    );
    EXPECT_EQ(
        clinic.parameters("UPDATE patients SET born = $1", {kUuidOid}),
        "!0A000 public.patients.born: assignment of a parameter of type uuid"
    );
    EXPECT_EQ(
        clinic.parameters("UPDATE patients SET age = $1", {kInt8Oid}), "1:age assigned 17/20"
    );
    EXPECT_EQ(
        clinic.parameters("UPDATE patients SET note = $1", {kUuidOid}), "1:note assigned 17/2950"
    );
}

TEST(ForgottenPlaces, ParametersAreNotSetThroughAView) {
    const Clinic clinic;
    for (const std::string_view sql :
         {"UPDATE pg_settings SET setting = 'archive' WHERE name = 'search_path'",
          "UPDATE pg_catalog.pg_settings SET setting = 'x' WHERE name = 'pgveil.user_token'",
          "WITH a AS (UPDATE pg_settings SET setting = 'x' RETURNING 1) SELECT 1",
          "EXPLAIN ANALYZE UPDATE pg_settings SET setting = 'archive'",
          "PREPARE p AS UPDATE pg_settings SET setting = 'archive'"}) {
        EXPECT_EQ(clinic.sent(sql), "!0A000 pg_settings: UPDATE") << sql;
    }
    EXPECT_TRUE(clinic.analyze("SELECT name FROM pg_settings WHERE name = 'update'").passthrough);
}

TEST(Unread, SyntaxErrorsAreTheServersWhereItsGrammarIsOurs) {
    Clinic clinic;
    const std::string sql = "SELECT name FROM patients WHERE";
    EXPECT_EQ(clinic.sent(sql).substr(0, 6), "!0A000") << "nobody knows the server";
    for (const int major : {14, 15}) {
        clinic.server_major = major;
        EXPECT_EQ(clinic.sent(sql), "!42601 syntax error at end of input");
        EXPECT_EQ(clinic.sent("SELEC ssn FROM x"), "SELEC ssn FROM x") << "nothing protected";
    }
    const Decision decision = clinic.decide("SELECT name FRO patients WHERE");
    const auto* const rejection = std::get_if<Rejection>(&decision);
    ASSERT_NE(rejection, nullptr);
    EXPECT_EQ(rejection->message, "syntax error at or near \"patients\"");
    EXPECT_EQ(rejection->position, 16);
    clinic.server_major = 16;
    EXPECT_EQ(clinic.sent(sql).substr(0, 6), "!0A000") << "a newer grammar may know it";
    clinic.server_major = 15;
    clinic.standard_conforming_strings = false;
    EXPECT_EQ(clinic.sent("SELECT name FROM patients WHERE 'a\\'").substr(0, 6), "!0A000");
}

TEST(Unread, MergeIsASyntaxErrorWhereTheServerDoesNotKnowIt) {
    Clinic clinic;
    const std::string sql =
        "WITH x AS (SELECT 1 AS id) Merge INTO patients p USING x ON p.id = x.id "
        "WHEN MATCHED THEN UPDATE SET name = 'a'";
    for (const int major : {0, 15, 18}) {
        clinic.server_major = major;
        EXPECT_NE(clinic.sent(sql).find("SET name = {name=a}"), std::string::npos) << major;
    }
    clinic.server_major = 14;
    EXPECT_EQ(clinic.sent(sql), "!42601 syntax error at or near \"Merge\"");
    const Decision decision = clinic.decide("EXPLAIN " + sql);
    const auto* const rejection = std::get_if<Rejection>(&decision);
    ASSERT_NE(rejection, nullptr);
    EXPECT_EQ(rejection->position, 35);
}

}  // namespace
}  // namespace pgveil::analysis::test
