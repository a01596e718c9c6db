#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace pgveil::analysis::test {
namespace {

struct Sent {
    std::string_view user;
    std::string_view server;
};

void expect_sent(const std::vector<Sent>& cases) {
    const Clinic clinic;
    for (const Sent& entry : cases) {
        EXPECT_EQ(clinic.sent(entry.user), entry.server);
    }
}

TEST(Query, SealsConstantsOfEveryFormAndQualifiesNames) {
    expect_sent({
        {"SELECT * FROM patients", "SELECT * FROM \"public\".\"patients\""},
        {"SELECT * FROM public.patients", "SELECT * FROM public.patients"},
        {"SELECT * FROM ONLY patients AS p", "SELECT * FROM ONLY \"public\".\"patients\" AS p"},
        {"SELECT id FROM patients WHERE ssn = '1'",
         "SELECT id FROM \"public\".\"patients\" WHERE ssn = {ssn=1}"},
        {"SELECT id FROM patients WHERE '1' = ssn",
         "SELECT id FROM \"public\".\"patients\" WHERE {ssn=1} = ssn"},
        {"SELECT id FROM patients WHERE ssn IN ('1', 'b''c', E'\\n', $$d$$, NULL)",
         "SELECT id FROM \"public\".\"patients\" WHERE ssn IN ({ssn=1}, {ssn=b'c}, {ssn=\n}, "
         "{ssn=d}, NULL)"},
        {"SELECT id FROM patients WHERE ssn <> '1' AND NOT (born = '2020-01-02')",
         "SELECT id FROM \"public\".\"patients\" WHERE ssn <> {ssn=1} AND NOT (born = "
         "{born=2020-01-02})"},
        {"SELECT id FROM patients WHERE born = date '2020-01-02'",
         "SELECT id FROM \"public\".\"patients\" WHERE born = {born=2020-01-02}"},
        {"SELECT id FROM patients WHERE born = CAST('2020-01-02' AS date)",
         "SELECT id FROM \"public\".\"patients\" WHERE born = CAST({born=2020-01-02} AS "
         "pg_catalog.bytea)"},
        {"SELECT id FROM patients WHERE email = ('x')::character varying (20)",
         "SELECT id FROM \"public\".\"patients\" WHERE email = ({email=x})::pg_catalog.bytea"},
        {"SELECT id FROM patients WHERE email = 'abc'::varchar(2)",
         "SELECT id FROM \"public\".\"patients\" WHERE email = {email=ab}::pg_catalog.bytea"},
        {"SELECT id FROM patients WHERE email = 'a longer one than the column holds'",
         "SELECT id FROM \"public\".\"patients\" WHERE email = {email=a longer one than the column "
         "holds}"},
        {"SELECT id FROM patients WHERE age = - 5 OR age = 7",
         "SELECT id FROM \"public\".\"patients\" WHERE age = {age=-5} OR age = {age=7}"},
        {"SELECT id FROM patients WHERE active = true",
         "SELECT id FROM \"public\".\"patients\" WHERE active = {active=t}"},
        {"SELECT id FROM patients WHERE ssn IS NOT DISTINCT FROM '1'",
         "SELECT id FROM \"public\".\"patients\" WHERE ssn IS NOT DISTINCT FROM {ssn=1}"},
        {"SELECT id FROM patients WHERE name IS NULL AND city = 'Bonn'",
         "SELECT id FROM \"public\".\"patients\" WHERE name IS NULL AND city = 'Bonn'"},
        {"SELECT id FROM patients WHERE ssn = U&'\\0041!' /* why */ AND id=1",
         "SELECT id FROM \"public\".\"patients\" WHERE ssn = {ssn=A!} /* why */ AND id=1"},
        {"SELECT id FROM patients WHERE ssn = 'a'\n  'b'",
         "SELECT id FROM \"public\".\"patients\" WHERE ssn = {ssn=ab}"},
        {"SELECT \"The Name\" FROM \"Odd Table\" WHERE \"The Name\" = 'x'",
         "SELECT \"The Name\" FROM \"public\".\"Odd Table\" WHERE \"The Name\" = {The Name=x}"},
        {"SELECT 1 FROM U&\"\\0070atients\" WHERE PATIENTS.SSN = 'x'",
         "SELECT 1 FROM \"public\".\"patients\" WHERE PATIENTS.SSN = {ssn=x}"},
    });
}

TEST(Query, FollowsColumnsThroughJoinsAndSubQueries) {
    expect_sent({
        {"SELECT v.id FROM patients p JOIN visits v ON v.patient_ssn = p.ssn AND v.patient_ssn = "
         "'1' FOR UPDATE OF p",
         "SELECT v.id FROM \"public\".\"patients\" p JOIN \"public\".\"visits\" v ON v.patient_ssn "
         "= p.ssn AND "
         "v.patient_ssn = {patient_ssn=1} FOR UPDATE OF p"},
        {"SELECT 1 FROM notes WHERE title IN (SELECT city FROM patients WHERE ssn = 'x')",
         "SELECT 1 FROM notes WHERE title IN (SELECT city FROM \"public\".\"patients\" WHERE ssn = "
         "{ssn=x})"},
        {"WITH c AS (SELECT ssn AS s FROM patients) SELECT 1 FROM c WHERE s = 'x'",
         "WITH c AS (SELECT ssn AS s FROM \"public\".\"patients\") SELECT 1 FROM c WHERE s = "
         "{ssn=x}"},
        {"WITH patients AS (SELECT 'x' AS ssn) SELECT 1 FROM patients WHERE ssn = 'x'",
         "WITH patients AS (SELECT 'x' AS ssn) SELECT 1 FROM patients WHERE ssn = 'x'"},
        {"SELECT 1 FROM (SELECT ssn, id FROM patients) AS q(a, b) WHERE q.a = 'x' AND b = 1",
         "SELECT 1 FROM (SELECT ssn, id FROM \"public\".\"patients\") AS q(a, b) WHERE q.a = "
         "{ssn=x} AND b = 1"},
        {"SELECT 1 FROM visits WHERE patient_ssn IN (SELECT ssn FROM patients)",
         "SELECT 1 FROM \"public\".\"visits\" WHERE patient_ssn IN (SELECT ssn FROM "
         "\"public\".\"patients\")"},
        {"SELECT 1 WHERE 'x' IN (SELECT ssn FROM patients)",
         "SELECT 1 WHERE {ssn=x} IN (SELECT ssn FROM \"public\".\"patients\")"},
        {"SELECT 1 FROM notes WHERE ssn = 'plain'", "SELECT 1 FROM notes WHERE ssn = 'plain'"},
        {"SELECT 1 FROM notes n, patients p WHERE n.ssn = 'plain' AND p.ssn = 'x'",
         "SELECT 1 FROM notes n, \"public\".\"patients\" p WHERE n.ssn = 'plain' AND p.ssn = "
         "{ssn=x}"},
        {"SELECT 1 FROM patients p, LATERAL (SELECT 1 FROM visits WHERE p.ssn = 'x') q",
         "SELECT 1 FROM \"public\".\"patients\" p, LATERAL (SELECT 1 FROM \"public\".\"visits\" "
         "WHERE p.ssn = {ssn=x}) q"},
    });
}

TEST(Query, ChangesSealTheirConstants) {
    const Clinic clinic;
    const std::vector<Sent> cases = {
        {"INSERT INTO patients VALUES (1, 'Ann', '1', '2020-01-02', true, 5, 'e', NULL, 'Bonn')",
         "INSERT INTO \"public\".\"patients\" VALUES (1, {name=Ann}, {ssn=1}, {born=2020-01-02}, "
         "{active=t}, {age=5}, "
         "{email=e}, NULL, 'Bonn')"},
        {"INSERT INTO patients (city, ssn) VALUES ('a', 'b'), ('c', DEFAULT), ('d', NULL)",
         "INSERT INTO \"public\".\"patients\" (city, ssn) VALUES ('a', {ssn=b}), ('c', DEFAULT), "
         "('d', NULL)"},
        {"INSERT INTO patients AS p (id) VALUES (1) RETURNING p.name",
         "INSERT INTO \"public\".\"patients\" AS p (id) VALUES (1) RETURNING p.name"},
        {"INSERT INTO patients (name) VALUES ('ten chars!   ')",
         "INSERT INTO \"public\".\"patients\" (name) VALUES ({name=ten chars!})"},
        {"INSERT INTO patients DEFAULT VALUES",
         "INSERT INTO \"public\".\"patients\" DEFAULT VALUES"},
        {"INSERT INTO visits (patient_ssn, day) SELECT ssn, 'x' FROM patients WHERE city = 'x'",
         "INSERT INTO \"public\".\"visits\" (patient_ssn, day) SELECT ssn, 'x' FROM "
         "\"public\".\"patients\" WHERE city = 'x'"},
        {"INSERT INTO visits (patient_ssn, id) SELECT 'c', id FROM notes",
         "INSERT INTO \"public\".\"visits\" (patient_ssn, id) SELECT {patient_ssn=c} AS "
         "\"?column?\", id FROM "
         "notes"},
        {"UPDATE patients SET name = 'B', ssn = NULL::text, city = 'x' WHERE ssn = 'y' RETURNING "
         "id, name",
         "UPDATE \"public\".\"patients\" SET name = {name=B}, ssn = NULL::pg_catalog.bytea, city = "
         "'x' WHERE ssn = {ssn=y} "
         "RETURNING id, name"},
        {"UPDATE visits v SET patient_ssn = p.ssn, diagnosis = DEFAULT FROM patients p WHERE p.id "
         "= v.patient_id",
         "UPDATE \"public\".\"visits\" v SET patient_ssn = p.ssn, diagnosis = DEFAULT FROM "
         "\"public\".\"patients\" p WHERE "
         "p.id = v.patient_id"},
        {"DELETE FROM patients USING visits WHERE patients.ssn = visits.patient_ssn AND ssn = 'x'",
         "DELETE FROM \"public\".\"patients\" USING \"public\".\"visits\" WHERE patients.ssn = "
         "visits.patient_ssn AND ssn = "
         "{ssn=x}"},
        {"TRUNCATE patients, notes", "TRUNCATE \"public\".\"patients\", notes"},
    };
    for (const Sent& entry : cases) {
        EXPECT_EQ(clinic.sent(entry.user), entry.server);
    }
}

TEST(Query, KnowsWhichResultColumnsAreProtected) {
    const Clinic clinic;
    const std::vector<Sent> cases = {
        {"SELECT * FROM patients", "-,name,ssn,born,active,age,email,note,-"},
        {"SELECT id, city FROM patients", ""},
        {"SELECT name AS n, p.ssn, id FROM patients p", "name,ssn,-"},
        {"SELECT p.*, 1 FROM patients p, notes", "-,name,ssn,born,active,age,email,note,-,-"},
        {"SELECT count(*), count(name), count(DISTINCT ssn) FROM patients", ""},
        {"SELECT ssn, count(*) FROM patients GROUP BY ssn", "ssn,-"},
        {"SELECT ssn AS k, count(*) FROM patients GROUP BY k ORDER BY count(*)", "ssn,-"},
        {"SELECT ssn, count(*) FROM patients GROUP BY 1 ORDER BY 2", "ssn,-"},
        {"SELECT DISTINCT ssn, city FROM patients ORDER BY city LIMIT 3", "ssn,-"},
        {"SELECT DISTINCT ON (ssn) name FROM patients", "name"},
        {"SELECT (SELECT name FROM patients LIMIT 1), 2", "name,-"},
        {"SELECT q.x FROM (SELECT name AS x FROM patients) q", "name"},
        {"SELECT * FROM (SELECT * FROM visits) q", "-,-,patient_ssn,diagnosis,-"},
        {"SELECT * FROM patients JOIN (SELECT patient_ssn AS ssn, day FROM visits) v USING (ssn)",
         "ssn,-,name,born,active,age,email,note,-,-"},
        {"SELECT * FROM patients NATURAL JOIN (SELECT patient_ssn AS ssn FROM visits) v",
         "ssn,-,name,born,active,age,email,note,-"},
        {"SELECT j.* FROM (visits a JOIN notes b ON a.id = b.id) AS j",
         "-,-,patient_ssn,diagnosis,-,-,-,-,-"},
        {"SELECT ssn FROM patients UNION SELECT patient_ssn FROM visits", "ssn"},
        {"SELECT name FROM patients UNION ALL SELECT name FROM patients", "name"},
        {"WITH c (n) AS (SELECT name FROM patients) SELECT n FROM c", "name"},
        {"INSERT INTO patients (id) VALUES (1) RETURNING *",
         "-,name,ssn,born,active,age,email,note,-"},
        {"UPDATE patients SET city = 'x' RETURNING name, 1", "name,-"},
        {"DELETE FROM patients RETURNING patients.ssn", "ssn"},
        {"SELECT id FROM patients WHERE EXISTS (SELECT name FROM patients)", ""},
        {"SELECT id, name FROM patients ORDER BY id DESC, city OFFSET 1", "-,name"},
        {"SELECT row_number() OVER (ORDER BY id), name FROM patients", "-,name"},
        {"SELECT ctid, name FROM patients", "-,name"},
        {"SELECT g, name FROM patients, generate_series(1, 3) AS g", "-,name"},
        {"TABLE visits", "-,-,patient_ssn,diagnosis,-"},
        {"SELECT upper(city), name FROM patients WHERE city LIKE 'B%' AND id BETWEEN 1 AND 3",
         "-,name"},
        {"SELECT CASE WHEN ssn = 'x' THEN 1 ELSE 0 END, name FROM patients", "-,name"},
    };
    for (const Sent& entry : cases) {
        EXPECT_EQ(clinic.results(entry.user), entry.server) << entry.user;
    }
}

TEST(Query, DeclaresAndDescribesParameters) {
    const Clinic clinic;
    EXPECT_EQ(clinic.parameters("SELECT 1 FROM patients WHERE ssn = $1"), "1:ssn compared 17/25");
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE email = $1 AND city = $2"),
        "1:email compared 17/25"
    );
    EXPECT_EQ(
        clinic.parameters("UPDATE patients SET email = $2 WHERE id = $1"),
        "2:email assigned 17/1043"
    );
    EXPECT_EQ(
        clinic.parameters("INSERT INTO patients (born, age, id) VALUES ($1, $2, $3)"),
        "1:born assigned 17/1082,2:age assigned 17/23"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE email = $1::varchar"),
        "1:email compared 17/1043"
    );
    EXPECT_EQ(
        clinic.sent("SELECT 1 FROM patients WHERE email = $1::varchar"),
        "SELECT 1 FROM \"public\".\"patients\" WHERE email = $1::pg_catalog.bytea"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE email = $1", {1043}),
        "1:email compared 17/1043"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE age = $1", {20}), "1:age compared 17/20"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE age = $1", {705}), "1:age compared 17/23"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE ssn IN ($1, $2, $1)"),
        "1:ssn compared 17/25,2:ssn compared 17/25"
    );
    EXPECT_EQ(
        clinic.parameters("UPDATE patients SET ssn = $1 WHERE ssn = $1"), "1:ssn compared 17/25"
    );
}

TEST(Query, RefusesParametersThatStandNowhere) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.parameters("SELECT id FROM patients WHERE ssn = $1", {25, 20}),
        "!0A000 a statement on encrypted columns: parameter $2, which is declared and not used"
    );
    EXPECT_EQ(clinic.parameters("SELECT id FROM notes WHERE title = $1", {25, 20}), "");
}

TEST(Query, RefusesParametersThatDoNotFit) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE ssn = $1 AND city = $1"),
        "!0A000 public.patients.ssn: parameter $1 in an unprotected place, too"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE ssn = $1 OR born = $1"),
        "!0A000 public.patients.born: comparison with a parameter of type text"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE age = $1", {600}),
        "!0A000 public.patients.age: a parameter declared with type OID 600"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE ssn = $1::int"),
        "!0A000 public.patients.ssn: comparison with a parameter of type integer"
    );
}

TEST(Query, GivesPostgresOwnErrorsForInvalidConstants) {
    const Clinic clinic;
    const std::vector<Sent> cases = {
        {"SELECT 1 FROM patients WHERE age = 'x'",
         "!22P02 invalid input syntax for type integer: \"x\""},
        {"INSERT INTO patients (name) VALUES ('longer than ten')",
         "!22001 value too long for type character varying(10)"},
        {"INSERT INTO patients (age) VALUES (99999999999)", "!22003 integer out of range"},
        {"SELECT nme FROM patients", "!42703 column \"nme\" does not exist"},
        {"SELECT 1 FROM patients WHERE nme = 'secret'", "!42703 column \"nme\" does not exist"},
        {"SELECT p.nme FROM patients p", "!42703 column p.nme does not exist"},
        {"SELECT q.name FROM patients p", "!42P01 missing FROM-clause entry for table \"q\""},
        {"SELECT id FROM patients, visits", "!42702 column reference \"id\" is ambiguous"},
        {"INSERT INTO patients (nme) VALUES ('secret')",
         "!42703 column \"nme\" of relation \"patients\" does not exist"},
        {"UPDATE patients SET nme = 'secret'",
         "!42703 column \"nme\" of relation \"patients\" does not exist"},
    };
    for (const Sent& entry : cases) {
        EXPECT_EQ(clinic.sent(entry.user), entry.server) << entry.user;
    }
}

TEST(Query, PositionsPointIntoTheUsersText) {
    const Clinic clinic;
    const std::string_view sql = "SELECT 1 FROM patients WHERE age = 'x'";
    EXPECT_EQ(
        std::get<Rejection>(clinic.decide(sql)).position, static_cast<std::int32_t>(sql.find("'x'"))
    );
}

TEST(Query, ErrorsOfCastsHaveNoPosition) {
    const Clinic clinic;
    for (const std::string_view sql :
         {"INSERT INTO patients (name) VALUES ('longer than ten')",
          "INSERT INTO patients (age) VALUES (99999999999)"}) {
        EXPECT_LT(std::get<Rejection>(clinic.decide(sql)).position, 0) << sql;
    }
}

TEST(Query, PlansSayWhetherKeysAreNeeded) {
    const Clinic clinic;
    const auto plan = [&](std::string_view sql) {
        return std::get<StatementPlan>(clinic.decide(sql));
    };
    EXPECT_TRUE(plan("SELECT name FROM patients").needs_keys());
    EXPECT_TRUE(plan("SELECT id FROM patients WHERE ssn = $1").needs_keys());
    const auto counted = plan("SELECT count(*) FROM patients");
    EXPECT_FALSE(counted.needs_keys());
    EXPECT_TRUE(counted.touches_protected);
    EXPECT_FALSE(counted.is_plain());
    EXPECT_TRUE(plan("SELECT * FROM notes").is_plain());
}

TEST(Query, LimitsSealedLiterals) {
    Clinic clinic;
    clinic.limits.literal_bytes = 1000;
    std::string sql = "SELECT 1 FROM patients WHERE ssn IN ('x'";
    for (int i = 0; i < 100; ++i) {
        sql += ",'y'";
    }
    EXPECT_EQ(std::get<Rejection>(clinic.decide(sql + ")")).sqlstate, "54000");
}

}  // namespace
}  // namespace pgveil::analysis::test
