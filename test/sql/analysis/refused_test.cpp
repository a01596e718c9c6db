#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace pgveil::analysis::test {
namespace {

struct Refused {
    std::string_view sql;
    std::string_view subject;  // as it begins
    std::string_view construct;
};

// Each names the column (or relation), the construct, and has a hint.
const std::vector<Refused> kRefused = {
    {"SELECT upper(name) FROM patients", "public.patients.name", "function upper"},
    {"SELECT name || 'x' FROM patients", "public.patients.name", "||"},
    {"SELECT age + 1 FROM patients", "public.patients.age", "+"},
    {"SELECT 1 FROM patients WHERE name LIKE 'A%'", "public.patients.name", "LIKE"},
    {"SELECT 1 FROM patients WHERE ssn ILIKE 'A%'", "public.patients.ssn", "ILIKE"},
    {"SELECT 1 FROM patients WHERE ssn SIMILAR TO 'A%'", "public.patients.ssn", "SIMILAR TO"},
    {"SELECT 1 FROM patients WHERE ssn ~ 'A'", "public.patients.ssn", "~"},
    {"SELECT 1 FROM patients WHERE upper(ssn) = upper('x')",
     "public.patients.ssn",
     "function upper"},
    {"SELECT 1 FROM patients WHERE name = 'x'",
     "public.patients.name",
     "= and <> with a constant, parameter or column of the same context"},
    {"SELECT 1 FROM patients WHERE name IN ('x', 'y')",
     "public.patients.name",
     "IN, NOT IN with a list"},
    {"SELECT 1 FROM patients WHERE age < 5", "public.patients.age", "<"},
    {"SELECT 1 FROM patients WHERE born BETWEEN '2020-01-01' AND '2021-01-01'",
     "public.patients.born",
     "BETWEEN"},
    {"SELECT ssn FROM patients ORDER BY ssn", "public.patients.ssn", "ORDER BY"},
    {"SELECT ssn AS s FROM patients ORDER BY s DESC NULLS LAST", "public.patients.ssn", "ORDER BY"},
    {"SELECT id, name FROM patients ORDER BY 2", "public.patients.name", "ORDER BY"},
    {"SELECT min(age) FROM patients", "public.patients.age", "function min"},
    {"SELECT sum(age) FROM patients", "public.patients.age", "function sum"},
    {"SELECT json_agg(name) FROM patients", "public.patients.name", "function json_agg"},
    {"SELECT row_to_json(p) FROM patients p", "public.patients.name", "whole-row reference"},
    {"SELECT p FROM patients p", "public.patients.name", "whole-row reference"},
    {"SELECT count(p.*) FROM patients p", "public.patients.name", "whole-row reference"},
    {"SELECT (p).ssn FROM patients p", "public.patients.name", "whole-row reference"},
    {"SELECT DISTINCT name FROM patients", "public.patients.name", "DISTINCT, DISTINCT ON"},
    {"SELECT count(DISTINCT name) FROM patients", "public.patients.name", "count(DISTINCT column)"},
    {"SELECT name FROM patients GROUP BY name", "public.patients.name", "GROUP BY"},
    {"SELECT 1 FROM patients WHERE active",
     "public.patients.active",
     "a boolean column as condition"},
    {"SELECT 1 FROM patients WHERE NOT active",
     "public.patients.active",
     "a boolean column as condition"},
    {"SELECT 1 FROM patients WHERE active IS TRUE",
     "public.patients.active",
     "IS TRUE / FALSE / UNKNOWN"},
    {"SELECT COALESCE(name, city) FROM patients",
     "public.patients.name",
     "CASE or COALESCE of a protected and an unprotected value"},
    {"SELECT CASE WHEN name THEN 1 END FROM patients",
     "public.patients.name",
     "a boolean column as condition"},
    {"SELECT NULLIF(name, 'x') FROM patients", "public.patients.name", "NULLIF, CASE column WHEN"},
    {"SELECT GREATEST(ssn, 'x') FROM patients", "public.patients.ssn", "GREATEST"},
    {"SELECT 1 FROM patients WHERE name = ANY ('{a,b}')",
     "public.patients.name",
     "= ANY, <> ALL of an array parameter or of constants"},
    {"SELECT 1 FROM patients WHERE name = ANY ($1)",
     "public.patients.name",
     "= ANY, <> ALL of an array parameter or of constants"},
    {"SELECT 1 FROM patients WHERE ssn LIKE ANY ('{a,b}')", "public.patients.ssn", "~~"},
    {"SELECT ARRAY[ssn] FROM patients", "public.patients.ssn", "ARRAY"},
    {"SELECT ARRAY(SELECT ssn FROM patients)", "public.patients.ssn", "ARRAY(sub-query)"},
    {"SELECT age::text FROM patients", "public.patients.age", "cast of the column to another type"},
    {"SELECT name COLLATE \"C\" FROM patients", "public.patients.name", "COLLATE"},
    {"SELECT rank() OVER (ORDER BY ssn) FROM patients",
     "public.patients.ssn",
     "OVER (ORDER BY column)"},
    {"SELECT lag(name) OVER (ORDER BY id) FROM patients", "public.patients.name", "function lag"},
    {"SELECT rank() OVER w FROM patients WINDOW w AS (PARTITION BY name)",
     "public.patients.name",
     "OVER (PARTITION BY column)"},
    {"SELECT 1 FROM patients WHERE ssn = email",
     "public.patients.ssn",
     "comparison with public.patients.email"},
    {"SELECT 1 FROM patients WHERE ssn = city",
     "public.patients.ssn",
     "comparison with an unprotected expression"},
    {"SELECT 1 FROM patients WHERE ssn = lower('X')",
     "public.patients.ssn",
     "comparison with an unprotected expression"},
    {"SELECT 1 FROM patients WHERE ssn OPERATOR(public.=) 'x'", "public.patients.ssn", "="},
    {"SELECT 1 FROM patients WHERE 'x' IN (ssn, 'y')",
     "public.patients.ssn",
     "IN with the column on the right"},
    {"SELECT 1 FROM patients JOIN notes USING (ssn)",
     "public.patients.ssn",
     "comparison with an unprotected expression"},
    {"SELECT 1 FROM patients NATURAL JOIN notes",
     "public.patients.ssn",
     "comparison with an unprotected expression"},
    {"SELECT name FROM patients UNION SELECT title FROM notes",
     "public.patients.name",
     "UNION, INTERSECT or EXCEPT with something else in the same place"},
    {"SELECT title FROM notes UNION ALL SELECT name FROM patients",
     "public.patients.name",
     "UNION, INTERSECT or EXCEPT with something else in the same place"},
    {"SELECT name FROM patients EXCEPT SELECT name FROM patients",
     "public.patients.name",
     "UNION, INTERSECT, EXCEPT of one context"},
    {"INSERT INTO notes (title) SELECT name FROM patients",
     "public.patients.name",
     "storing the value in an unprotected column"},
    {"UPDATE notes SET title = p.name FROM patients p",
     "public.patients.name",
     "storing the value in an unprotected column"},
    {"UPDATE notes SET title = (SELECT name FROM patients LIMIT 1)",
     "public.patients.name",
     "storing the value in an unprotected column"},
    {"INSERT INTO patients (name) SELECT title FROM notes",
     "public.patients.name",
     "assignment of an expression"},
    {"INSERT INTO patients (ssn) SELECT email FROM patients",
     "public.patients.ssn",
     "assignment from public.patients.email"},
    {"INSERT INTO patients (name) SELECT DISTINCT 'x'",
     "public.patients.name",
     "assignment of an expression"},
    {"INSERT INTO patients (name) VALUES (upper('x'))",
     "public.patients.name",
     "assignment of an expression"},
    {"INSERT INTO patients (name) VALUES ('a' || 'b')",
     "public.patients.name",
     "assignment of an expression"},
    {"UPDATE patients SET name = city", "public.patients.name", "assignment of an expression"},
    {"UPDATE patients SET ssn = email",
     "public.patients.ssn",
     "assignment from public.patients.email"},
    {"UPDATE patients SET name[1] = 'x'",
     "public.patients.name",
     "assignment to a field or array element"},
    {"INSERT INTO patients (name) VALUES ('x') ON CONFLICT (name) DO NOTHING",
     "public.patients.name",
     "ON CONFLICT (column)"},
    {"SELECT xmlelement(name x, name) FROM patients",
     "a statement on encrypted columns",
     "XML expression"},
    {"SELECT * FROM patients JOIN f() AS g USING (ssn)",
     "public.patients.ssn",
     "comparison with an unprotected expression"},
    {"SELECT * FROM v_patients",
     "public.v_patients",
     "a view, rule or inheritance over a protected table"},
    {"SELECT * FROM other.patients",
     "other.patients",
     "a relation with the name of a protected table"},
    {"SELECT * FROM stray",
     "public.stray",
     "has an encrypted column, but the policy does not know the relation"},
    {"SELECT * FROM db.public.patients", "patients", "a name with a database in front"},
    {"SELECT name INTO new_table FROM patients",
     "public.patients.name",
     "SELECT INTO with its values"},
    {"SELECT ssn INTO copies FROM patients UNION ALL SELECT ssn FROM patients",
     "public.patients.ssn",
     "SELECT INTO with its values"},
    {"COPY patients FROM '/tmp/x'", "patients", "COPY of a file or program at the server"},
    {"PREPARE p AS SELECT * FROM patients WHERE name = $1",
     "public.patients.name",
     "= and <> with a constant, parameter or column of the same context"},
    {"DECLARE c CURSOR FOR SELECT upper(ssn) FROM patients",
     "public.patients.ssn",
     "function upper"},
    {"EXPLAIN SELECT * FROM patients WHERE ssn LIKE 'secret'", "public.patients.ssn", "LIKE"},
    {"ALTER TABLE patients ATTACH PARTITION notes DEFAULT",
     "notes",
     "ATTACH PARTITION or INHERIT of an unprotected and a protected table"},
    {"ALTER VIEW patients ALTER COLUMN ssn SET DEFAULT 'x'",
     "public.patients.ssn",
     "a DEFAULT of a view's column"},
    {"ALTER TABLE notes RENAME TO patients", "public.patients", "ALTER TABLE ... RENAME"},
    {"ALTER TABLE public.patients SET SCHEMA archive",
     "public.patients.name",
     "ALTER TABLE ... SET SCHEMA to a name that the policy does not know"},
    {"ALTER TABLE archive.visits SET SCHEMA public", "public.visits", "ALTER TABLE ... SET SCHEMA"},
    {"ALTER TABLE notes SET SCHEMA pgveil", "pgveil.notes", "ALTER TABLE ... SET SCHEMA"},
    {"ALTER VIEW notes RENAME TO patients", "patients", "ALTER VIEW"},
    {"CREATE STATISTICS s ON ssn, city FROM patients", "public.patients.ssn", "CREATE STATISTICS"},
    {"ALTER TABLE patients ADD EXCLUDE USING hash (ssn WITH =)", "public.patients.ssn", "EXCLUDE"},
    {"ALTER SEQUENCE s OWNED BY patients.age",
     "public.patients.age",
     "GENERATED, IDENTITY, serial"},
    {"CREATE TRIGGER t BEFORE UPDATE ON notes FOR EACH ROW WHEN (OLD.id IN (SELECT id FROM "
     "patients)) "
     "EXECUTE FUNCTION f()",
     "patients",
     "CREATE TRIGGER"},
    {"CREATE POLICY p ON notes USING (id IN (SELECT id FROM patients WHERE ssn = 'x'))",
     "patients",
     "CREATE POLICY"},
    {"CREATE VIEW v AS SELECT id FROM patients WHERE ssn = 'x'",
     "public.patients.ssn",
     "CREATE VIEW with a constant for it"},
    {"CREATE MATERIALIZED VIEW v AS SELECT id FROM patients WHERE ssn = 'x'",
     "public.patients.ssn",
     "CREATE MATERIALIZED VIEW with a constant for it"},
    {"CREATE TABLE c AS SELECT * FROM patients",
     "public.patients.name",
     "CREATE TABLE AS with its values"},
    {"EXPLAIN ANALYZE CREATE TABLE c AS SELECT ssn FROM patients",
     "public.patients.ssn",
     "CREATE TABLE AS with its values"},
    {"CREATE TABLE patients AS SELECT 1 AS id", "patients", "CREATE TABLE AS"},
    {"SELECT 1 AS id INTO TEMP patients", "patients", "SELECT INTO"},
    {"CREATE RULE r AS ON INSERT TO notes DO ALSO INSERT INTO patients (id) VALUES (1)",
     "patients",
     "CREATE RULE"},
    {"CREATE TRIGGER t BEFORE INSERT ON patients EXECUTE FUNCTION f()",
     "patients",
     "CREATE TRIGGER"},
    {"CREATE POLICY p ON patients USING (true)", "patients", "CREATE POLICY"},
    {"CREATE VIEW v AS SELECT * FROM v_patients",
     "public.v_patients",
     "a view, rule or inheritance over a protected table"},
    {"DO $$ BEGIN UPDATE Patients SET name = 'x'; END $$", "a protected table", "DO"},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1 FROM patients'",
     "a protected table",
     "CREATE FUNCTION"},
    {"CREATE FUNCTION f() RETURNS SETOF patients LANGUAGE sql AS 'SELECT 1'",
     "patients",
     "CREATE FUNCTION"},
    {"SELECT query_to_xml('select * from patients', true, true, '')",
     "protected tables",
     "function query_to_xml, which runs SQL given as a string"},
    {"SELECT query_to_xml($1, true, true, '')",
     "protected tables",
     "function query_to_xml, which runs SQL given as a string"},
    {"SELECT database_to_xml(true, true, '')",
     "protected tables",
     "function database_to_xml, which runs SQL given as a string"},
    {"SELECT * FROM dblink('x', 'select name from \"patients\"') AS t(n text)",
     "protected tables",
     "function dblink, which runs SQL given as a string"},
    {"SELECT * FROM pgveil.keyring", "pgveil.keyring", "a direct reference to schema pgveil"},
    {"SELECT 'x'::pgveil.ciphertext", "ciphertext", "a type of schema pgveil"},
    {"DROP DOMAIN pgveil.ciphertext", "schema pgveil", "this command"},
    {"DROP SCHEMA \"pgveil\" CASCADE", "schema pgveil", "this command"},
    {"GRANT ALL ON SCHEMA pgveil TO public", "schema pgveil", "this command"},
    {"GRANT SELECT ON public.from, pgveil.keyring TO nurse", "schema pgveil", "this command"},
    {"REVOKE SELECT ON public.to, pgveil.keyring FROM nurse", "schema pgveil", "this command"},
    {"ALTER DOMAIN pgveil.ciphertext DROP CONSTRAINT c", "pgveil", "this command"},
};

TEST(Refused, NamesSubjectConstructAndAWayOut) {
    const Clinic clinic;
    for (const Refused& entry : kRefused) {
        const Decision decision = clinic.decide(entry.sql);
        const auto* const rejection = std::get_if<Rejection>(&decision);
        ASSERT_NE(rejection, nullptr) << "passes: " << entry.sql;
        EXPECT_EQ(rejection->subject, entry.subject) << entry.sql;
        EXPECT_EQ(rejection->construct, entry.construct) << entry.sql;
        EXPECT_EQ(rejection->sqlstate, "0A000") << entry.sql;
        EXPECT_FALSE(rejection->hint.empty()) << entry.sql;
        EXPECT_FALSE(rejection->message.empty()) << entry.sql;
    }
    EXPECT_GE(kRefused.size(), 30U);
}

// The same constructs over plain relations go through untouched: nobody pays for what is not used.
TEST(Refused, PlainRelationsPassUntouched) {
    const Clinic clinic;
    for (const std::string_view sql : {
             "SELECT upper(title) || 'x' FROM notes WHERE title LIKE 'A%' ORDER BY title",
             "SELECT json_agg(n) FROM notes n",
             "WITH RECURSIVE c AS (SELECT 1 AS a UNION SELECT a + 1 FROM c) SELECT * FROM c",
             "INSERT INTO notes (id) VALUES (1) ON CONFLICT DO NOTHING",
             "MERGE INTO notes p USING notes n ON p.id = n.id WHEN MATCHED THEN DELETE",
             "COPY notes FROM STDIN",
             "PREPARE p AS SELECT * FROM notes",
             "DECLARE c CURSOR FOR SELECT * FROM notes",
             "EXPLAIN SELECT * FROM notes",
             "ALTER TABLE notes ADD COLUMN x text",
             "CREATE VIEW v AS SELECT * FROM notes",
             "CREATE TABLE c AS SELECT * FROM notes",
             "DO $$ BEGIN UPDATE notes SET title = 'x'; END $$",
             "SELECT xmlelement(name x, title) FROM notes",
             "SELECT * FROM archive.visits",
             "SELECT * FROM pg_catalog.pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace",
             "SELECT * FROM information_schema.columns WHERE table_name = 'patients'",
             "SELECT 'patients'::regclass, pg_relation_size('patients')",
             "SELECT now(), 1 + 1",
             "SELECT * FROM does_not_exist",
             "BEGIN ISOLATION LEVEL SERIALIZABLE",
             "SAVEPOINT patients",
             "LISTEN patients",
             "NOTIFY pgveil, 'x'",
             "LOCK TABLE patients",
             "GRANT SELECT (name) ON patients TO bob",
             "GRANT SELECT ON notes TO pgveil",
             "REVOKE ALL ON notes FROM bob, pgveil",
             "COMMENT ON TABLE patients IS 'people'",
             "ANALYZE patients",
             "DROP TABLE patients, notes",
             "FETCH 10 FROM c",
             "CLOSE ALL",
             "DISCARD PLANS",
             "SHOW search_path",
             "VALUES (1), (2)",
             "",
             ";; -- nothing",
         }) {
        const Analysis analysis = clinic.analyze(sql);
        EXPECT_TRUE(analysis.passthrough) << sql << " " << clinic.sent(sql);
        EXPECT_EQ(clinic.sent(sql), sql);
    }
}

TEST(Refused, RefusalsKeepThePositionOfTheTroublemaker) {
    const Clinic clinic;
    const std::string_view sql = "SELECT id FROM patients WHERE city = 'x' AND name LIKE 'A%'";
    const auto rejection = std::get<Rejection>(clinic.decide(sql));
    EXPECT_EQ(rejection.position, static_cast<std::int32_t>(sql.find("name")));
    EXPECT_EQ(
        rejection.message,
        "LIKE: not possible on the encrypted column public.patients.name (randomized)"
    );
}

TEST(Refused, ARelationTheDatabaseDeniesGetsNoValues) {
    Clinic clinic;
    clinic.catalog.put({"", "patients"}, catalog::Entry{std::nullopt, "public"});
    EXPECT_EQ(
        clinic.sent("INSERT INTO patients (name) VALUES ('secret')"),
        "!42P01 relation \"patients\" does not exist"
    );
}

TEST(Refused, ColumnsThatDisagreeWithThePolicyStopEverything) {
    Clinic clinic;
    catalog::Entry entry = *clinic.catalog.find({"", "patients"});
    entry.relation->columns[1].is_ciphertext = false;
    clinic.catalog.put({"", "patients"}, entry);
    EXPECT_EQ(
        clinic.sent("SELECT id FROM patients"),
        "!0A000 public.patients.name: is protected by the policy, but a plain column"
    );
    entry.relation->columns[1].is_ciphertext = true;
    entry.relation->columns[0].is_ciphertext = true;
    clinic.catalog.put({"", "patients"}, entry);
    EXPECT_EQ(
        clinic.sent("SELECT city FROM patients"),
        "!0A000 public.patients.id: is encrypted, but not in the policy"
    );
    entry.relation->columns[0].is_ciphertext = false;
    entry.relation->relkind = 'v';
    clinic.catalog.put({"", "patients"}, entry);
    EXPECT_EQ(
        clinic.sent("SELECT city FROM patients"),
        "!0A000 public.patients: is not a table, but the policy protects a table"
    );
}

/// Its rows are the protected table's, too.
TEST(Refused, AnUnprotectedParentOfAProtectedTable) {
    Clinic clinic;
    catalog::Entry entry = *clinic.catalog.find({"", "notes"});
    entry.relation->over_protected = true;
    clinic.catalog.put({"", "notes"}, entry);
    for (const std::string_view sql :
         {"SELECT id FROM notes", "UPDATE notes SET title = 'secret'", "TRUNCATE notes"}) {
        EXPECT_EQ(
            clinic.sent(sql),
            "!0A000 public.notes: a view, rule or inheritance over a protected table"
        );
    }
}

TEST(Refused, UnknownNamesAreLookedUpNeverPassed) {
    const Clinic clinic;
    const catalog::Catalog empty;
    const types::TextStyle style;
    const auto analysis = analysis::analyze(
        "SELECT * FROM s.a, b; COPY c FROM STDIN",
        Context{*clinic.policy, empty, style, true, {}, {}}
    );
    EXPECT_TRUE(analysis.statements.empty());
    EXPECT_FALSE(analysis.passthrough);
    const std::vector<catalog::RelationName> wanted = {{"", "b"}, {"", "c"}, {"s", "a"}};
    EXPECT_EQ(analysis.missing, wanted);
}

}  // namespace
}  // namespace pgveil::analysis::test
