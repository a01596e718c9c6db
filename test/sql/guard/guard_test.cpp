#include "sql/guard/guard.hpp"

#include "sql/parse/parser.hpp"
#include "test/sql/analysis/fixture.hpp"

#include <algorithm>

namespace pgveil::guard {
namespace {

/// An equality envelope; nothing else parses as one.
const std::string kSealed = "E'\\\\x01020000000700112233445566778899aabbccddeeff'::bytea";

/// %s stands for the value, which is plain or sealed.
std::string with_value(std::string text, const std::string& value) {
    for (std::size_t at = text.find("%s"); at != std::string::npos;
         at = text.find("%s", at + value.size())) {
        text.replace(at, 2, value);
    }
    return text;
}

std::optional<Shape> known(const std::string&, const std::string& name) {
    if (name == "patients") {
        return Shape{
            "public.patients",
            {{"id", false}, {"name", true}, {"ssn", true}, {"active", true}, {"city", false}}};
    }
    if (name == "notes") {
        return Shape{"public.notes", {{"id", false}, {"name", false}, {"body", false}}};
    }
    return std::nullopt;
}

std::optional<Shape> returned(const std::string&, const std::string& name) {
    return name == "ssn_of" ? Shape{"public.patients.ssn", {{"", true}}}
                            : known("", name == "patients_in" ? "patients" : "");
}

/// "column@offset", or "" without a leak.
std::string leak_in(const std::string& sql) {
    const auto statements = parse::parse(sql);
    if (!statements.has_value() || statements->size() != 1) {
        ADD_FAILURE() << "does not parse: " << sql;
        return "?";
    }
    const auto leak = find_leak(statements->front(), {known, returned}, [](std::uint32_t number) {
        return number == 9;
    });
    return leak ? leak->column + "@" + std::to_string(leak->begin) : std::string();
}

/// Every way in which a value can meet a protected column.
const std::vector<std::string> kMeetings = {
    "SELECT id FROM patients WHERE ssn = %s",
    "SELECT id FROM patients WHERE %s <> patients.ssn",
    "SELECT id FROM patients p WHERE p.ssn IN (%s, NULL)",
    "SELECT id FROM patients p WHERE NOT (id = 3 AND p.ssn IS DISTINCT FROM %s)",
    "SELECT id FROM patients WHERE ssn BETWEEN %s AND %s",
    "SELECT ssn_of(3) = %s",
    "SELECT id FROM notes WHERE app.ssn_of(id) IN (%s)",
    "SELECT s FROM ssn_of(3) s WHERE s = %s",
    "SELECT 1 FROM ssn_of(3) AS s(x) WHERE s.x = %s",
    "SELECT 1 FROM patients_in('Bern') WHERE ssn = %s",
    "SELECT 1 FROM notes n, LATERAL app.patients_in(n.id) p WHERE %s = p.ssn",
    "SELECT id FROM patients WHERE (id, ssn) = (1, %s)",
    "SELECT id FROM patients WHERE (ssn, id) IN ((%s, 1))",
    "SELECT id FROM patients WHERE ssn = ANY (ARRAY[%s])",
    "SELECT id FROM patients WHERE ssn = (SELECT %s)",
    "SELECT id FROM patients WHERE ssn IN (SELECT %s UNION ALL SELECT NULL)",
    "SELECT id FROM patients WHERE EXISTS (SELECT 1 FROM notes WHERE ssn = %s)",
    "SELECT id FROM patients JOIN (VALUES (%s)) v (x) ON x = ssn",
    "SELECT id FROM patients JOIN (VALUES (%s)) v (ssn) USING (ssn)",
    "SELECT id FROM patients NATURAL JOIN (SELECT %s AS ssn) v",
    "SELECT s.a FROM (SELECT ssn AS a FROM patients) s WHERE s.a = %s",
    "SELECT a FROM (SELECT * FROM patients) s (i, n, a) WHERE a = %s",
    "WITH w (a) AS (SELECT ssn FROM patients) SELECT 1 FROM w WHERE a = %s",
    "WITH w AS (SELECT %s AS a) SELECT 1 FROM patients, w WHERE w.a = ssn",
    "WITH RECURSIVE w (a) AS (SELECT ssn FROM patients UNION ALL SELECT a FROM w WHERE a = %s) "
    "TABLE w",
    "WITH w AS (DELETE FROM patients RETURNING ssn) SELECT 1 FROM w WHERE ssn = %s",
    "SELECT ssn FROM patients UNION ALL SELECT %s",
    "SELECT coalesce(ssn, %s) FROM patients",
    "SELECT nullif(ssn, %s) FROM patients",
    "SELECT CASE WHEN id = 1 THEN ssn ELSE %s END FROM patients",
    "SELECT CASE WHEN ssn = %s THEN 1 END FROM patients",
    "SELECT CASE ssn WHEN %s THEN 1 END FROM patients",
    "UPDATE patients SET ssn = CASE id WHEN 1 THEN %s ELSE ssn END",
    "SELECT greatest(ssn, %s) FROM patients",
    "SELECT 1 FROM patients a JOIN patients b USING (ssn) AS j WHERE j.ssn = %s",
    "SELECT 1 FROM patients TABLESAMPLE bernoulli (50) WHERE ssn = %s",
    "SELECT 1 FROM patients WHERE (%s, id) IN (SELECT ssn, id FROM patients)",
    "SELECT count(*) FILTER (WHERE ssn = %s) FROM patients",
    "SELECT sum(id) OVER (PARTITION BY ssn = %s) FROM patients",
    "SELECT 1 FROM patients GROUP BY ssn HAVING max(ssn) > %s",
    "SELECT 1 FROM patients ORDER BY ssn = %s",
    "SELECT 1 FROM notes n, LATERAL (SELECT 1 FROM patients p WHERE p.name = %s) x",
    "SELECT 1 FROM patients a JOIN patients b ON a.id = b.id AND b.name = %s",
    "SELECT j.c FROM (patients a JOIN notes b ON true) AS j (i, c) WHERE j.c = %s",
    "INSERT INTO patients (id, ssn) VALUES (1, %s), (2, %s)",
    "INSERT INTO patients VALUES (1, %s)",
    "INSERT INTO patients (ssn) SELECT %s FROM notes",
    "WITH w AS (INSERT INTO patients (ssn) VALUES (%s)) SELECT 1",
    "UPDATE patients SET ssn = %s WHERE id = 1",
    "UPDATE patients SET (id, ssn) = (2, %s)",
    "UPDATE patients SET (id, ssn) = (SELECT 2, %s)",
    "UPDATE patients SET id = 1 FROM notes n WHERE n.id = 2 AND ssn = %s",
    "UPDATE patients SET ssn = coalesce(%s, ssn)",
    "DELETE FROM patients USING notes WHERE ssn = %s",
    "INSERT INTO patients (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET ssn = %s",
    "INSERT INTO patients (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 2 WHERE "
    "excluded.ssn = %s",
    "INSERT INTO patients (id) VALUES (1) ON CONFLICT (id) WHERE ssn = %s DO NOTHING",
    "MERGE INTO patients p USING notes n ON p.ssn = %s WHEN MATCHED THEN DELETE",
    "MERGE INTO patients p USING notes n ON p.id = n.id WHEN MATCHED AND ssn = %s THEN DELETE",
    "MERGE INTO patients p USING notes n ON p.id = n.id WHEN MATCHED THEN UPDATE SET ssn = %s",
    "MERGE INTO patients p USING (SELECT %s AS x) n ON p.ssn = n.x WHEN MATCHED THEN DELETE",
    "MERGE INTO patients p USING notes n ON p.id = n.id WHEN NOT MATCHED THEN INSERT (id, ssn) "
    "VALUES (1, %s)",
    "MERGE INTO patients p USING notes n ON p.id = n.id WHEN NOT MATCHED THEN INSERT VALUES (1, "
    "NULL, %s)",
    "EXPLAIN ANALYZE UPDATE patients SET ssn = %s",
    "DECLARE c CURSOR FOR SELECT id FROM patients WHERE ssn = %s",
    "PREPARE p AS DELETE FROM patients WHERE ssn = %s",
    "CREATE TABLE t AS SELECT id FROM patients WHERE ssn = %s",
    "COPY (SELECT id FROM patients WHERE ssn = %s) TO STDOUT",
    "COPY patients (id) FROM STDIN WHERE ssn = %s",
    "ALTER TABLE patients ALTER ssn SET DEFAULT %s",
    "CREATE TABLE patients (ssn bytea DEFAULT %s)",
};

TEST(Guard, FindsAConstantInEveryMeeting) {
    for (const std::string& text : kMeetings) {
        for (const std::string& value :
             std::vector<std::string>{"'120-44'", "7", "true", "$1", "'a'::text", "upper('x')"}) {
            EXPECT_NE(leak_in(with_value(text, value)), "") << with_value(text, value);
        }
    }
}

TEST(Guard, AcceptsEnvelopesSealedParametersAndNull) {
    for (const std::string& text : kMeetings) {
        for (const std::string& value : {kSealed, std::string("$9"), std::string("NULL")}) {
            EXPECT_EQ(leak_in(with_value(text, value)), "") << with_value(text, value);
        }
    }
}

TEST(Guard, TakesNothingForAnEnvelopeThatIsNone) {
    for (const std::string& value : std::vector<std::string>{
             "'\\x0102'",
             "'\\x01020000000700112233445566778899aabbccddeezz'",
             "'\\x05020000000700112233445566778899aabbccddeeff'",
             "''",
             "'{}x'",
             "'{a}'"}) {
        EXPECT_NE(leak_in("SELECT 1 FROM patients WHERE ssn = " + value), "") << value;
    }
}

TEST(Guard, AcceptsArraysOfEnvelopesOnly) {
    const std::string item = "\"\\\\x01020000000700112233445566778899aabbccddeeff\"";
    EXPECT_EQ(leak_in("SELECT 1 FROM patients WHERE ssn = ANY ('{" + item + ",NULL}')"), "");
    EXPECT_NE(leak_in("SELECT 1 FROM patients WHERE ssn = ANY ('{" + item + ",x}')"), "");
}

TEST(Guard, LeavesPlainColumnsAlone) {
    for (const std::string& text : std::vector<std::string>{
             "SELECT id FROM patients WHERE city = 'Bonn' AND id IN (1, 2) LIMIT 3",
             "SELECT 'x', count(ssn), ssn IS NULL, CASE WHEN ssn = name THEN 'yes' ELSE 'no' END "
             "FROM patients",
             "SELECT 1 FROM patients p WHERE id = (SELECT id FROM notes WHERE name = 'x')",
             "SELECT 1 FROM patients p JOIN notes n ON n.name = 'x' AND p.id = 1",
             "SELECT s.name FROM (SELECT count(*) AS name FROM patients) s WHERE s.name = 5",
             "INSERT INTO patients (id, city) VALUES (1, 'Bonn')",
             "UPDATE patients SET city = 'Bonn', ssn = NULL WHERE id = 1",
             "SELECT pg_catalog.decode(pg_catalog.min(pg_catalog.encode(ssn, 'hex') COLLATE "
             "pg_catalog.\"C\"), 'hex') FROM patients",
             "SELECT 1 FROM patients WHERE (id, ssn) = (7, name)",
             "SELECT 1 FROM patients WHERE ssn = ssn_of('x') OR ssn = (SELECT ssn FROM "
             "patients_in('y'))",
             "SELECT ssn, city FROM patients GROUP BY GROUPING SETS ((ssn, 2), (1))",
             "ALTER TABLE patients ALTER city SET DEFAULT 'Bonn'",
         }) {
        EXPECT_EQ(leak_in(text), "") << text;
    }
}

TEST(Guard, NamesColumnAndPlace) {
    EXPECT_EQ(leak_in("SELECT 1 FROM patients WHERE ssn = 'x'"), "public.patients.ssn@35");
}

/// Analysis of a text over the clinic, every unknown name absent from the database.
class Clinical {
public:
    analysis::Analysis decide(const std::string& text) {
        for (const auto& name : once(text).missing) {
            known_.put(name, catalog::Entry{std::nullopt, "public"});
        }
        return once(text);
    }

    /// Statements of the text that are refused.
    std::size_t refused_in(const std::string& text) {
        const analysis::Analysis decided = decide(text);
        EXPECT_TRUE(decided.missing.empty()) << text;
        return static_cast<std::size_t>(std::count_if(
            decided.statements.begin(),
            decided.statements.end(),
            [](const auto& statement) {
                return !std::holds_alternative<analysis::StatementPlan>(statement);
            }
        ));
    }

    /// The database has no such table, though the policy knows it.
    void forget(const std::string& name) {
        known_.put({"", name}, catalog::Entry{std::nullopt, "public"});
        known_.put({"public", name}, catalog::Entry{std::nullopt, "public"});
    }

private:
    analysis::Analysis once(const std::string& text) {
        return analyze(
            text,
            {.policy = *clinic_.policy,
             .catalog = known_,
             .style = style_,
             .parameter_oids = {},
             .limits = {}}
        );
    }

    analysis::test::Clinic clinic_;
    catalog::Catalog known_ = clinic_.catalog;
    types::TextStyle style_;
};

/// The product's own plans: nothing that analysis allows is held back.
TEST(Guard, PassesWhatAnalysisSeals) {
    Clinical clinic;
    for (const std::string& text : std::vector<std::string>{
             "SELECT name FROM patients WHERE ssn = '1' AND city = 'Bonn'",
             "INSERT INTO patients VALUES (1, 'a', '1', '2001-02-03', true, 7, 'e', 'n', 'Bonn')",
             "UPDATE events SET day = '2001-02-03', room = '7' WHERE rank BETWEEN 1 AND 9",
             "SELECT min(day), max(rank) FROM events WHERE (day, room) < ('2001-02-03', 'x')",
         }) {
        EXPECT_EQ(clinic.refused_in(text), 0U) << text;
        EXPECT_NE(stand_in_text(text, clinic.decide(text)), text);
    }
}

/// Migrations send the table and its first rows in one text.
TEST(Guard, KnowsTheTablesThatTheTextItselfMakes) {
    Clinical clinic;
    clinic.forget("visits");
    const std::string create =
        "CREATE TABLE visits (id int, day date, patient_ssn text, diagnosis text, patient_id "
        "int); ";
    const std::string rows = "INSERT INTO visits VALUES (1, '2001-02-03', '1', 'flu', 2)";
    EXPECT_EQ(clinic.refused_in(create + rows), 0U);
    EXPECT_EQ(clinic.refused_in(create + "CREATE INDEX ON visits (day); " + rows), 0U);
    EXPECT_EQ(
        clinic.refused_in(
            create + "ALTER TABLE visits DROP COLUMN day, ADD COLUMN room text; "
                     "INSERT INTO visits VALUES (1, '1', 'flu', 2, 'plain')"
        ),
        0U
    );
}

/// What stands there may have its columns in another order.
TEST(Guard, BelievesNoDefinitionOfATableThatTheDatabaseHas) {
    Clinical clinic;
    const std::string text =
        "CREATE TABLE IF NOT EXISTS patients (id int, city text, name varchar(80)); "
        "INSERT INTO patients VALUES (1, 'Bonn', 'a')";
    EXPECT_EQ(clinic.refused_in(text), 1U);
}

}  // namespace
}  // namespace pgveil::guard
