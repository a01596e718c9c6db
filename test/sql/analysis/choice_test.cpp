#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

// CASE, COALESCE, NULLIF, casts and columns of VALUES: the constants in them leave sealed for the
// column that they reach, or the statement is refused.
namespace pgveil::analysis::test {
namespace {

constexpr std::string_view kPatients = "\"public\".\"patients\"";

/// `sql` with the name of the table as it leaves.
std::string leaving(std::string sql) {
    const std::size_t place = sql.find(" patients");
    return place == std::string::npos ? sql : sql.replace(place + 1, 8, kPatients);
}

struct Sent {
    std::string_view user;
    std::string_view server;
};

void expect_sent(const std::vector<Sent>& cases) {
    const Clinic clinic;
    for (const Sent& entry : cases) {
        EXPECT_EQ(clinic.sent(entry.user), leaving(std::string(entry.server)));
    }
}

void expect_refused(const std::vector<std::string_view>& statements) {
    const Clinic clinic;
    for (const std::string_view sql : statements) {
        EXPECT_TRUE(clinic.sent(sql).starts_with("!0A000")) << sql << "\n" << clinic.sent(sql);
    }
}

TEST(Choice, ConstantsBesideTheColumnAreSealedForIt) {
    expect_sent({
        {"SELECT COALESCE(name, 'none') FROM patients",
         "SELECT COALESCE(name, {name=none}) FROM patients"},
        {"SELECT COALESCE(NULL, ssn, 'a', NULL) FROM patients",
         "SELECT COALESCE(NULL, ssn, {ssn=a}, NULL) FROM patients"},
        {"SELECT CASE WHEN id = 1 THEN name WHEN id = 2 THEN 'two' END FROM patients",
         "SELECT CASE WHEN id = 1 THEN name WHEN id = 2 THEN {name=two} END FROM patients"},
        {"SELECT CASE WHEN id = 1 THEN 'a' ELSE COALESCE(ssn, 'b') END FROM patients",
         "SELECT CASE WHEN id = 1 THEN {ssn=a} ELSE COALESCE(ssn, {ssn=b}) END FROM patients"},
        {"SELECT 1 FROM patients WHERE COALESCE(age, 5) = 6",
         "SELECT 1 FROM patients WHERE COALESCE(age, {age=5}) = {age=6}"},
        {"SELECT 1 FROM patients WHERE ssn = CASE WHEN id = 1 THEN 'a' ELSE 'b' END",
         "SELECT 1 FROM patients WHERE ssn = CASE WHEN id = 1 THEN {ssn=a} ELSE {ssn=b} END"},
        {"SELECT 1 FROM patients WHERE COALESCE(ssn, 'x') IS NULL",
         "SELECT 1 FROM patients WHERE COALESCE(ssn, {ssn=x}) IS NULL"},
        {"SELECT count(COALESCE(name, 'x')) FROM patients",
         "SELECT count(COALESCE(name, {name=x})) FROM patients"},
        {"SELECT s.n FROM (SELECT COALESCE(name, 'x') AS n FROM patients) s",
         "SELECT s.n FROM (SELECT COALESCE(name, {name=x}) AS n FROM patients) s"},
        {"SELECT id FROM patients GROUP BY id, COALESCE(ssn, 'x')",
         "SELECT id FROM patients GROUP BY id, COALESCE(ssn, {ssn=x})"},
    });
}

TEST(Choice, AnAssignedWholeIsSealedForItsTarget) {
    expect_sent({
        {"UPDATE patients SET name = CASE WHEN id = 3 THEN 'N3' ELSE name END",
         "UPDATE patients SET name = CASE WHEN id = 3 THEN {name=N3} ELSE name END"},
        {"UPDATE patients SET name = CAST(CASE WHEN id = 3 THEN 'N3' WHEN id = 4 THEN NULL ELSE "
         "name END AS varchar(10))",
         "UPDATE patients SET name = CAST(CASE WHEN id = 3 THEN {name=N3} WHEN id = 4 THEN NULL "
         "ELSE name END AS pg_catalog.bytea)"},
        {"UPDATE patients SET name = CAST(CASE WHEN id = 3 THEN 'longer than ten' END AS "
         "varchar(10))",
         "UPDATE patients SET name = CAST(CASE WHEN id = 3 THEN {name=longer tha} END AS "
         "pg_catalog.bytea)"},
        {"UPDATE patients SET born = CAST(CASE WHEN id = 3 THEN '2020-01-02' ELSE NULL END AS "
         "date)",
         "UPDATE patients SET born = CAST(CASE WHEN id = 3 THEN {born=2020-01-02} ELSE NULL END AS "
         "pg_catalog.bytea)"},
        {"UPDATE patients SET age = CASE WHEN id = 3 THEN 2.5 ELSE 7 END",
         "UPDATE patients SET age = CASE WHEN id = 3 THEN {age=3} ELSE {age=7} END"},
        {"UPDATE patients SET name = COALESCE('ten chars!   ', name)",
         "UPDATE patients SET name = COALESCE({name=ten chars!}, name)"},
        {"INSERT INTO patients (ssn) VALUES (COALESCE(NULL, 'x'))",
         "INSERT INTO patients (ssn) VALUES (COALESCE(NULL, {ssn=x}))"},
    });
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("UPDATE patients SET name = COALESCE('eleven char', name)").substr(0, 6),
        "!22001"
    );
}

TEST(Choice, ResultsAreShownAsPostgresqlTypesThem) {
    const Clinic clinic;
    const auto shown = [&clinic](const std::string& expression) {
        return clinic.results("SELECT " + expression + " FROM patients");
    };
    EXPECT_EQ(shown("COALESCE(name, name)"), "name");
    EXPECT_EQ(shown("COALESCE(NULL, name)"), "name as varchar");
    EXPECT_EQ(shown("CASE WHEN true THEN name END"), "name as varchar");
    EXPECT_EQ(shown("COALESCE(name, 'x')"), "name as varchar");
    EXPECT_EQ(shown("COALESCE('x', name)"), "name as varchar");
    EXPECT_EQ(shown("COALESCE(name, 'x'::varchar(10))"), "name");
    EXPECT_EQ(shown("COALESCE('x'::text, name)"), "name as text");
    EXPECT_EQ(shown("CASE WHEN id = 1 THEN name END"), "name as varchar");
    EXPECT_EQ(shown("CASE WHEN id = 1 THEN name ELSE name END"), "name");
    EXPECT_EQ(shown("CASE WHEN id = 1 THEN name ELSE 'x'::text END"), "name as text");
    EXPECT_EQ(shown("COALESCE(age, 5)"), "age");
    EXPECT_EQ(shown("NULLIF(ssn, 'x')"), "ssn");
    EXPECT_EQ(shown("NULLIF(email, 'x')"), "email as text");
    EXPECT_EQ(shown("name::varchar"), "name as varchar");
    EXPECT_EQ(shown("name::varchar(10)"), "name");
    EXPECT_EQ(shown("name::varchar(12)"), "name as varchar(12)");
    EXPECT_EQ(shown("name::text"), "name as text");
    EXPECT_EQ(shown("note::varchar"), "note as varchar");
}

TEST(Choice, ParametersAreConvertedOnTheirWay) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.parameters("UPDATE patients SET name = COALESCE($1, name)"),
        "1:name assigned 17/1043"
    );
    EXPECT_EQ(clinic.parameters("SELECT COALESCE(age, $1) FROM patients"), "1:age beside 17/23");
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE email = COALESCE($1, 'x')"),
        "1:email compared 17/25"
    );
    EXPECT_EQ(
        clinic.parameters(
            "UPDATE patients SET name = CAST(CASE WHEN id = $2 THEN $1 ELSE name END AS "
            "varchar(10))"
        ),
        "1:name assigned 17/1043 as varchar(10)"
    );
    EXPECT_EQ(
        clinic.parameters("UPDATE patients SET name = $1::varchar(3)"),
        "1:name assigned 17/1043 as varchar(3)"
    );
    EXPECT_EQ(
        clinic.parameters("UPDATE patients SET born = CAST(CASE WHEN id = 1 THEN $1 END AS date)"),
        "1:born assigned 17/25 as date"
    );
}

TEST(Choice, ComparesByTheRuleOfEquality) {
    expect_sent({
        {"SELECT CASE ssn WHEN 'a' THEN 1 WHEN 'b' THEN 2 END FROM patients",
         "SELECT CASE ssn WHEN {ssn=a} THEN 1 WHEN {ssn=b} THEN 2 END FROM patients"},
        {"SELECT NULLIF(ssn, '') FROM patients", "SELECT NULLIF(ssn, {ssn=}) FROM patients"},
    });
    expect_refused({
        "SELECT CASE name WHEN 'a' THEN 1 END FROM patients",
        "SELECT NULLIF(name, '') FROM patients",
        "SELECT CASE 'a' WHEN ssn THEN 1 END FROM patients",
        "SELECT NULLIF('a', ssn) FROM patients",
        "SELECT NULLIF(age, 5.0) FROM patients",
        "SELECT NULLIF(net, '10.0.0.0/8') FROM hosts",
    });
}

TEST(Choice, WhatCannotBeOneValueIsRefused) {
    expect_refused({
        "SELECT COALESCE(name, city) FROM patients",
        "SELECT COALESCE(name, upper('x')) FROM patients",
        "SELECT COALESCE(name, (SELECT 'x')) FROM patients",
        "SELECT CASE WHEN id = 1 THEN name ELSE city END FROM patients",
        "SELECT COALESCE(name, 5) FROM patients",
        "SELECT COALESCE(born, '2020-01-02'::text) FROM patients",
        "SELECT COALESCE(born, now()) FROM patients",
        "SELECT COALESCE(age, 2.5) FROM patients",
        "SELECT COALESCE(price, 1) FROM readings",
        "SELECT COALESCE(code, 'ab') FROM readings",
        "SELECT COALESCE(code, code5) FROM readings",
        "SELECT COALESCE(name, 'longer than ten') FROM patients",
        "SELECT COALESCE(name, 'x') || 'y' FROM patients",
        "SELECT upper(COALESCE(name, 'x')) FROM patients",
        "SELECT 1 FROM patients WHERE COALESCE(name, 'x') = 'x'",
        "SELECT 1 FROM patients ORDER BY COALESCE(ssn, 'x')",
        "SELECT 1 FROM patients WHERE COALESCE(active, true)",
        "SELECT 1 FROM patients WHERE age IN (CASE WHEN id = 1 THEN 1 ELSE 2 END, 3)",
        "SELECT 1 FROM patients WHERE born = COALESCE(NULL, '2020-01-02')",
        "UPDATE patients SET city = COALESCE(name, 'x')",
        "UPDATE patients SET name = CASE WHEN id = 1 THEN city ELSE 'x' END",
        "UPDATE patients SET name = COALESCE(ssn, 'x')",
        "UPDATE patients SET name = CASE WHEN id = 1 THEN NULL END",
        "SELECT name::varchar(9) FROM patients",
        "SELECT name::char(10) FROM patients",
        "SELECT note::varchar(10) FROM patients",
        "SELECT price::numeric(10,2) FROM readings",
        "SELECT paid::timestamp(6) FROM events",
        "SELECT age::int8 FROM patients",
        "SELECT code::text FROM readings",
        "SELECT COALESCE(name, 'x')::date FROM patients",
    });
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("SELECT COALESCE(price, 1.00) FROM readings"),
        "SELECT COALESCE(price, {price=1.00}) FROM \"public\".\"readings\""
    );
    EXPECT_EQ(
        clinic.sent("SELECT COALESCE(code, 'abc') FROM readings"),
        "SELECT COALESCE(code, {code=abc}) FROM \"public\".\"readings\""
    );
}

TEST(Choice, NoConstantLeavesPlainBesideASealedOne) {
    expect_refused({
        "UPDATE patients SET name = COALESCE($1, name) WHERE city = $1",
        "UPDATE patients SET name = COALESCE('secret', name) WHERE city = 'secret'",
    });
}

TEST(Choice, CastsThatChangeNothingStayAsCasts) {
    expect_sent({
        {"SELECT ssn::text FROM patients", "SELECT ssn::pgveil.ciphertext FROM patients"},
        {"SELECT CAST(name AS varchar) FROM patients",
         "SELECT CAST(name AS pg_catalog.bytea) FROM patients"},
        {"SELECT 1 FROM patients WHERE born = '2020-01-02'::text::date",
         "SELECT 1 FROM patients WHERE born = "
         "{born=2020-01-02}::pg_catalog.bytea::pg_catalog.bytea"},
        {"SELECT 1 FROM patients WHERE ssn::text = 'x'",
         "SELECT 1 FROM patients WHERE ssn::pgveil.ciphertext = {ssn=x}"},
    });
}

TEST(Choice, ValuesOfTwoContextsMayBeReturnedOnly) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.results("SELECT COALESCE(p.note, v.diagnosis) FROM patients p, visits v"),
        "note or diagnosis"
    );
    EXPECT_EQ(
        clinic.results("SELECT note FROM patients UNION ALL SELECT diagnosis FROM visits"),
        "note or diagnosis"
    );
    EXPECT_EQ(
        clinic.results("SELECT x FROM (SELECT note AS x FROM patients UNION ALL SELECT ssn FROM "
                       "patients UNION ALL SELECT patient_ssn FROM visits) s WHERE x IS NOT NULL"),
        "note or ssn"
    );
    const std::string both =
        "(SELECT ssn AS x FROM patients UNION ALL SELECT diagnosis FROM "
        "visits) s";
    for (const std::string& sql : std::vector<std::string>{
             "SELECT 1 FROM " + both + " WHERE x = 'a'",
             "SELECT DISTINCT x FROM " + both,
             "SELECT count(DISTINCT x) FROM " + both,
             "SELECT x FROM " + both + " GROUP BY x",
             "SELECT 1 FROM " + both + " JOIN patients p ON p.ssn = x",
             "SELECT 1 FROM " + both + " WHERE x IN (SELECT ssn FROM patients)",
             "SELECT 1 FROM patients WHERE ssn IN (SELECT x FROM " + both + ")",
             "SELECT NULLIF(x, 'a') FROM " + both,
             "INSERT INTO patients (ssn) SELECT x FROM " + both,
             "SELECT ssn FROM patients UNION SELECT diagnosis FROM visits",
             "SELECT born FROM patients UNION ALL SELECT note FROM patients",
         }) {
        EXPECT_TRUE(clinic.sent(sql).starts_with("!0A000")) << sql << "\n" << clinic.sent(sql);
    }
}

TEST(Choice, ColumnsOfValuesAreSealedAsAWhole) {
    expect_sent({
        {"INSERT INTO patients (name, ssn) SELECT p0::VARCHAR, p1 FROM (VALUES ('a'::VARCHAR, "
         "'b', 0), (NULL, 'c', 1)) AS s(p0, p1, n) ORDER BY n RETURNING id",
         "INSERT INTO patients (name, ssn) SELECT p0::pg_catalog.bytea, p1 FROM (VALUES "
         "({name=a}::pg_catalog.bytea, {ssn=b}, 0), (NULL, {ssn=c}, 1)) AS s(p0, p1, n) ORDER BY n "
         "RETURNING id"},
        {"UPDATE patients SET ssn = v.x FROM (VALUES (1, 'a'), (2, 'b')) AS v(id, x) WHERE "
         "patients.id = v.id",
         "UPDATE patients SET ssn = v.x FROM (VALUES (1, {ssn=a}), (2, {ssn=b})) AS v(id, x) WHERE "
         "patients.id = v.id"},
        {"SELECT v.id FROM patients JOIN (VALUES (1, 'a')) v(id, x) ON ssn = v.x",
         "SELECT v.id FROM patients JOIN (VALUES (1, {ssn=a})) v(id, x) ON ssn = v.x"},
        {"SELECT 1 FROM patients WHERE ssn IN (VALUES ('a'), ('b'))",
         "SELECT 1 FROM patients WHERE ssn IN (VALUES ({ssn=a}), ({ssn=b}))"},
    });
    const Clinic clinic;
    EXPECT_EQ(
        clinic.parameters(
            "INSERT INTO patients (name, age) SELECT p0::VARCHAR, p1::INTEGER FROM (VALUES "
            "($1::VARCHAR, $2::INTEGER, 0), ($3::VARCHAR, $4::INTEGER, 1)) AS s(p0, p1, n) ORDER "
            "BY n RETURNING id"
        ),
        "1:name assigned 17/1043,2:age assigned 17/23,3:name assigned 17/1043,4:age assigned 17/23"
    );
    const std::string values = "(VALUES (1, 'aa'), (2, 'bb')) AS v(id, x)";
    for (const std::string& sql : std::vector<std::string>{
             "SELECT v.x FROM patients JOIN " + values + " ON ssn = v.x",
             "SELECT v.* FROM patients JOIN " + values + " ON ssn = v.x",
             "SELECT v FROM patients JOIN " + values + " ON ssn = v.x",
             "SELECT count(v.*) FROM patients JOIN " + values + " ON ssn = v.x",
             "SELECT 1 FROM patients JOIN " + values + " ON ssn = v.x ORDER BY v.x",
             "SELECT 1 FROM patients JOIN " + values + " ON ssn = v.x AND v.x = city",
             "SELECT 1 FROM patients JOIN " + values + " ON ssn = v.x AND email = v.x",
             "SELECT 1 FROM patients JOIN " + values + " USING (id) WHERE ssn = x AND x <> 'c'",
             "SELECT 1 FROM patients, notes JOIN (VALUES ('a')) v(title) USING (title) WHERE "
             "patients.ssn = v.title",
             "INSERT INTO patients (ssn) SELECT x FROM " + values + " ORDER BY x",
             "INSERT INTO patients (ssn) SELECT x FROM " + values + " ORDER BY 1",
             "INSERT INTO patients (ssn) SELECT DISTINCT x FROM " + values,
             "INSERT INTO patients (ssn, city) SELECT x, x FROM " + values,
             "INSERT INTO patients (ssn) SELECT x FROM " + values + " GROUP BY x",
             "INSERT INTO patients (ssn) SELECT x FROM (SELECT x FROM " + values + ") w",
             "INSERT INTO patients (ssn) SELECT upper(x) FROM " + values,
             "INSERT INTO patients (ssn) SELECT COALESCE(x, 'y') FROM " + values,
             "SELECT 1 FROM patients JOIN (VALUES (upper('a'))) v(x) ON ssn = v.x",
             "SELECT 1 FROM patients, LATERAL (VALUES (ssn)) v(x)",
         }) {
        EXPECT_TRUE(clinic.sent(sql).starts_with("!0A000")) << sql << "\n" << clinic.sent(sql);
    }
}

TEST(Arrays, ElementsAreSealed) {
    expect_sent({
        {"SELECT 1 FROM patients WHERE ssn = ANY ('{a,\"b,c\",NULL}')",
         "SELECT 1 FROM patients WHERE ssn = ANY "
         "(ARRAY[{ssn=a},{ssn=b,c},NULL]::pg_catalog.bytea[])"},
        {"SELECT 1 FROM patients WHERE ssn <> ALL ('{}'::text[])",
         "SELECT 1 FROM patients WHERE ssn <> ALL "
         "(ARRAY[]::pg_catalog.bytea[]::pg_catalog.bytea[])"},
        {"SELECT 1 FROM patients WHERE ssn = ANY (ARRAY['a', NULL, 'b'])",
         "SELECT 1 FROM patients WHERE ssn = ANY (ARRAY[{ssn=a}, NULL, {ssn=b}])"},
        {"SELECT 1 FROM patients WHERE email = ANY (ARRAY['abc', 'd']::varchar(2)[])",
         "SELECT 1 FROM patients WHERE email = ANY (ARRAY[{email=ab}, "
         "{email=d}]::pg_catalog.bytea[])"},
        {"SELECT 1 FROM patients WHERE email = ANY ('{abc,d}'::varchar(2)[])",
         "SELECT 1 FROM patients WHERE email = ANY "
         "(ARRAY[{email=ab},{email=d}]::pg_catalog.bytea[]::pg_catalog.bytea[])"},
        {"SELECT 1 FROM patients WHERE age = ANY (ARRAY[1, 2::int8])",
         "SELECT 1 FROM patients WHERE age = ANY (ARRAY[{age=1}, {age=2}::pg_catalog.bytea])"},
        {"SELECT 1 FROM patients WHERE ssn = ANY (NULL::text[])",
         "SELECT 1 FROM patients WHERE ssn = ANY (NULL::pg_catalog.bytea[])"},
        {"SELECT 1 FROM patients WHERE ssn = ANY ($1::text[])",
         "SELECT 1 FROM patients WHERE ssn = ANY ($1::pg_catalog.bytea[])"},
        {"SELECT 1 FROM patients WHERE city = ANY ('{a}')",
         "SELECT 1 FROM patients WHERE city = ANY ('{a}')"},
    });
}

TEST(Arrays, ParametersAreArraysOfEnvelopes) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE email = ANY ($1)"),
        "1:email compared 1001/1009 array"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE email = ANY ($1)", {1015}),
        "1:email compared 1001/1015 array"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE born <> ALL ($1)"),
        "1:born compared 1001/1182 array"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE age = ANY ($1::int8[])"),
        "1:age compared 1001/1016 array"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE ssn = ANY (ARRAY[$1, $2])"),
        "1:ssn compared 17/25,2:ssn compared 17/25"
    );
}

TEST(Arrays, WhatIsNoListOfConstantsIsRefused) {
    expect_refused({
        "SELECT 1 FROM patients WHERE name = ANY ('{a}')",
        "SELECT 1 FROM patients WHERE ssn = ANY ('{{a},{b}}')",
        "SELECT 1 FROM patients WHERE ssn = ANY ('[2:3]={a,b}')",
        "SELECT 1 FROM patients WHERE ssn = ANY (string_to_array('a,b', ','))",
        "SELECT 1 FROM patients WHERE ssn = ANY (ARRAY['a', city])",
        "SELECT 1 FROM patients WHERE ssn = ANY (ARRAY[ssn, 'a'])",
        "SELECT 1 FROM patients WHERE ssn = ANY (ARRAY[ARRAY['a']])",
        "SELECT 1 FROM patients WHERE ssn < ANY ('{a}')",
        "SELECT 1 FROM patients WHERE ssn LIKE ANY ('{a}')",
        "SELECT 1 FROM patients WHERE ssn OPERATOR(pg_catalog.=) ANY ('{a}')",
        "SELECT 1 FROM patients WHERE age = ANY (ARRAY[1, 2.5])",
        "SELECT 1 FROM patients WHERE born = ANY ('{2020-01-01}'::text[])",
        "SELECT 1 FROM patients WHERE ssn = ANY ('{1}'::json[])",
        "SELECT 1 FROM patients WHERE 'a' = ANY (ARRAY[ssn])",
        "SELECT 1 FROM patients WHERE ssn = ANY ($1) AND city = ANY ($1)",
        "SELECT 1 FROM patients WHERE ssn = ANY ($1) AND ssn = $1",
        "SELECT 1 FROM patients WHERE ssn = ANY ('{secret}') AND city = ANY ('{secret}')",
        "SELECT 1 FROM patients WHERE ssn = ANY ('{secret,b}') AND city = 'secret'",
    });
    const Clinic clinic;
    EXPECT_EQ(clinic.sent("SELECT 1 FROM patients WHERE ssn = ANY ('{a')").substr(0, 6), "!22P02");
    EXPECT_TRUE(
        clinic.parameters("SELECT 1 FROM patients WHERE ssn = ANY ($1)", {25}).starts_with("!0A000")
    );
}

}  // namespace
}  // namespace pgveil::analysis::test
