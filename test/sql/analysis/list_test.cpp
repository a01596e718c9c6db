#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Constants in set operations, GREATEST, rows beside sub-queries, and further clauses of FROM.
namespace pgveil::analysis::test {
namespace {

void expect_sent(const std::vector<std::pair<std::string_view, std::string_view>>& cases) {
    const Clinic clinic;
    for (const auto& [user, server] : cases) {
        EXPECT_EQ(clinic.sent(user), server);
    }
}

void expect_refused(std::initializer_list<std::string_view> cases) {
    for (const std::string_view sql : cases) {
        const std::string sent = Clinic().sent(sql);
        EXPECT_EQ(sent.substr(0, 6), "!0A000") << sql << " gave " << sent;
    }
}

TEST(Lists, ConstantsOfUnionAllAreSealedForWhatTheyAreAssignedTo) {
    expect_sent({
        {"INSERT INTO public.patients (id, ssn) SELECT 1, 'a' ON CONFLICT DO NOTHING RETURNING id",
         "INSERT INTO public.patients (id, ssn) SELECT 1, {ssn=a} AS \"?column?\" ON CONFLICT DO "
         "NOTHING RETURNING id"},
        {"INSERT INTO public.patients (id, ssn) SELECT 1, 'a' RETURNING id",
         "INSERT INTO public.patients (id, ssn) SELECT 1, {ssn=a} AS \"?column?\" RETURNING id"},
        {"INSERT INTO public.patients (ssn) SELECT 'a' UNION ALL SELECT 'b'",
         "INSERT INTO public.patients (ssn) SELECT {ssn=a} AS \"?column?\" "
         "UNION ALL SELECT {ssn=b} AS \"?column?\""},
        {"INSERT INTO public.patients (id, name) (SELECT 1, 'a' UNION ALL VALUES (2, 'b')) UNION "
         "ALL SELECT id, title FROM notes WHERE false",
         "!0A000 public.patients.name: assignment of an expression"},
        {"INSERT INTO public.patients (id, name) (SELECT 1, 'a' UNION ALL VALUES (2, 'b')) UNION "
         "ALL SELECT id, 'c' FROM notes ORDER BY 1",
         "!0A000 public.patients.name: assignment of an expression"},
        {"INSERT INTO public.patients (id, name) (SELECT 1 AS n, 'a' UNION ALL VALUES (2, 'b')) "
         "UNION ALL SELECT id, 'c' FROM notes ORDER BY n",
         "!0A000 public.patients.name: assignment of an expression"},
        {"INSERT INTO public.patients (id, name) (SELECT 1 AS n, 'a' UNION ALL VALUES (2, 'b')) "
         "UNION ALL SELECT id, NULL FROM notes",
         "INSERT INTO public.patients (id, name) (SELECT 1 AS n, {name=a} AS \"?column?\" UNION "
         "ALL VALUES (2, "
         "{name=b})) UNION ALL SELECT id, NULL FROM notes"},
        {"INSERT INTO public.patients (age) SELECT 1 UNION ALL SELECT 2",
         "INSERT INTO public.patients (age) SELECT {age=1} AS \"?column?\" "
         "UNION ALL SELECT {age=2} AS \"?column?\""},
    });
    EXPECT_EQ(
        Clinic().parameters("INSERT INTO patients (email) SELECT $1 UNION ALL SELECT $2"),
        "1:email assigned 17/25,2:email assigned 17/25"
    );
    expect_refused({
        "INSERT INTO patients (ssn) SELECT 'a' UNION SELECT 'b'",
        "INSERT INTO patients (ssn) (SELECT DISTINCT 'a') UNION ALL SELECT 'b'",
        "INSERT INTO patients (ssn) (SELECT 'a' AS x ORDER BY x LIMIT 1) UNION ALL SELECT 'b'",
        "INSERT INTO patients (ssn) SELECT 'a' AS x UNION ALL SELECT 'b' ORDER BY x",
        "INSERT INTO patients (ssn) (SELECT 'a' EXCEPT SELECT 'c') UNION ALL SELECT 'b'",
        "INSERT INTO patients (born) SELECT '2020-01-02' UNION ALL SELECT '2020-01-03'",
    });
}

TEST(Lists, ConstantsBesideAColumnInASetOperation) {
    expect_sent({
        {"SELECT name FROM public.patients UNION ALL SELECT 'total'",
         "SELECT name FROM public.patients UNION ALL SELECT {name=total} AS \"?column?\""},
        {"SELECT 'a' UNION SELECT ssn FROM public.patients",
         "SELECT {ssn=a} AS \"?column?\" UNION SELECT ssn FROM public.patients"},
        {"SELECT age FROM public.patients EXCEPT SELECT 5",
         "SELECT age FROM public.patients EXCEPT SELECT {age=5} AS \"?column?\""},
        {"SELECT NULL UNION ALL SELECT name FROM public.patients",
         "SELECT NULL UNION ALL SELECT name FROM public.patients"},
    });
    const Clinic clinic;
    EXPECT_EQ(clinic.results("SELECT name FROM patients UNION ALL SELECT 'x'"), "name as varchar");
    EXPECT_EQ(
        clinic.results("SELECT note FROM patients UNION ALL SELECT name FROM patients"),
        "note or name"
    );
    EXPECT_EQ(
        clinic.results("SELECT name FROM patients UNION ALL SELECT note FROM patients"),
        "name or note as varchar"
    );
    expect_refused({
        "SELECT name FROM patients UNION SELECT 'x'",
        "SELECT name FROM patients UNION ALL SELECT 5",
        "SELECT name FROM patients UNION ALL SELECT title FROM notes",
        "SELECT born FROM patients UNION ALL (SELECT '2020-01-02' UNION ALL SELECT '2020-01-03')",
        "SELECT name FROM patients UNION ALL SELECT 'longer than ten'",
        "WITH RECURSIVE r AS (SELECT ssn FROM patients UNION ALL SELECT 'x' FROM r) SELECT 1",
        "SELECT note FROM patients UNION SELECT name FROM patients",
    });
}

TEST(Lists, ConstantsInAQueryThatSetsSeveralColumns) {
    expect_sent({
        {"UPDATE public.patients SET (name, ssn) = (SELECT 'x', ssn)",
         "UPDATE public.patients SET (name, ssn) = (SELECT {name=x} AS \"?column?\", ssn)"},
        {"UPDATE public.patients SET (age, city) = (SELECT 5, title FROM notes LIMIT 1)",
         "UPDATE public.patients SET (age, city) = (SELECT {age=5} AS \"?column?\", title "
         "FROM notes LIMIT 1)"},
    });
    EXPECT_EQ(
        Clinic().parameters("UPDATE patients SET (email, city) = (SELECT $1, 'x')"),
        "1:email assigned 17/25"
    );
    expect_refused({
        "UPDATE patients SET (born, city) = (SELECT '2020-01-02', 'x')",
        "UPDATE patients SET (name, city) = (SELECT DISTINCT 'x', title FROM notes)",
        "UPDATE patients SET (name, city) = (SELECT 'x', 'y' UNION SELECT 'z', 'y')",
    });
}

TEST(Lists, GreatestAndLeastNeedOrder) {
    expect_sent({
        {"SELECT GREATEST(day, due, '2020-01-02', NULL) FROM public.events",
         "SELECT GREATEST(day, due, {day=2020-01-02}, NULL) FROM public.events"},
        {"SELECT 1 FROM public.events WHERE LEAST(rank, 5) < 3",
         "SELECT 1 FROM public.events WHERE LEAST(rank, {rank=5}) < {rank=3}"},
        {"UPDATE public.events SET rank = GREATEST(rank, 5)",
         "UPDATE public.events SET rank = GREATEST(rank, {rank=5})"},
        {"SELECT GREATEST('a', 'b') FROM public.events",
         "SELECT GREATEST('a', 'b') FROM public.events"},
    });
    const Clinic clinic;
    EXPECT_EQ(clinic.results("SELECT GREATEST(title, 'x') FROM events"), "title as varchar");
    EXPECT_EQ(clinic.results("SELECT LEAST(title, title) FROM events"), "title");
    EXPECT_EQ(clinic.parameters("SELECT LEAST(rank, $1) FROM events"), "1:rank beside 17/23");
    expect_refused({
        "SELECT GREATEST(ssn, 'x') FROM patients",
        "SELECT LEAST('x', name) FROM patients",
        "SELECT GREATEST(day, paid) FROM events",
        "SELECT GREATEST(rank, id) FROM events",
        "SELECT GREATEST(rank, 2.5) FROM events",
        "SELECT GREATEST(title, 'x') FROM tales",
        "SELECT 1 FROM events WHERE rank = GREATEST(1, 2)",
        "UPDATE events SET rank = GREATEST(1, 2)",
        "SELECT GREATEST(CASE WHEN true THEN ssn END, 'x') FROM patients",
    });
}

TEST(Lists, TextAndVarcharInOneChoice) {
    const Clinic clinic;
    EXPECT_EQ(clinic.results("SELECT COALESCE(note, name) FROM patients"), "note or name");
    EXPECT_EQ(
        clinic.results("SELECT COALESCE(name, note) FROM patients"), "name or note as varchar"
    );
    EXPECT_EQ(clinic.results("SELECT COALESCE(ssn, email, 'x') FROM patients"), "ssn or email");
    expect_refused({
        "SELECT 1 FROM patients WHERE COALESCE(ssn, email) = 'x'",
        "UPDATE patients SET note = COALESCE(note, name)",
        "SELECT COALESCE(code, name) FROM readings, patients",
    });
}

TEST(Lists, RowsBesideSubQueries) {
    expect_sent({
        {"SELECT 1 FROM public.patients WHERE (ssn, id) IN (SELECT patient_ssn, id FROM "
         "public.visits)",
         "SELECT 1 FROM public.patients WHERE (ssn, id) IN (SELECT patient_ssn, id FROM "
         "public.visits)"},
        {"SELECT 1 FROM notes WHERE ('x', id) NOT IN (SELECT ssn, id FROM public.patients)",
         "SELECT 1 FROM notes WHERE ({ssn=x}, id) NOT IN (SELECT ssn, id FROM public.patients)"},
        {"SELECT 1 FROM public.events WHERE (rank, id) > (SELECT rank, id FROM public.events LIMIT "
         "1)",
         "SELECT 1 FROM public.events WHERE (rank, id) > (SELECT rank, id FROM public.events LIMIT "
         "1)"},
    });
    expect_refused({
        "SELECT 1 FROM patients WHERE (name, id) IN (SELECT name, id FROM patients)",
        "SELECT 1 FROM patients WHERE (ssn, id) IN (SELECT email, id FROM patients)",
        "SELECT 1 FROM patients WHERE (ssn, id) IN (SELECT title, id FROM notes)",
        "SELECT 1 FROM patients WHERE (ssn, id) IN (SELECT 'x', 1)",
        "SELECT 1 FROM patients WHERE (ssn, id) < (SELECT ssn, id FROM patients LIMIT 1)",
        "SELECT ARRAY(SELECT ssn FROM patients)",
    });
}

TEST(Lists, FurtherClausesOfFrom) {
    expect_sent({
        {"SELECT ssn FROM public.patients TABLESAMPLE bernoulli (50) REPEATABLE (1) WHERE ssn = "
         "'x'",
         "SELECT ssn FROM public.patients TABLESAMPLE bernoulli (50) REPEATABLE (1) WHERE ssn = "
         "{ssn=x}"},
        {"SELECT j.ssn FROM public.patients a JOIN public.patients b USING (ssn) AS j WHERE j.ssn "
         "= 'x'",
         "SELECT j.ssn FROM public.patients a JOIN public.patients b USING (ssn) AS j WHERE j.ssn "
         "= {ssn=x}"},
        {"SELECT rank FROM public.events ORDER BY rank FETCH FIRST 2 ROWS WITH TIES",
         "SELECT rank FROM public.events ORDER BY rank FETCH FIRST 2 ROWS WITH TIES"},
        {"WITH RECURSIVE r AS (SELECT id, ssn FROM public.patients UNION ALL SELECT r.id, r.ssn "
         "FROM r) SEARCH DEPTH FIRST BY id SET o CYCLE id SET c USING p SELECT id, ssn, c FROM r "
         "WHERE ssn = 'x' ORDER BY o",
         "WITH RECURSIVE r AS (SELECT id, ssn FROM public.patients UNION ALL SELECT r.id, r.ssn "
         "FROM r) SEARCH DEPTH FIRST BY id SET o CYCLE id SET c USING p SELECT id, ssn, c FROM r "
         "WHERE ssn = {ssn=x} ORDER BY o"},
    });
    EXPECT_EQ(
        Clinic().results("WITH RECURSIVE r AS (SELECT id, ssn FROM patients UNION ALL SELECT id, "
                         "ssn FROM r) SEARCH BREADTH FIRST BY id SET o CYCLE id SET c TO 'y' "
                         "DEFAULT 'n' USING p SELECT * FROM r"),
        "-,ssn,-,-,-"
    );
    expect_refused({
        "SELECT rank FROM patients, events TABLESAMPLE bernoulli (age)",
        "WITH RECURSIVE r AS (SELECT id, ssn FROM patients UNION ALL SELECT id, ssn FROM r) CYCLE "
        "ssn SET c USING p SELECT id FROM r",
    });
    EXPECT_EQ(
        Clinic().results("WITH RECURSIVE r AS (SELECT id, ssn FROM patients UNION ALL SELECT * "
                         "FROM r) CYCLE id SET c USING p SELECT * FROM (SELECT * FROM r) s"),
        "-,ssn"
    );
    EXPECT_EQ(
        Clinic().sent(
            "WITH RECURSIVE r AS (SELECT id, ssn FROM patients UNION ALL SELECT * FROM r) "
            "CYCLE id SET c USING p SELECT 1 FROM (SELECT c FROM r) s"
        ),
        "!42703 column \"c\" does not exist"
    );
    EXPECT_EQ(
        Clinic().sent("SELECT j.name FROM patients a JOIN patients b USING (ssn) AS j"),
        "!42703 column j.name does not exist"
    );
}

}  // namespace
}  // namespace pgveil::analysis::test
