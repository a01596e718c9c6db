#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// ON CONFLICT, SET (a, b) = ..., MERGE, and WITH around statements that change rows.
namespace pgveil::analysis::test {
namespace {

using Cases = std::vector<std::pair<std::string_view, std::string_view>>;

void expect_sent(const Cases& cases) {
    const Clinic clinic;
    for (const auto& [user, server] : cases) {
        EXPECT_EQ(clinic.sent(user), server) << user;
    }
}

/// The statements leave as they are: every name in them is qualified, and no constant is sealed.
void expect_kept(const std::vector<std::string_view>& statements) {
    const Clinic clinic;
    for (const std::string_view sql : statements) {
        EXPECT_EQ(clinic.sent(sql), sql);
        EXPECT_TRUE(std::holds_alternative<StatementPlan>(clinic.decide(sql))) << sql;
    }
}

TEST(OnConflict, MovesWhatWasToBeInserted) {
    expect_sent({
        {"INSERT INTO patients (id, ssn, name) VALUES (1, 'a', 'n') ON CONFLICT (ssn) DO UPDATE "
         "SET name = excluded.name, city = 'Bonn' RETURNING ssn",
         "INSERT INTO \"public\".\"patients\" (id, ssn, name) VALUES (1, {ssn=a}, {name=n}) ON "
         "CONFLICT (ssn) DO UPDATE SET name = excluded.name, city = 'Bonn' RETURNING ssn"},
        {"INSERT INTO public.patients AS p (ssn) VALUES ('a') ON CONFLICT (ssn) WHERE ssn <> 'k' "
         "DO UPDATE SET name = 'm', note = NULL, born = DEFAULT WHERE p.ssn = 'q' AND "
         "excluded.ssn <> p.ssn",
         "INSERT INTO public.patients AS p (ssn) VALUES ({ssn=a}) ON CONFLICT (ssn) WHERE ssn <> "
         "{ssn=k} DO UPDATE SET name = {name=m}, note = NULL, born = DEFAULT WHERE p.ssn = {ssn=q} "
         "AND excluded.ssn <> p.ssn"},
        {"INSERT INTO public.patients (ssn) VALUES ('a') ON CONFLICT ON CONSTRAINT k DO UPDATE SET "
         "(name, city) = ('x', excluded.city), (ssn, note) = ROW (excluded.ssn, DEFAULT)",
         "INSERT INTO public.patients (ssn) VALUES ({ssn=a}) ON CONFLICT ON CONSTRAINT k DO UPDATE "
         "SET (name, city) = ({name=x}, excluded.city), (ssn, note) = ROW (excluded.ssn, DEFAULT)"},
        {"INSERT INTO public.patients (ssn) SELECT patient_ssn FROM public.visits ON CONFLICT "
         "(lower(city), ssn) DO NOTHING",
         "INSERT INTO public.patients (ssn) SELECT patient_ssn FROM public.visits ON CONFLICT "
         "(lower(city), ssn) DO NOTHING"},
        {"INSERT INTO public.patients (ssn) VALUES ('a') ON CONFLICT DO NOTHING",
         "INSERT INTO public.patients (ssn) VALUES ({ssn=a}) ON CONFLICT DO NOTHING"},
    });
    const Clinic clinic;
    EXPECT_EQ(
        clinic.parameters("INSERT INTO patients (ssn, name) VALUES ($1, $2) ON CONFLICT (ssn) DO "
                          "UPDATE SET name = $2, note = $3 WHERE patients.ssn <> $4"),
        "1:ssn assigned 17/25,2:name assigned 17/1043,3:note assigned 17/25,4:ssn compared 17/25"
    );
    EXPECT_EQ(
        clinic.results("INSERT INTO patients (ssn) VALUES ('a') ON CONFLICT (ssn) DO UPDATE SET "
                       "ssn = excluded.ssn RETURNING *"),
        "-,name,ssn,born,active,age,email,note,-"
    );
}

TEST(OnConflict, RefusesWhatHasNoRule) {
    const std::string begin = "INSERT INTO patients (ssn) VALUES ('a') ON CONFLICT ";
    const std::vector<std::pair<std::string, std::string_view>> cases = {
        {"(upper(ssn)) DO NOTHING", "!0A000 public.patients.ssn: function upper"},
        {"((ssn)) DO NOTHING", "!0A000 public.patients.ssn: ON CONFLICT (expression)"},
        {"(note) DO NOTHING", "!0A000 public.patients.note: ON CONFLICT (column)"},
        {"(ssn COLLATE \"C\") DO NOTHING",
         "!0A000 public.patients.ssn: ON CONFLICT with COLLATE or an operator class"},
        {"(ssn text_pattern_ops) DO NOTHING",
         "!0A000 public.patients.ssn: ON CONFLICT with COLLATE or an operator class"},
        {"(id) WHERE name = 'x' DO NOTHING",
         "!0A000 public.patients.name: = and <> with a constant, parameter or column of the same "
         "context"},
        {"(id) DO UPDATE SET city = excluded.ssn",
         "!0A000 public.patients.ssn: storing the value in an unprotected column"},
        {"(id) DO UPDATE SET ssn = excluded.email",
         "!0A000 public.patients.ssn: assignment from public.patients.email"},
        {"(id) DO UPDATE SET ssn = excluded.city",
         "!0A000 public.patients.ssn: assignment of an expression"},
        {"(id) DO UPDATE SET city = 'x' WHERE excluded.name <> 'x'",
         "!0A000 public.patients.name: = and <> with a constant, parameter or column of the same "
         "context"},
        {"(id) DO UPDATE SET city = excluded::text",
         "!0A000 public.patients.name: whole-row reference"},
        {"(id) DO UPDATE SET ssn = ssn", "!42702 column reference \"ssn\" is ambiguous"},
        {"(id) DO UPDATE SET nothing = 'x'",
         "!42703 column \"nothing\" of relation \"patients\" does not exist"},
        {"(id) DO UPDATE SET (ssn, name) = ('x')",
         "!0A000 source for a multiple-column UPDATE item must be a sub-SELECT or ROW() "
         "expression"},
    };
    const Clinic clinic;
    for (const auto& [rest, expected] : cases) {
        EXPECT_EQ(clinic.sent(begin + rest), expected) << rest;
    }
    EXPECT_EQ(
        clinic.sent("INSERT INTO notes (title) SELECT city FROM patients ON CONFLICT (title) DO "
                    "UPDATE SET body = (SELECT name FROM patients)"),
        "!0A000 public.patients.name: storing the value in an unprotected column"
    );
}

/// The table notes with its body bound to id.
Clinic with_bound_notes() {
    Clinic clinic;
    const auto parsed = config::parse_policy(
        "policy.json",
        R"({"tables": {"public.notes": {"columns": {"body": {"type": "text", "bind_to": ["id"]}}}}})"
    );
    clinic.policy = parsed ? *parsed : nullptr;
    for (const catalog::RelationName& name :
         {catalog::RelationName{"", "notes"}, catalog::RelationName{"public", "notes"}}) {
        catalog::Entry entry = *clinic.catalog.find(name);
        entry.relation->columns.at(0).type_oid = 23;
        entry.relation->columns.at(2).is_ciphertext = true;
        clinic.catalog.put(name, entry);
    }
    return clinic;
}

TEST(OnConflict, ABoundValueStaysWithTheKeyThatConflicts) {
    const Clinic clinic = with_bound_notes();
    const std::string begin = "INSERT INTO public.notes (id, title, body) VALUES (1, 't', ";
    const std::string key_is_open =
        "!0A000 public.notes.body: DO UPDATE of a row whose key is not known";
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"NULL) ON CONFLICT (id) DO UPDATE SET body = excluded.body, id = excluded.id", ""},
        {"NULL), (2, 't', NULL) ON CONFLICT (id, title) DO UPDATE SET body = excluded.body", ""},
        {"NULL), (2, 't', NULL) ON CONFLICT (title) DO UPDATE SET body = NULL", ""},
        {"NULL) ON CONFLICT (title) DO UPDATE SET body = 'x'", key_is_open},
        {"NULL) ON CONFLICT ON CONSTRAINT k DO UPDATE SET body = 'x'", key_is_open},
        {"NULL) ON CONFLICT (id, lower(title)) DO UPDATE SET body = 'x'", key_is_open},
        {"NULL), (2, 't', NULL) ON CONFLICT (id) DO UPDATE SET body = 'x'",
         "!0A000 public.notes.body: DO UPDATE with a constant or parameter for several rows"},
        {"NULL) ON CONFLICT (title) DO UPDATE SET body = excluded.body",
         "!0A000 public.notes.body: a copy of a stored value"},
        {"NULL) ON CONFLICT (id) DO UPDATE SET body = notes.body",
         "!0A000 public.notes.body: a copy of a stored value"},
        {"NULL) ON CONFLICT (id) DO UPDATE SET id = 7",
         "!0A000 public.notes.body: a change of id, which its bind_to names"},
        {"NULL) ON CONFLICT (title) DO UPDATE SET id = excluded.id",
         "!0A000 public.notes.body: a change of id, which its bind_to names"},
    };
    for (const auto& [rest, expected] : cases) {
        EXPECT_EQ(clinic.sent(begin + rest), expected.empty() ? begin + rest : expected);
    }
    const auto plan = std::get<StatementPlan>(
        clinic.decide(begin + "'a') ON CONFLICT (id) DO UPDATE SET body = 'b'")
    );
    ASSERT_EQ(plan.splices.size(), 2U);
    const auto& inserted = std::get<SealedLiteral>(plan.splices.front().replacement);
    const auto& updated = std::get<SealedLiteral>(plan.splices.back().replacement);
    EXPECT_FALSE(inserted.row.empty());
    EXPECT_EQ(inserted.row, updated.row);
}

TEST(SetOfSeveralColumns, AssignsEachAsAlone) {
    expect_sent({
        {"UPDATE public.patients SET (name, city) = ('a', 'b'), (ssn) = ROW('c')",
         "UPDATE public.patients SET (name, city) = ({name=a}, 'b'), (ssn) = ROW({ssn=c})"},
        {"UPDATE public.patients SET (note, ssn, city) = (SELECT p.note, p.ssn, 'x' FROM "
         "public.patients p WHERE p.ssn = 'k'), born = '2020-01-01'",
         "UPDATE public.patients SET (note, ssn, city) = (SELECT p.note, p.ssn, 'x' FROM "
         "public.patients p WHERE p.ssn = {ssn=k}), born = {born=2020-01-01}"},
    });
    const Cases refused = {
        {"UPDATE patients SET (ssn, id) = (SELECT 'x', 1)",
         "UPDATE \"public\".\"patients\" SET (ssn, id) = (SELECT {ssn=x} AS \"?column?\", 1)"},
        {"UPDATE patients SET (id, city) = (SELECT id, ssn FROM patients p)",
         "!0A000 public.patients.ssn: storing the value in an unprotected column"},
        {"UPDATE patients SET (ssn, id) = (SELECT patient_ssn FROM visits)",
         "!42601 number of columns does not match number of values"},
        {"UPDATE patients SET (ssn, id) = (SELECT * FROM f())",
         "!0A000 public.patients.ssn: assignment of an expression"},
        {"UPDATE notes SET (id, title) = (SELECT * FROM patients, f())",
         "!0A000 public.patients.name: * from something unknown"},
        {"UPDATE patients SET (city, ssn) = ('x', 'y', 'z')",
         "!42601 number of columns does not match number of values"},
        {"UPDATE patients SET (city, ssn) = notes FROM notes",
         "!0A000 source for a multiple-column UPDATE item must be a sub-SELECT or ROW() "
         "expression"},
    };
    expect_sent(refused);
}

TEST(With, CarriesWhatAStatementReturns) {
    expect_sent({
        {"WITH moved AS (DELETE FROM patients WHERE ssn = 'a' RETURNING *) INSERT INTO visits "
         "(patient_ssn) SELECT ssn FROM moved WHERE ssn <> 'b'",
         "WITH moved AS (DELETE FROM \"public\".\"patients\" WHERE ssn = {ssn=a} RETURNING *) "
         "INSERT INTO \"public\".\"visits\" (patient_ssn) SELECT ssn FROM moved WHERE ssn <> "
         "{ssn=b}"},
        {"WITH i AS (INSERT INTO public.patients (ssn) VALUES ('a') ON CONFLICT (ssn) DO UPDATE "
         "SET name = 'n' RETURNING ssn), u (s) AS (UPDATE public.visits SET diagnosis = 'd' "
         "RETURNING patient_ssn) SELECT * FROM i JOIN u ON u.s = i.ssn",
         "WITH i AS (INSERT INTO public.patients (ssn) VALUES ({ssn=a}) ON CONFLICT (ssn) DO "
         "UPDATE SET name = {name=n} RETURNING ssn), u (s) AS (UPDATE public.visits SET diagnosis "
         "= {diagnosis=d} RETURNING patient_ssn) SELECT * FROM i JOIN u ON u.s = i.ssn"},
        {"WITH k AS (SELECT ssn FROM public.patients) UPDATE public.visits SET patient_ssn = k.ssn "
         "FROM k WHERE k.ssn = 'x'",
         "WITH k AS (SELECT ssn FROM public.patients) UPDATE public.visits SET patient_ssn = k.ssn "
         "FROM k WHERE k.ssn = {ssn=x}"},
    });
    const Clinic clinic;
    EXPECT_EQ(
        clinic.results("WITH d AS (DELETE FROM patients RETURNING id, ssn) SELECT ssn, id FROM d"),
        "ssn,-"
    );
    expect_sent({
        {"WITH d AS (DELETE FROM patients) SELECT 1 FROM d WHERE ssn = 'x'",
         "!0A000 WITH query \"d\" does not have a RETURNING clause"},
        {"WITH d AS (DELETE FROM patients RETURNING name) INSERT INTO notes (title) SELECT name "
         "FROM d",
         "!0A000 public.patients.name: storing the value in an unprotected column"},
    });
    const auto changing = clinic.decide("WITH d AS (DELETE FROM notes) SELECT ssn FROM patients");
    EXPECT_EQ(std::get<StatementPlan>(changing).kind, StatementKind::kOther);
    const auto reading = clinic.decide("WITH d AS (SELECT 1) SELECT ssn FROM patients");
    EXPECT_EQ(std::get<StatementPlan>(reading).kind, StatementKind::kSelect);
}

TEST(With, RecursiveCarriesOneContext) {
    expect_kept({
        "WITH RECURSIVE c AS (SELECT id, ssn, name FROM public.patients UNION ALL SELECT c.id + 1, "
        "c.ssn, c.name FROM c JOIN public.visits v ON v.patient_ssn = c.ssn WHERE c.id < 9) SELECT "
        "* FROM c",
        "WITH RECURSIVE a AS (SELECT 1 AS n), c (s) AS (SELECT ssn FROM public.patients UNION "
        "SELECT patient_ssn FROM public.visits JOIN c ON c.s = patient_ssn) SELECT s FROM c, a",
        "WITH RECURSIVE c AS (WITH x AS (SELECT ssn FROM public.patients) SELECT ssn FROM x UNION "
        "ALL SELECT ssn FROM c) SELECT ssn FROM c",
    });
    expect_sent({
        {"WITH RECURSIVE c AS (SELECT ssn FROM public.patients UNION ALL SELECT ssn FROM c WHERE "
         "ssn = 'x') SELECT 1 FROM c WHERE ssn = 'y'",
         "WITH RECURSIVE c AS (SELECT ssn FROM public.patients UNION ALL SELECT ssn FROM c WHERE "
         "ssn = {ssn=x}) SELECT 1 FROM c WHERE ssn = {ssn=y}"},
        {"WITH RECURSIVE c AS (SELECT name FROM patients UNION SELECT name FROM c) SELECT 1 FROM c",
         "!0A000 public.patients.name: UNION, INTERSECT, EXCEPT of one context"},
        {"WITH RECURSIVE c AS (SELECT ssn FROM patients UNION ALL SELECT email FROM c, patients) "
         "SELECT 1",
         "!0A000 public.patients.ssn: UNION, INTERSECT or EXCEPT with something else in the same "
         "place"},
        {"WITH RECURSIVE a AS (SELECT ssn FROM b), b AS (SELECT ssn FROM patients) SELECT * FROM a",
         "!0A000 b: a table of WITH RECURSIVE before it is defined"},
        {"WITH RECURSIVE a AS (SELECT ssn FROM patients), b AS (SELECT ssn FROM b) SELECT 1",
         "!0A000 b: a table of WITH RECURSIVE before it is defined"},
        {"WITH RECURSIVE a AS (SELECT ssn FROM patients UNION ALL SELECT ssn FROM a) SEARCH DEPTH "
         "FIRST BY ssn SET o SELECT * FROM a",
         "!0A000 public.patients.ssn: SEARCH or CYCLE by the column"},
    });
}

TEST(InsertFromSelect, SealsConstantsBesideSortedColumns) {
    expect_sent({
        {"INSERT INTO public.patients (ssn, city) SELECT 'x', title FROM notes ORDER BY id LIMIT 1",
         "INSERT INTO public.patients (ssn, city) SELECT {ssn=x} AS \"?column?\", title FROM notes "
         "ORDER BY id "
         "LIMIT 1"},
        {"INSERT INTO public.patients (ssn, city) SELECT 'x' AS s, title FROM notes GROUP BY title",
         "INSERT INTO public.patients (ssn, city) SELECT {ssn=x} AS s, title FROM notes GROUP BY "
         "title"},
        {"INSERT INTO patients (ssn) SELECT 'x' ORDER BY 1",
         "!0A000 public.patients.ssn: assignment of an expression"},
        {"INSERT INTO patients (ssn, city) SELECT 'x' AS s, title FROM notes ORDER BY s",
         "!0A000 public.patients.ssn: assignment of an expression"},
        {"INSERT INTO patients (ssn, city) SELECT 'x', title FROM notes GROUP BY ROLLUP (1, 2)",
         "!0A000 public.patients.ssn: assignment of an expression"},
    });
}

/// Who forgets to name a column has written its value.
TEST(Insert, AValueWithoutAColumnStaysHere) {
    const std::string_view expected = "!42601 INSERT has more expressions than target columns";
    expect_sent({
        {"INSERT INTO patients (id) VALUES (1, 'secret')", expected},
        {"INSERT INTO patients (id) SELECT 1, 'secret'", expected},
        {"INSERT INTO patients (id) SELECT 1, 'secret' UNION ALL SELECT 2, 'secret'", expected},
        {"MERGE INTO patients p USING notes n ON p.id = n.id WHEN NOT MATCHED THEN INSERT (id) "
         "VALUES (1, 'secret')",
         expected},
        {"INSERT INTO notes (id) SELECT 1, 'x' FROM patients",
         "INSERT INTO notes (id) SELECT 1, 'x' FROM \"public\".\"patients\""},
        {"INSERT INTO patients (id, ssn) VALUES (1)",
         "INSERT INTO \"public\".\"patients\" (id, ssn) VALUES (1)"},
    });
}

TEST(Merge, JudgesEveryAction) {
    expect_sent({
        {"MERGE INTO patients p USING visits v ON p.ssn = v.patient_ssn AND v.patient_ssn <> 'k' "
         "WHEN MATCHED AND p.ssn = 'q' THEN UPDATE SET (name, city) = ('n', 'c'), ssn = "
         "v.patient_ssn WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND v.patient_ssn <> 'r' THEN "
         "INSERT (id, ssn, born) VALUES (v.id, v.patient_ssn, '2020-01-01') WHEN NOT MATCHED THEN "
         "DO NOTHING",
         "MERGE INTO \"public\".\"patients\" p USING \"public\".\"visits\" v ON p.ssn = "
         "v.patient_ssn AND v.patient_ssn <> {patient_ssn=k} WHEN MATCHED AND p.ssn = {ssn=q} THEN "
         "UPDATE SET (name, city) = ({name=n}, 'c'), ssn = v.patient_ssn WHEN MATCHED THEN DELETE "
         "WHEN NOT MATCHED AND v.patient_ssn <> {patient_ssn=r} THEN INSERT (id, ssn, born) VALUES "
         "(v.id, v.patient_ssn, {born=2020-01-01}) WHEN NOT MATCHED THEN DO NOTHING"},
        {"MERGE INTO notes n USING patients p ON n.id = p.id WHEN MATCHED THEN UPDATE SET title = "
         "p.city",
         "MERGE INTO notes n USING \"public\".\"patients\" p ON n.id = p.id WHEN MATCHED THEN "
         "UPDATE SET title = p.city"},
        {"WITH s AS (SELECT ssn FROM public.patients) MERGE INTO public.visits USING s ON "
         "patient_ssn = ssn WHEN NOT MATCHED THEN INSERT (patient_ssn, diagnosis) VALUES (ssn, "
         "DEFAULT) WHEN MATCHED THEN UPDATE SET diagnosis = DEFAULT",
         "WITH s AS (SELECT ssn FROM public.patients) MERGE INTO public.visits USING s ON "
         "patient_ssn = ssn WHEN NOT MATCHED THEN INSERT (patient_ssn, diagnosis) VALUES (ssn, "
         "DEFAULT) WHEN MATCHED THEN UPDATE SET diagnosis = DEFAULT"},
    });
    expect_kept({
        "MERGE INTO public.patients USING notes n ON patients.id = n.id WHEN NOT MATCHED THEN "
        "INSERT DEFAULT VALUES",
        "MERGE INTO notes USING (SELECT id FROM public.patients) s ON notes.id = s.id WHEN MATCHED "
        "THEN DELETE",
    });
    EXPECT_EQ(
        Clinic().parameters("MERGE INTO patients p USING notes n ON p.ssn = $1 WHEN MATCHED THEN "
                            "UPDATE SET name = $2 WHEN NOT MATCHED THEN INSERT (ssn) VALUES ($3)"),
        "1:ssn compared 17/25,2:name assigned 17/1043,3:ssn assigned 17/25"
    );
}

TEST(Merge, RefusesWhatHasNoRule) {
    const std::string begin = "MERGE INTO patients p USING notes n ON ";
    const std::vector<std::pair<std::string, std::string_view>> cases = {
        {"p.name = 'x' WHEN MATCHED THEN DELETE",
         "!0A000 public.patients.name: = and <> with a constant, parameter or column of the same "
         "context"},
        {"p.ssn = n.ssn WHEN MATCHED THEN DELETE",
         "!0A000 public.patients.ssn: comparison with an unprotected expression"},
        {"true WHEN MATCHED THEN UPDATE SET ssn = n.ssn",
         "!0A000 public.patients.ssn: assignment of an expression"},
        {"true WHEN NOT MATCHED THEN INSERT (ssn) VALUES (n.ssn)",
         "!0A000 public.patients.ssn: assignment of an expression"},
        {"true WHEN NOT MATCHED THEN INSERT (city, ssn) VALUES ('x', upper('y'))",
         "!0A000 public.patients.ssn: assignment of an expression"},
        {"true WHEN NOT MATCHED AND p.ssn = 'x' THEN DO NOTHING",
         "!42P01 missing FROM-clause entry for table \"p\""},
        {"true WHEN MATCHED AND active THEN DELETE",
         "!0A000 public.patients.active: a boolean column as condition"},
        {"true WHEN NOT MATCHED THEN INSERT (nothing) VALUES (1)",
         "!42703 column \"nothing\" of relation \"patients\" does not exist"},
    };
    const Clinic clinic;
    for (const auto& [rest, expected] : cases) {
        EXPECT_EQ(clinic.sent(begin + rest), expected) << rest;
    }
    expect_sent({
        {"MERGE INTO notes n USING patients p ON n.id = p.id WHEN NOT MATCHED THEN INSERT (title) "
         "VALUES (p.name)",
         "!0A000 public.patients.name: storing the value in an unprotected column"},
        {"MERGE INTO notes n USING v_patients p ON n.id = p.id WHEN MATCHED THEN DELETE",
         "!0A000 public.v_patients: a view, rule or inheritance over a protected table"},
    });
}

/// PostgreSQL 18's, which this parser reads as names.
TEST(Returning, OldAndNewAreRefused) {
    const Clinic clinic;
    for (const std::string_view sql :
         {"UPDATE patients SET city = 'x' RETURNING old.name",
          "UPDATE patients SET city = 'x' RETURNING new.*",
          "UPDATE patients SET city = 'x' RETURNING old",
          "UPDATE patients SET city = 'x' FROM unknown_function() f RETURNING old",
          "DELETE FROM patients RETURNING id, (SELECT new.id)"}) {
        EXPECT_EQ(clinic.sent(sql).rfind("!0A000", 0), 0U) << sql << clinic.sent(sql);
    }
    expect_kept({"UPDATE \"public\".\"patients\" SET city = 'x' FROM notes old RETURNING old.title"}
    );
}

}  // namespace
}  // namespace pgveil::analysis::test
