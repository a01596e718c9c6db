#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

// Randomized columns beside a unique key of their own row.
namespace pgveil::analysis::test {
namespace {

void expect_passed(std::initializer_list<std::string_view> cases) {
    for (const std::string_view sql : cases) {
        const std::string sent = Clinic().sent(sql);
        EXPECT_NE(sent.substr(0, 1), "!") << sql << " gave " << sent;
    }
}

void expect_refused(std::initializer_list<std::string_view> cases) {
    for (const std::string_view sql : cases) {
        const std::string sent = Clinic().sent(sql);
        EXPECT_EQ(sent.substr(0, 6), "!0A000") << sql << " gave " << sent;
    }
}

TEST(Key, TellsRowsApartInDistinctAndGroupBy) {
    expect_passed({
        "SELECT DISTINCT * FROM patients",
        "SELECT DISTINCT id, name FROM patients ORDER BY id",
        "SELECT DISTINCT name, email FROM patients",
        "SELECT DISTINCT p.note, p.id AS n FROM patients p LEFT JOIN visits v ON v.id = p.id",
        "SELECT DISTINCT ON (id, name) name FROM patients",
        "SELECT DISTINCT diagnosis, day, patient_id FROM visits",
        "SELECT DISTINCT s.n, s.id FROM (SELECT id, name AS n FROM patients) s",
        "SELECT count(*) FROM (SELECT DISTINCT id, name FROM patients) s",
        "SELECT id, name, count(*) FROM patients GROUP BY id, name",
        "SELECT 1 FROM patients GROUP BY (email, name), city",
        "SELECT name FROM patients GROUP BY 1, id",
        "SELECT 1 FROM patients GROUP BY id, ROLLUP (name, note)",
        "SELECT 1 FROM patients GROUP BY DISTINCT id, ROLLUP (name), ROLLUP (name, note)",
    });
}

TEST(Key, MustStandInTheSameList) {
    expect_refused({
        "SELECT DISTINCT name FROM patients",
        "SELECT DISTINCT name, city FROM patients",
        "SELECT DISTINCT name, id + 0 FROM patients",
        "SELECT DISTINCT name, id::text FROM patients",
        "SELECT DISTINCT name, id::bool FROM patients",
        "SELECT DISTINCT name, COALESCE(id, 1) FROM patients",
        "SELECT DISTINCT diagnosis, patient_id FROM visits",
        "SELECT DISTINCT a.id, b.name FROM patients a, patients b",
        "SELECT DISTINCT v.id, p.name FROM patients p JOIN visits v ON v.id = p.id",
        "SELECT DISTINCT id, name FROM (SELECT v.id, p.name FROM patients p, visits v) s",
        "SELECT DISTINCT ON (name) id FROM patients",
        "SELECT DISTINCT id, COALESCE(name, 'x') FROM patients",
        "SELECT id, name FROM patients GROUP BY name",
        "SELECT 1 FROM patients GROUP BY GROUPING SETS ((id, name), (name))",
        "SELECT 1 FROM patients GROUP BY ROLLUP (name, id)",
        "SELECT 1 FROM patients GROUP BY CUBE (id, name)",
        "SELECT count(DISTINCT name) FROM patients",
        "SELECT DISTINCT id, level FROM readings",
        "WITH c AS (SELECT id, name FROM patients) SELECT DISTINCT a.id, b.name FROM c a, c b",
        "SELECT DISTINCT id, name FROM patients JOIN visits USING (id)",
    });
}

TEST(Key, TellsRowsApartInSetOperationsOfOneTable) {
    expect_passed({
        "SELECT id, name FROM patients UNION SELECT id, name FROM patients WHERE city = 'a'",
        "SELECT name, id FROM patients EXCEPT ALL SELECT name, id FROM public.patients p",
        "(SELECT id, name FROM patients UNION SELECT id, name FROM patients) INTERSECT SELECT id, "
        "name FROM patients ORDER BY 1",
    });
    expect_refused({
        "SELECT id, name FROM patients UNION SELECT 1, name FROM patients",
        "SELECT id, name FROM patients UNION SELECT id, 'x' FROM patients",
        "SELECT id, name FROM patients UNION SELECT p.id, q.name FROM patients p, patients q",
        "SELECT id, name FROM patients UNION SELECT name, id FROM patients",
        "SELECT patient_id, diagnosis, day FROM visits UNION SELECT id, note, city FROM patients",
        "WITH u AS (UPDATE patients SET name = 'x' RETURNING id, name) SELECT id, name FROM u "
        "UNION SELECT id, name FROM patients",
        "SELECT id, name FROM (SELECT * FROM patients FOR UPDATE) s UNION SELECT id, name FROM "
        "patients",
        "WITH RECURSIVE r AS (SELECT id, name FROM patients UNION SELECT id, name FROM r) SELECT 1 "
        "FROM r",
    });
}

TEST(Key, IsNotKnownBehindAChangeOfTheTable) {
    EXPECT_EQ(
        rendered(std::get<Rejection>(
            Clinic()
                .analyze("DROP INDEX patients_email; SELECT DISTINCT id, name FROM patients")
                .statements.back()
        )),
        "!0A000 public.patients.name: DISTINCT, DISTINCT ON"
    );
}

}  // namespace
}  // namespace pgveil::analysis::test
