#include "test/sql/analysis/fixture.hpp"

// What a statement needs of a parameter that it uses more than once.
namespace pgveil::analysis::test {
namespace {

constexpr std::uint32_t kTextOid = 25;
constexpr std::uint32_t kInt4Oid = 23;

TEST(Parameters, WithTwoNeedsLeaveTwice) {
    const Clinic clinic;
    const std::string two_contexts = "SELECT 1 FROM patients WHERE email = $1 OR ssn = $1";
    EXPECT_EQ(
        clinic.parameters(two_contexts), "1:email compared 17/25,2 from 1:ssn compared 17/25"
    );
    EXPECT_EQ(
        clinic.sent(two_contexts),
        "SELECT 1 FROM \"public\".\"patients\" WHERE email = $1 OR ssn = $2"
    );
    EXPECT_EQ(
        clinic.sent("SELECT 1 FROM patients WHERE ssn = $2 AND email IN ($2, $1::text, $2)"),
        "SELECT 1 FROM \"public\".\"patients\" WHERE ssn = $2 AND email IN ($3, "
        "$1::pg_catalog.bytea, $3)"
    );
    EXPECT_EQ(
        clinic.parameters("UPDATE patients SET name = $1, note = $1, ssn = $1", {kTextOid}),
        "1:name assigned 17/25,2 from 1:note assigned 17/25,3 from 1:ssn assigned 17/25"
    );
}

TEST(Parameters, HaveTheTypeOfTheirFirstUse) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.parameters("UPDATE patients SET name = COALESCE($1, name), note = $1"),
        "1:name assigned 17/1043,2 from 1:note assigned 17/1043"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE ssn = ANY ($1) AND email = ANY ($1)"),
        "1:ssn compared 1001/1009 array,2 from 1:email compared 1001/1009 array"
    );
    EXPECT_EQ(
        clinic.parameters("UPDATE patients SET email = $1 WHERE email = $1"),
        "1:email compared 17/25,2 from 1:email assigned 17/25"
    ) << "WHERE is read before SET";
    EXPECT_EQ(
        clinic.parameters("SELECT $1::text = note FROM patients WHERE ssn = $1").substr(0, 6),
        "!0A000"
    ) << "note cannot be compared";
    EXPECT_EQ(
        clinic.parameters("INSERT INTO patients (name, email) VALUES ($1, 'x'), ('y', $1)"),
        "1:name assigned 17/1043,2 from 1:email assigned 17/1043"
    );
}

TEST(Parameters, OfTwoTypesInOneListAreAnError) {
    const Clinic clinic;
    const std::string error = "!42P08 inconsistent types deduced for parameter $1";
    EXPECT_EQ(clinic.parameters("INSERT INTO patients (name, note) VALUES ($1, $1)"), error);
    EXPECT_EQ(clinic.parameters("INSERT INTO patients (name, note) SELECT $1, $1"), error);
    EXPECT_EQ(clinic.parameters("UPDATE patients SET name = $1, note = $1"), error);
    EXPECT_EQ(
        clinic.parameters("UPDATE patients SET name = $1, note = $1", {kTextOid}).substr(0, 1), "1"
    ) << "its type is declared";
}

TEST(Parameters, InAListOfSeveralHaveTheColumnsType) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE email IN ($1, $2)"),
        "1:email compared 17/1043,2:email compared 17/1043"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE email NOT IN ($1, 'x')"),
        "1:email compared 17/1043"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE email IN ($1)"), "1:email compared 17/25"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE email IN ($1, $2::text)"),
        "1:email compared 17/1043,2:email compared 17/25"
    );
}

TEST(Parameters, UnderIsNullHaveNoType) {
    const Clinic clinic;
    const std::string undeclared = "1:ssn compared 0/25";  // the server says that it has no type
    EXPECT_EQ(clinic.parameters("SELECT 1 FROM patients WHERE $1 IS NULL OR ssn = $1"), undeclared);
    EXPECT_EQ(clinic.parameters("SELECT $1 IS NULL FROM patients WHERE ssn = $1"), undeclared);
    for (const std::string& sql : std::vector<std::string>{
             "SELECT 1 FROM patients WHERE ssn = $1 OR $1 IS NULL",
             "SELECT 1 FROM patients WHERE $1::text IS NULL OR ssn = $1",
             "UPDATE patients SET active = CASE WHEN $1 IS NULL THEN true END WHERE ssn = $1",
         }) {
        EXPECT_EQ(clinic.parameters(sql), "1:ssn compared 17/25") << sql;
    }
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE $1 IS NULL OR ssn = $1", {kTextOid}),
        "1:ssn compared 17/25"
    );
}

TEST(Parameters, ThatAreOnlyTestedForNullStay) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE $1 IS NULL OR ssn = $2", {kTextOid}),
        "1:- plain 17/25,2:ssn compared 17/25"
    );
    const std::string cast = "SELECT 1 FROM patients WHERE CAST($1 AS int4) IS NULL OR ssn = $2";
    EXPECT_EQ(clinic.parameters(cast), "1:- plain 17/23,2:ssn compared 17/25");
    EXPECT_EQ(
        clinic.sent(cast),
        "SELECT 1 FROM \"public\".\"patients\" WHERE CAST($1 AS pg_catalog.bytea) IS NULL OR "
        "ssn = $2"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE $1 IS NULL OR ssn = $2"),
        "1:- plain 0/0,2:ssn compared 17/25"
    ) << "the server says that it has no type";
    EXPECT_EQ(clinic.parameters("SELECT 1 FROM notes WHERE $1 IS NULL", {kInt4Oid}), "");
}

TEST(Parameters, ThatAreTestedForNullNeverLeaveBesideSealedValues) {
    constexpr std::uint32_t kNameOid = 19;
    const Clinic clinic;
    const std::string refused =
        "!0A000 parameter $1: IS NULL of a parameter of this type beside encrypted values";
    const std::string two = "SELECT 1 FROM patients WHERE $1 IS NULL OR ssn = $2";
    for (const std::uint32_t oid : {kNameOid, 2249U, 2278U, 3615U}) {
        EXPECT_EQ(clinic.parameters(two, {oid, kTextOid}), refused) << oid;
    }
    for (const std::string_view test : {
             "$1::name IS NULL",
             "$1::short IS NOT NULL",
             "$1::text::name IS NULL",
             "$1::text::int4 IS NULL OR $1::date IS NULL",
         }) {
        EXPECT_EQ(
            clinic.parameters("SELECT 1 FROM patients WHERE " + std::string(test) + " OR ssn = $2"),
            refused
        ) << test;
    }
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE $1::name IS NULL OR ssn = 'x'"), refused
    );
    EXPECT_EQ(clinic.parameters("SELECT ssn FROM patients WHERE $1::name IS NULL"), "")
        << "nothing is sealed";
    for (const std::string_view test : {
             "$1::varchar::text IS NULL",
             "$1::text IS NULL OR $1::varchar(3) IS NULL",
             "$1::varchar IS NULL OR $1::text::text IS NULL",
         }) {
        const std::string came =
            clinic.parameters("SELECT 1 FROM patients WHERE " + std::string(test) + " OR ssn = $2");
        EXPECT_TRUE(came.starts_with("1:- plain 17/")) << test << "\n" << came;
    }
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE $1::text::date IS NULL OR ssn = $2"),
        "1:- plain 17/25 as text as date,2:ssn compared 17/25"
    );
}

TEST(Parameters, ThatAreTestedAndComparedAreCheckedAsTheServerWould) {
    const Clinic clinic;
    for (const std::string_view test :
         {"$1::int4 IS NULL", "$1::short IS NULL", "$1::name IS NULL"}) {
        const std::string sql =
            "SELECT 1 FROM patients WHERE " + std::string(test) + " OR ssn = $1";
        EXPECT_EQ(clinic.parameters(sql, {kTextOid}).substr(0, 7), "!0A000 ") << test;
        EXPECT_EQ(clinic.parameters(sql).substr(0, 7), "!0A000 ") << test;
    }
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM patients WHERE $1::int8 IS NULL OR age = $1", {kInt4Oid}),
        "1:age compared 17/23"
    );
}

TEST(Parameters, OfTypeTextMakeNoTextOfACharUnderNullIf) {
    const Clinic clinic;
    const std::string sql = "SELECT NULLIF(code, $1) FROM readings";
    EXPECT_EQ(clinic.parameters(sql, {kTextOid}).substr(0, 7), "!0A000 ");
    EXPECT_EQ(clinic.parameters(sql).substr(0, 1), "1");
    EXPECT_EQ(clinic.parameters(sql, {1042}).substr(0, 1), "1");
}

TEST(Parameters, OfPrepareAreNotTestedForNullAlone) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("PREPARE q (text, text) AS SELECT 1 FROM patients WHERE $1 IS NULL OR ssn = $2"
        ),
        "!0A000 parameter $1: IS NULL in PREPARE of a parameter that stands nowhere else"
    );
    for (const std::string_view sql : {
             "PREPARE q (name) AS SELECT 1 FROM patients WHERE $1 IS NULL OR ssn = $1",
             "PREPARE q (short) AS SELECT 1 FROM patients WHERE $1 IS NULL OR ssn = $1",
             "PREPARE q AS SELECT 1 FROM patients WHERE $1::short = ssn",
         }) {
        EXPECT_EQ(clinic.sent(sql).substr(0, 7), "!0A000 ") << sql;
    }
    EXPECT_EQ(
        clinic.sent("PREPARE q (text) AS SELECT 1 FROM patients WHERE $1 IS NULL OR ssn = $1"),
        "PREPARE q (pg_catalog.bytea) AS SELECT 1 FROM \"public\".\"patients\" WHERE $1 IS NULL OR "
        "ssn = $1"
    );
}

TEST(Parameters, InAnUnprotectedPlaceLeaveTwiceWherePolicyCounts) {
    Clinic clinic;
    const std::string sql = "SELECT 1 FROM patients WHERE ssn = $1 AND city = $1";
    EXPECT_EQ(
        clinic.parameters(sql, {kTextOid}),
        "!0A000 public.patients.ssn: parameter $1 in an unprotected place, too"
    );
    clinic.count_repeated_values();
    EXPECT_EQ(clinic.parameters(sql, {kTextOid}), "2 from 1:ssn compared 17/25");
    clinic.parameter_oids = {kTextOid};
    EXPECT_EQ(
        clinic.sent(sql), "SELECT 1 FROM \"public\".\"patients\" WHERE ssn = $2 AND city = $1"
    );
    EXPECT_EQ(clinic.parameters(sql).substr(0, 6), "!0A000") << "its type is the server's affair";
}

TEST(Parameters, ConstantsInTwoPlacesAreCounted) {
    Clinic clinic;
    const std::string sql = "UPDATE patients SET ssn = 'secret', city = 'secret'";
    EXPECT_EQ(
        clinic.sent(sql),
        "!0A000 public.patients.ssn: the same constant in an unprotected place, too"
    );
    clinic.count_repeated_values();
    const Decision decision = clinic.decide(sql);
    const auto* const plan = std::get_if<StatementPlan>(&decision);
    ASSERT_NE(plan, nullptr);
    ASSERT_EQ(plan->repeated.size(), 1U);
    EXPECT_EQ(plan->repeated.front()->name, "ssn");
    EXPECT_EQ(plan->open_texts.size(), 1U);
}

TEST(Parameters, OfPrepareKeepTheirNumbers) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("PREPARE p (text) AS SELECT 1 FROM patients WHERE email = $1 OR ssn = $1"),
        "!0A000 public.patients.ssn: parameter $1 used for two different needs"
    );
}

}  // namespace
}  // namespace pgveil::analysis::test
