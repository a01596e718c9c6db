#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace pgveil::analysis::test {
namespace {

/// What an allowed statement looks like when it leaves; `$` stands for the qualified table.
std::string sent(std::string_view sql) {
    std::string text = Clinic().sent(sql);
    const std::string table = "\"public\".\"events\"";
    for (std::size_t at = text.find(table); at != std::string::npos; at = text.find(table)) {
        text.replace(at, table.size(), "$");
    }
    return text;
}

TEST(Ordered, ComparesWithConstantsAndColumnsOfTheContext) {
    EXPECT_EQ(
        sent("SELECT id FROM events WHERE day < '2020-01-01'"),
        "SELECT id FROM $ WHERE day < {day=2020-01-01}"
    );
    EXPECT_EQ(
        sent("SELECT id FROM events WHERE date '2020-01-01' >= day AND rank > -1"),
        "SELECT id FROM $ WHERE {day=2020-01-01} >= day AND rank > {rank=-1}"
    );
    EXPECT_EQ(
        sent("SELECT id FROM events WHERE day NOT BETWEEN SYMMETRIC '2021-01-01' AND '2020-01-01'"),
        "SELECT id FROM $ WHERE day NOT BETWEEN SYMMETRIC {day=2021-01-01} AND {day=2020-01-01}"
    );
    EXPECT_EQ(
        sent("SELECT id FROM events e WHERE day BETWEEN due AND '2020-01-01' OR day <= due"),
        "SELECT id FROM $ e WHERE day BETWEEN due AND {day=2020-01-01} OR day <= due"
    );
    EXPECT_EQ(
        sent("SELECT id FROM events WHERE day = '2020-01-01' OR day IN ('2020-01-02', NULL)"),
        "SELECT id FROM $ WHERE day = {day=2020-01-01} OR day IN ({day=2020-01-02}, NULL)"
    );
    EXPECT_EQ(
        Clinic().parameters("SELECT id FROM events WHERE day < $1 AND title >= $2 AND code > $3"),
        "1:day compared 17/1082,2:title compared 17/25,3:code compared 17/1042"
    );
}

TEST(Ordered, TakesConstantsOfOtherTypesOnlyWhereTheOrderStaysTheSame) {
    EXPECT_EQ(
        sent("SELECT 1 FROM events WHERE day < timestamp '2020-01-01 00:00'"),
        "SELECT 1 FROM $ WHERE day < {day=2020-01-01}"
    );
    EXPECT_EQ(
        sent("SELECT 1 FROM events WHERE paid < date '2020-01-01'"),
        "SELECT 1 FROM $ WHERE paid < {paid=2020-01-01 00:00:00}"
    );
    EXPECT_EQ(
        sent("SELECT 1 FROM events WHERE rank < 2.0"), "SELECT 1 FROM $ WHERE rank < {rank=2}"
    );
    EXPECT_EQ(
        sent("SELECT 1 FROM events WHERE cost < 2.50"), "SELECT 1 FROM $ WHERE cost < {cost=2.50}"
    );
    for (const std::string_view odd :
         {"day < timestamp '2020-01-01 10:00'",
          "day < timestamptz '2020-01-01 00:00+00'",
          "paid < timestamptz '2020-01-01 00:00+00'",
          "rank < 2.5",
          "rank < 3000000000",
          "cost < 2.505",
          "cost = 2.505",
          "cost < 'Infinity'",
          "title < N'ab'",
          "rank < id",
          "day < due + 1",
          "day < now()",
          "day < paid",
          "day < 'now'"}) {
        const std::string sql = "SELECT 1 FROM events WHERE " + std::string(odd);
        EXPECT_EQ(sent(sql).substr(0, 6), "!0A000") << odd << " gave " << sent(sql);
    }
    EXPECT_EQ(sent("SELECT 1 FROM events WHERE code > '0123456789'").substr(0, 6), "!22001");
}

TEST(Ordered, SortsByColumnNumberAliasAndResultName) {
    for (const std::string_view order :
         {"ORDER BY day",
          "ORDER BY day DESC NULLS LAST, id",
          "ORDER BY 2 NULLS FIRST",
          "ORDER BY due_day",
          "ORDER BY events.day, room"}) {
        const std::string sql = "SELECT id, due AS due_day FROM events " + std::string(order);
        EXPECT_EQ(sent(sql), "SELECT id, due AS due_day FROM $ " + std::string(order));
    }
    EXPECT_EQ(
        sent("SELECT DISTINCT ON (day) day, id FROM events ORDER BY day, rank DESC"),
        "SELECT DISTINCT ON (day) day, id FROM $ ORDER BY day, rank DESC"
    );
    EXPECT_EQ(
        sent("SELECT day FROM events UNION SELECT due FROM events ORDER BY day"),
        "SELECT day FROM $ UNION SELECT due FROM $ ORDER BY day"
    );
    EXPECT_EQ(
        sent("SELECT string_agg(room, ',' ORDER BY day DESC), count(id ORDER BY day) FROM events"),
        "SELECT string_agg(room, ',' ORDER BY day DESC), count(id ORDER BY day) FROM $"
    );
}

TEST(Ordered, ComparesRowsPairByPair) {
    EXPECT_EQ(
        sent("SELECT id FROM events WHERE (day, id) > ('2020-01-01', 7) ORDER BY day, id LIMIT 9"),
        "SELECT id FROM $ WHERE (day, id) > ({day=2020-01-01}, 7) ORDER BY day, id LIMIT 9"
    );
    EXPECT_EQ(
        Clinic().parameters("SELECT id FROM events WHERE (rank, day) <= ($1, $2)"),
        "1:rank compared 17/23,2:day compared 17/1082"
    );
    EXPECT_EQ(
        sent("SELECT id FROM events WHERE ROW(day, id) = (due, 7)"),
        "SELECT id FROM $ WHERE ROW(day, id) = (due, 7)"
    );
    EXPECT_EQ(
        Clinic().sent("SELECT id FROM patients WHERE (ssn, id) = ('x', 1)"),
        "SELECT id FROM \"public\".\"patients\" WHERE (ssn, id) = ({ssn=x}, 1)"
    );
    EXPECT_EQ(
        Clinic().sent("SELECT id FROM patients WHERE (ssn, id) < ('x', 1)"),
        "!0A000 public.patients.ssn: <, <=, >, >=, BETWEEN"
    );
}

TEST(Rows, InAListAreComparedOneByOne) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("SELECT 1 FROM patients p WHERE (p.ssn, id) NOT IN (('x', 1), ROW('y', 2))"),
        "SELECT 1 FROM \"public\".\"patients\" p WHERE (p.ssn, id) NOT IN (({ssn=x}, 1), "
        "ROW({ssn=y}, 2))"
    );
    EXPECT_EQ(
        clinic.sent("SELECT 1 FROM patients WHERE (name, id) IN (('x', 1))"),
        "!0A000 public.patients.name: IN, NOT IN with a list"
    );
    EXPECT_EQ(
        clinic.sent("SELECT 1 FROM patients WHERE (ssn, id) IN (('x', 1), (city, 2))"),
        "!0A000 public.patients.ssn: comparison with an unprotected expression"
    );
    EXPECT_TRUE(clinic.sent("SELECT 1 FROM patients WHERE (ssn, id) IN (('x', 1), ('y', 2, 3))")
                    .starts_with("!"));
    EXPECT_TRUE(
        clinic.sent("SELECT 1 FROM patients WHERE (ssn, id) IN (SELECT 'x', 1)").starts_with("!")
    );
}

TEST(GroupingSets, HoldColumnsOfEquality) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("SELECT ssn, city, GROUPING(ssn, city), count(*) FROM patients GROUP BY "
                    "GROUPING SETS ((ssn, 2), ROLLUP (city, ssn), CUBE ((1, id)), ()) HAVING "
                    "GROUPING(ssn) = 0"),
        "SELECT ssn, city, GROUPING(ssn, city), count(*) FROM \"public\".\"patients\" GROUP BY "
        "GROUPING SETS ((ssn, 2), ROLLUP (city, ssn), CUBE ((1, id)), ()) HAVING "
        "GROUPING(ssn) = 0"
    );
    EXPECT_EQ(
        clinic.sent("SELECT city FROM patients GROUP BY ROLLUP (city, name)"),
        "!0A000 public.patients.name: GROUP BY"
    );
    EXPECT_EQ(
        clinic.sent("SELECT name FROM patients GROUP BY CUBE (1)"),
        "!0A000 public.patients.name: GROUP BY"
    );
    EXPECT_EQ(
        clinic.sent("SELECT 1 FROM patients GROUP BY ROLLUP (upper(ssn))"),
        "!0A000 public.patients.ssn: function upper"
    );
}

TEST(Ordered, ComparesWithSubQueries) {
    EXPECT_EQ(
        sent("SELECT id FROM events WHERE day >= ALL (SELECT due FROM events)"),
        "SELECT id FROM $ WHERE day >= ALL (SELECT due FROM $)"
    );
    EXPECT_EQ(
        sent("SELECT id FROM events WHERE '2020-01-01' < ANY (SELECT due FROM events)"),
        "SELECT id FROM $ WHERE {due=2020-01-01} < ANY (SELECT due FROM $)"
    );
    EXPECT_EQ(
        Clinic().sent("SELECT id FROM patients WHERE born < ALL (SELECT born FROM patients)"),
        "!0A000 public.patients.born: <, <=, >, >=, BETWEEN"
    );
}

constexpr std::string_view kMin = "pg_catalog.decode(pg_catalog.min(pg_catalog.encode(";
constexpr std::string_view kMax = "pg_catalog.decode(pg_catalog.max(pg_catalog.encode(";
constexpr std::string_view kDigits = ", 'hex') COLLATE pg_catalog.\"C\")";

/// `{min day}` and `{max day}` stand for the rewritten calls.
std::string expanded(std::string text) {
    for (const auto& [mark, name] :
         {std::pair(std::string("{min "), kMin), std::pair(std::string("{max "), kMax)}) {
        for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark)) {
            const std::size_t end = text.find('}', at);
            const std::string argument = text.substr(at + mark.size(), end - at - mark.size());
            text.replace(at, end + 1 - at, std::string(name) + argument + std::string(kDigits));
        }
    }
    return text;
}

TEST(Ordered, RewritesMinAndMaxAndKeepsTheirNames) {
    const std::vector<std::pair<std::string_view, std::string>> cases = {
        {"SELECT min(day) FROM events, notes", "SELECT {min day}, 'hex') AS \"min\" FROM $, notes"},
        {"SELECT (min(day)) FROM events, notes",
         "SELECT ({min day}, 'hex')) AS \"min\" FROM $, notes"},
        {"SELECT CASE WHEN true THEN min(day) ELSE max(day) END, 1 FROM events",
         "SELECT CASE WHEN true THEN {min day}, 'hex') ELSE {max day}, 'hex') END AS \"max\", 1 "
         "FROM $"},
        {"SELECT pg_catalog.MAX ( events.day )FROM events, notes",
         "SELECT pg_catalog.decode(pg_catalog.max ( pg_catalog.encode(events.day , 'hex') COLLATE "
         "pg_catalog.\"C\"), 'hex') AS \"max\"FROM $, notes"},
        {"SELECT room, max(day) AS last FROM events GROUP BY room HAVING max(day) > '2020-01-01' "
         "ORDER BY max(day) DESC",
         "SELECT room, {max day}, 'hex') AS last FROM $ GROUP BY room HAVING {max day}, 'hex') > "
         "{day=2020-01-01} ORDER BY {max day}, 'hex') DESC"},
        {"SELECT min(day) FILTER (WHERE rank > 3) OVER (PARTITION BY due) FROM events",
         "SELECT {min day} FILTER (WHERE rank > {rank=3}) OVER (PARTITION BY due), 'hex') AS "
         "\"min\" FROM $"},
        {"SELECT min(day) OVER w x FROM events WINDOW w AS (ORDER BY rank)",
         "SELECT {min day} OVER w, 'hex') x FROM $ WINDOW w AS (ORDER BY rank)"},
        {"SELECT max(DISTINCT day) FROM events",
         "SELECT pg_catalog.decode(pg_catalog.max(DISTINCT pg_catalog.encode(day, 'hex') COLLATE "
         "pg_catalog.\"C\"), 'hex') AS \"max\" FROM $"},
        {"SELECT (min(day)) AS m FROM events", "SELECT ({min day}, 'hex')) AS m FROM $"},
    };
    for (const auto& [sql, expected] : cases) {
        EXPECT_EQ(sent(sql), expanded(expected)) << sql;
    }
}

TEST(Ordered, FindsALoneMinOrMaxByAnIndex) {
    constexpr std::string_view kDay = "$.\"day\"";
    const std::string day(kDay);
    const std::string by_day = day + " IS NOT NULL ORDER BY " + day;
    const std::vector<std::pair<std::string_view, std::string>> cases = {
        {"SELECT min(day) FROM events",
         "SELECT (SELECT " + day + " FROM $ WHERE " + by_day + " LIMIT 1) AS \"min\""},
        {"SELECT pg_catalog.MAX ( events.day )FROM events -- all",
         "SELECT (SELECT " + day + "FROM $ WHERE " + by_day + " DESC LIMIT 1) AS \"max\" -- all"},
        {"SELECT max(e.day) AS \"Last\" FROM events e WHERE id = 1 OR rank > 3;",
         "SELECT (SELECT \"e\".\"day\"  FROM $ e WHERE ( id = 1 OR rank > {rank=3}) AND "
         "\"e\".\"day\" IS NOT NULL ORDER BY \"e\".\"day\" DESC LIMIT 1) AS \"Last\";"},
        {"SELECT min(day) first FROM events WHERE'2020-01-02'= due",
         "SELECT (SELECT " + day + "  FROM $ WHERE ({due=2020-01-02}= due) AND " + by_day +
             " LIMIT 1) AS \"first\""},
        {"SELECT id FROM events WHERE day = (SELECT max(due) FROM events WHERE id IN (1, 2)) AND "
         "id = 1",
         "SELECT id FROM $ WHERE day = (SELECT (SELECT $.\"due\" FROM $ "
         "WHERE ( id IN (1, 2)) AND $.\"due\" IS NOT NULL ORDER BY "
         "$.\"due\" DESC LIMIT 1) AS \"max\") AND id = 1"},
    };
    for (const auto& [sql, expected] : cases) {
        EXPECT_EQ(sent(sql), expected) << sql;
    }
    EXPECT_EQ(Clinic().results("SELECT max(title) FROM events"), "title as text");
}

TEST(Ordered, KeepsTheAggregateWhereAnIndexFormWouldBeAnotherQuery) {
    for (const std::string_view sql :
         {"SELECT min(day), max(day) FROM events",
          "SELECT min(day), count(*) FROM events",
          "SELECT min(day) FROM events GROUP BY room",
          "SELECT min(day) FROM events HAVING count(*) > 3",
          "SELECT min(day) FROM events LIMIT 0",
          "SELECT min(day) FROM events ORDER BY 1",
          "SELECT min(day) FROM events FOR UPDATE",
          "SELECT DISTINCT min(day) FROM events",
          "SELECT min(DISTINCT day) FROM events",
          "SELECT min(day) FILTER (WHERE id > 1) FROM events",
          "SELECT min(day) OVER () FROM events",
          "SELECT min(day) FROM events TABLESAMPLE bernoulli (50)",
          "SELECT min(day) FROM (SELECT day FROM events) s",
          "SELECT min(a.day) FROM events a JOIN events b ON a.id = b.id",
          "SELECT min(day) /* first */ AS m FROM events",
          "SELECT min(day) FROM events UNION ALL SELECT day FROM events",
          "SELECT (SELECT min(e.day) FROM notes) FROM events e"}) {
        const std::string text = sent(sql);
        EXPECT_NE(text.find("pg_catalog.min("), std::string::npos) << sql << " gave " << text;
        EXPECT_EQ(text.find("LIMIT 1"), std::string::npos) << sql << " gave " << text;
    }
}

TEST(Ordered, ShowsMinAndMaxInTheTypeThatPostgresGives) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.results("SELECT min(title), max(cost), min(paid), min(code), day FROM events"),
        "title as text,cost as numeric,paid as timestamp,code as bpchar,day"
    );
    EXPECT_EQ(
        clinic.results("SELECT m, (SELECT max(title) FROM events) FROM (SELECT min(title) AS m "
                       "FROM events) s"),
        "title as text,title as text"
    );
}

TEST(Ordered, MixesNoMinWithValuesOfAnotherType) {
    for (const std::string_view sql :
         {"SELECT max(title) FROM events UNION SELECT title FROM events",
          "SELECT 1 FROM events JOIN (SELECT max(title) AS title FROM events) m USING (title)"}) {
        EXPECT_EQ(sent(sql).substr(0, 6), "!0A000") << sql;
    }
}

TEST(Ordered, WindowsMayBeOrderedAndPartitioned) {
    for (const std::string_view over :
         {"OVER (PARTITION BY day ORDER BY rank DESC NULLS LAST)",
          "OVER (ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
          "OVER (ORDER BY day RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
          "OVER (ORDER BY day GROUPS 2 PRECEDING)"}) {
        const std::string list = "SELECT sum(id) " + std::string(over) + " FROM ";
        EXPECT_EQ(sent(list + "events"), list + "$");
    }
    EXPECT_EQ(
        sent("SELECT sum(id) OVER (ORDER BY day RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM "
             "events"),
        "!0A000 public.events.day: RANGE with an offset"
    );
    EXPECT_EQ(
        sent("SELECT rank() OVER w FROM events WINDOW w AS (ORDER BY rank RANGE 1 PRECEDING)"),
        "!0A000 public.events.rank: RANGE with an offset"
    );
    EXPECT_EQ(
        Clinic().sent("SELECT row_number() OVER (ORDER BY ssn) FROM patients"),
        "!0A000 public.patients.ssn: OVER (ORDER BY column)"
    );
    EXPECT_EQ(
        Clinic().sent("SELECT row_number() OVER (PARTITION BY name) FROM patients"),
        "!0A000 public.patients.name: OVER (PARTITION BY column)"
    );
}

TEST(Ordered, OtherUsesStayRefused) {
    for (const std::string_view expression :
         {"sum(rank)",
          "max(rank + 1)",
          "max((SELECT day))",
          "min(day ORDER BY id)",
          "other.min(day)",
          "lag(day) OVER (ORDER BY day)",
          "count(day) OVER ()",
          "percentile_disc(0.5) WITHIN GROUP (ORDER BY rank)",
          "min(day)::text",
          "day < ANY ('{2020-01-01}')",
          "day OPERATOR(pg_catalog.<) due",
          "day::text",
          "'2020-01-01' BETWEEN day AND due",
          "title < 'a' COLLATE \"C\""}) {
        const std::string sql = "SELECT " + std::string(expression) + " FROM events";
        EXPECT_EQ(sent(sql).substr(0, 6), "!0A000") << expression << " gave " << sent(sql);
    }
    for (const std::string_view order : {"day USING <", "title COLLATE \"C\"", "upper(title)"}) {
        const std::string sql = "SELECT 1 FROM events ORDER BY " + std::string(order);
        EXPECT_EQ(sent(sql).substr(0, 6), "!0A000") << order << " gave " << sent(sql);
    }
}

TEST(Ordered, TextOnlyUnderACollationOfBytes) {
    const Clinic clinic;
    EXPECT_EQ(sent("SELECT 1 FROM events ORDER BY title, code").substr(0, 1), "S");
    for (const std::string_view rest :
         {"WHERE title < 'a'",
          "WHERE title BETWEEN 'a' AND 'b'",
          "ORDER BY title",
          "WHERE (title, id) > ('a', 1)",
          "WHERE id > (SELECT row_number() OVER (ORDER BY title))",
          "GROUP BY id HAVING max(title) = 'a'"}) {
        const std::string text = clinic.sent("SELECT id FROM tales " + std::string(rest));
        EXPECT_NE(text.find("of text under this database's collation"), std::string::npos)
            << rest << " gave " << text;
    }
    EXPECT_EQ(
        clinic.sent("SELECT id FROM tales WHERE title = 'a'"),
        "SELECT id FROM \"public\".\"tales\" WHERE title = {title=a}"
    );
}

TEST(Ordered, KeepsKeysAndIndexes) {
    for (const std::string_view sql :
         {"CREATE INDEX ON events (day DESC NULLS LAST, id)",
          "CREATE UNIQUE INDEX ON events (rank)"}) {
        EXPECT_NE(sent(sql).substr(0, 1), "!") << sent(sql);
    }
}

}  // namespace
}  // namespace pgveil::analysis::test
