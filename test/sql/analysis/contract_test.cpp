#include "sql/parse/expression.hpp"
#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

// Sentences of docs/SQL.md that no other file here goes through.
namespace pgveil::analysis::test {
namespace {

std::string documentation() {
    std::ifstream file(PGVEIL_SOURCE "/docs/SQL.md", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// 16384 is "16 384".
std::string spaced(std::size_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3; at -= 3) {
        text.insert(at - 3, " ");
    }
    return text;
}

TEST(Contract, TheLimitsAreThoseOfTheDocumentation) {
    const Limits limits;
    const std::string sentence =
        "Nesting " + spaced(parse::kDepthMax) + ", " + spaced(parse::kNodesMax) +
        " terms, `statement_tokens` words and signs (" + spaced(limits.tokens) +
        "), `statement_bytes` of text (" + spaced(limits.text_bytes >> 20U) + " MiB), " +
        spaced(limits.statements) + " statements, " + spaced(limits.literal_bytes >> 10U) +
        " KiB of constants for protected columns, " + spaced(limits.lookups) + " names per look-up";
    EXPECT_NE(documentation().find(sentence), std::string::npos) << sentence;
}

TEST(Contract, TwentyThousandColumnsMayBeVisible) {
    Clinic clinic;
    catalog::Relation wide;
    wide.oid = 30'000;
    wide.schema = "public";
    wide.name = "wide";
    wide.columns.resize(1'000);
    for (std::size_t i = 0; i < wide.columns.size(); ++i) {
        wide.columns[i].name = "c" + std::to_string(i);
    }
    clinic.add(wide);
    const auto sent = [&clinic](std::size_t times) {
        std::string sql = "SELECT 1 FROM patients";
        for (std::size_t i = 0; i < times; ++i) {
            sql += ", wide AS w" + std::to_string(i);
        }
        return clinic.sent(sql).substr(0, 6);
    };
    EXPECT_EQ(sent(19), "SELECT");
    EXPECT_EQ(sent(20), "!54001");
}

TEST(TypedNull, IsTakenWhereAValueOfItsTypeCouldBe) {
    const Clinic clinic;
    for (const std::string_view sql :
         {"UPDATE public.patients SET age = NULL::int8, note = NULL::int4, born = NULL::timestamp",
          "UPDATE public.patients SET name = COALESCE(name, NULL::text)",
          "INSERT INTO public.patients (id, name) VALUES (1, CAST(NULL AS varchar(3)))",
          "SELECT 1 FROM public.patients WHERE age = NULL::int2 OR ssn = NULL::varchar",
          "SELECT 1 FROM public.patients WHERE age = ANY (NULL::int8[])"}) {
        EXPECT_EQ(clinic.sent(sql).substr(0, 1), std::string(sql.substr(0, 1))) << clinic.sent(sql);
    }
}

TEST(TypedNull, IsRefusedWherePostgresHasNoOperatorOrCast) {
    const Clinic clinic;
    const std::string select = "SELECT 1 FROM patients WHERE ";
    for (const std::string& sql :
         {std::string("UPDATE patients SET age = NULL::text"),
          std::string("UPDATE patients SET (age, note) = (NULL::text, 'x')"),
          std::string("INSERT INTO patients (id, age) VALUES (1, 5), (2, NULL::text)"),
          std::string("INSERT INTO patients (id, age) SELECT 1, NULL::text"),
          select + "age = NULL::text",
          select + "age = NULL::int4::text",
          select + "age IS DISTINCT FROM NULL::text",
          select + "age IN (NULL::text, 5)",
          select + "age = ANY (NULL::text[])",
          select + "(age, id) = (NULL::text, 1)",
          select + "CASE age WHEN NULL::text THEN true END"}) {
        EXPECT_EQ(clinic.sent(sql), "!0A000 public.patients.age: NULL of type text") << sql;
    }
    EXPECT_EQ(
        clinic.sent(select + "ssn = NULL::point"), "!0A000 public.patients.ssn: NULL of type point"
    );
}

TEST(Names, OfAConstantInTheFirstQueryOfASetOperationStay) {
    const Clinic clinic;
    const std::string rest = " UNION ALL SELECT ssn FROM public.patients";
    for (const auto& [first, sent] : std::vector<std::pair<std::string, std::string>>{
             {"SELECT 'x'", "SELECT {ssn=x} AS \"?column?\""},
             {"SELECT 1, 'x' FROM notes", "SELECT 1, {ssn=x} AS \"?column?\" FROM notes"},
             {"SELECT 'x'::text", "SELECT {ssn=x}::pg_catalog.bytea AS \"text\""},
             {"SELECT text 'x'", "SELECT {ssn=x} AS \"text\""},
             {"SELECT CAST(CASE WHEN true THEN 'x' END AS text)",
              "SELECT CAST(CASE WHEN true THEN {ssn=x} END AS pg_catalog.bytea) AS \"text\""},
             {"SELECT ('x')", "SELECT ({ssn=x}) AS \"?column?\""},
             {"SELECT CAST('x' AS text)", "SELECT CAST({ssn=x} AS pg_catalog.bytea) AS \"text\""},
             {"SELECT $1::varchar", "SELECT $1::pg_catalog.bytea AS \"varchar\""},
             {"SELECT 'x' AS a", "SELECT {ssn=x} AS a"},
             {"SELECT COALESCE(NULL, 'x')", "SELECT COALESCE(NULL, {ssn=x})"},
             {"SELECT 'x' WHERE 1 IS DISTINCT FROM 2",
              "SELECT {ssn=x} AS \"?column?\" WHERE 1 IS DISTINCT FROM 2"},
             {"SELECT NULL", "SELECT NULL"},
             {"SELECT $1", "SELECT $1"},
             {"VALUES ('x')", "VALUES ({ssn=x})"}}) {
        const bool has_two = first.find("1, ") != std::string::npos;
        const std::string behind =
            has_two ? " UNION ALL SELECT id, ssn FROM public.patients" : rest;
        EXPECT_EQ(clinic.sent(first + behind), sent + behind);
    }
}

TEST(Names, OfUsingAndAliasesAreCheckedAsInPostgres) {
    const Clinic clinic;
    const Decision decision = clinic.decide("SELECT 1 FROM patients JOIN visits USING (nope)");
    const auto* const rejection = std::get_if<Rejection>(&decision);
    ASSERT_NE(rejection, nullptr);
    EXPECT_EQ(rejection->sqlstate, "42703");
    EXPECT_EQ(rejection->position, -1) << "PostgreSQL gives none";
    EXPECT_EQ(
        clinic.sent("SELECT day FROM visits v (a, b, c, d, e, f)"),
        "!42P10 table \"v\" has 5 columns available but 6 columns specified"
    );
    EXPECT_EQ(
        clinic.sent("SELECT 1 FROM (SELECT ssn, id FROM patients) s (a, b, c)"),
        "!42P10 table \"s\" has 2 columns available but 3 columns specified"
    );
    EXPECT_EQ(
        clinic.sent("SELECT s.b FROM (SELECT ssn, id FROM public.patients) s (a)"),
        "!42703 column s.b does not exist"
    );
}

}  // namespace
}  // namespace pgveil::analysis::test
