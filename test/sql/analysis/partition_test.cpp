// Partitions and children of protected tables: their columns are the root's.
#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace pgveil::analysis::test {
namespace {

using Cases = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kChecks = "CONSTRAINT \"pgveil_patient_ssn\" CHECK";

class Partitions : public ::testing::Test {
protected:
    /// Columns written with a `*` behind their name are stored encrypted.
    catalog::Relation table(const std::string& name, const std::vector<std::string>& columns) {
        catalog::Relation relation;
        relation.oid = next_oid_++;
        relation.schema = "public";
        relation.name = name;
        for (const std::string& written : columns) {
            catalog::Column column;
            column.is_ciphertext = written.ends_with('*');
            column.name = written.substr(0, written.size() - (column.is_ciphertext ? 1 : 0));
            column.attnum = static_cast<std::int16_t>(relation.columns.size() + 1);
            relation.columns.push_back(std::move(column));
        }
        return relation;
    }

    void put(const catalog::Relation& relation) {
        clinic.catalog.put({"", relation.name}, catalog::Entry{relation, "public"});
        clinic.catalog.put({"public", relation.name}, catalog::Entry{relation, "public"});
    }

    /// A partition of public.visits whose columns stand in another order.
    void part(const std::string& name = "part", const std::string& key = "") {
        auto relation = table(name, {"day", "diagnosis*", "patient_ssn*", "patient_id", "id"});
        relation.over_protected = true;
        relation.relkind = key.empty() ? 'r' : 'p';
        relation.partition_key = key;
        relation.ancestors = {{"public", "between"}, {"public", "visits"}};
        put(relation);
    }

    void partition_visits(const std::string& key) {
        auto relation = table("visits", {"id", "patient_id", "patient_ssn*", "diagnosis*", "day"});
        relation.relkind = 'p';
        relation.partition_key = key;
        put(relation);
    }

    void expect(const Cases& cases) {
        for (const auto& [sql, expected] : cases) {
            EXPECT_EQ(clinic.sent(sql), expected) << sql;
        }
    }

    Clinic clinic;
    std::uint32_t next_oid_ = 40000;
};

TEST_F(Partitions, HaveTheColumnsOfTheirRootByName) {
    part();
    EXPECT_EQ(clinic.results("SELECT * FROM part"), "-,diagnosis,patient_ssn,-,-");
    EXPECT_EQ(clinic.results("SELECT p.ssn FROM part JOIN patients p ON patient_ssn = ssn"), "ssn");
    EXPECT_EQ(
        clinic.parameters("DELETE FROM part WHERE patient_ssn = $1"), "1:patient_ssn compared 17/25"
    );
    expect({
        {"INSERT INTO part VALUES (now(), 'd', 'x', 1, 2)",
         "INSERT INTO \"public\".\"part\" VALUES (now(), {diagnosis=d}, {patient_ssn=x}, 1, 2)"},
        {"UPDATE public.part SET diagnosis = 'd'",
         "UPDATE public.part SET diagnosis = {diagnosis=d}"},
        {"TRUNCATE part", "TRUNCATE \"public\".\"part\""},
        {"SELECT 1 FROM part WHERE diagnosis = 'd'",
         "!0A000 public.visits.diagnosis: = and <> with a constant, parameter or column of the "
         "same context"},
        {"ALTER TABLE part ALTER diagnosis SET DEFAULT 'd'",
         "ALTER TABLE \"public\".\"part\" ALTER diagnosis SET DEFAULT {diagnosis=d}"},
        {"ALTER TABLE part DROP CONSTRAINT pgveil_diagnosis",
         "!0A000 public.part: DROP CONSTRAINT pgveil_diagnosis"},
        {"ALTER TABLE part ADD CHECK (diagnosis <> 'd')", "!0A000 public.visits.diagnosis: CHECK"},
        {"ALTER TABLE part RENAME TO piece", "ALTER TABLE \"public\".\"part\" RENAME TO piece"},
        {"ALTER TABLE part RENAME TO patients",
         "ALTER TABLE \"public\".\"part\" RENAME TO patients"},
    });
}

TEST_F(Partitions, AreRefusedWhereTheyDifferFromTheRoot) {
    auto open = table("open", {"id", "patient_ssn", "diagnosis*"});
    open.ancestors = {{"public", "visits"}};
    put(open);
    auto more = table("more", {"id", "patient_ssn*", "diagnosis*", "extra*"});
    more.ancestors = {{"public", "visits"}};
    put(more);
    auto orphan = table("orphan", {"id", "patient_ssn*", "diagnosis*"});
    put(orphan);
    auto readings = table("readings", {"id", "code*"});
    readings.ancestors = {{"public", "visits"}};
    expect({
        {"INSERT INTO open (patient_ssn) VALUES ('x')",
         "!0A000 public.open.patient_ssn: is protected by the policy, but a plain column"},
        {"SELECT id FROM more", "!0A000 public.more.extra: is encrypted, but not in the policy"},
        {"INSERT INTO orphan (patient_ssn) VALUES ('x')",
         "!0A000 public.orphan: has an encrypted column, but the policy does not know the "
         "relation"},
    });
}

TEST_F(Partitions, MayHaveAnEntryThatSaysTheSame) {
    const auto parsed = config::parse_policy("policy.json", R"json({ "tables": {
      "public.visits": { "columns": {
        "patient_ssn": { "type": "text", "search": "equality", "context": "person.ssn" },
        "diagnosis":   { "type": "text" } } },
      "public.same": { "columns": {
        "patient_ssn": { "type": "text", "search": "equality", "context": "person.ssn" },
        "diagnosis":   { "type": "text", "context": "public.visits.diagnosis" } } },
      "public.other": { "columns": {
        "patient_ssn": { "type": "text", "search": "equality", "context": "person.ssn" },
        "diagnosis":   { "type": "text" } } } } })json");
    ASSERT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
    clinic.policy = *parsed;
    for (const std::string name : {"same", "other"}) {
        auto relation = table(name, {"id", "patient_ssn*", "diagnosis*"});
        relation.ancestors = {{"public", "visits"}};
        put(relation);
    }
    EXPECT_EQ(clinic.results("SELECT * FROM same"), "-,patient_ssn,diagnosis");
    EXPECT_TRUE(clinic.sent("SELECT * FROM other")
                    .starts_with("!0A000 public.other.diagnosis: has another entry in the policy"));
    auto free = table("same", {"id", "patient_id", "patient_ssn*", "diagnosis*", "day"});
    put(free);
    free.name = "other";
    put(free);
    partition_visits("LIST (id)");
    expect({
        {"ALTER TABLE visits ATTACH PARTITION same FOR VALUES IN (1)",
         "ALTER TABLE \"public\".\"visits\" ATTACH PARTITION \"public\".\"same\" FOR VALUES IN "
         "(1)"},
        {"ALTER TABLE visits ATTACH PARTITION other FOR VALUES IN (1)",
         "!0A000 public.visits.diagnosis: a partition or child where the policy says something "
         "else of it"},
        {"ALTER TABLE same INHERIT visits",
         "ALTER TABLE \"public\".\"same\" INHERIT \"public\".\"visits\""},
        {"ALTER TABLE other INHERIT visits",
         "!0A000 public.visits.diagnosis: a partition or child where the policy says something "
         "else of it"},
        {"ALTER TABLE visits ATTACH PARTITION notes DEFAULT",
         "!0A000 notes: ATTACH PARTITION or INHERIT of an unprotected and a protected table"},
        {"ALTER TABLE notes INHERIT visits",
         "!0A000 visits: ATTACH PARTITION or INHERIT of an unprotected and a protected table"},
        {"ALTER TABLE visits DETACH PARTITION same CONCURRENTLY",
         "ALTER TABLE \"public\".\"visits\" DETACH PARTITION \"public\".\"same\" CONCURRENTLY"},
        {"ALTER TABLE visits DETACH PARTITION same FINALIZE",
         "ALTER TABLE \"public\".\"visits\" DETACH PARTITION \"public\".\"same\" FINALIZE"},
        {"ALTER TABLE same NO INHERIT visits",
         "ALTER TABLE \"public\".\"same\" NO INHERIT \"public\".\"visits\""},
    });
}

TEST_F(Partitions, AreMadeOfTheRoot) {
    partition_visits("LIST (id)");
    expect({
        {"CREATE TABLE one PARTITION OF visits FOR VALUES IN (1)",
         "CREATE TABLE one PARTITION OF \"public\".\"visits\" FOR VALUES IN (1)"},
        {"CREATE TABLE rest PARTITION OF visits DEFAULT",
         "CREATE TABLE rest PARTITION OF \"public\".\"visits\" DEFAULT"},
        {"CREATE TABLE two PARTITION OF visits (diagnosis DEFAULT 'd', UNIQUE (patient_ssn)) FOR "
         "VALUES IN (2)",
         "CREATE TABLE two PARTITION OF \"public\".\"visits\" (diagnosis DEFAULT {diagnosis=d}, "
         "UNIQUE (patient_ssn)) FOR VALUES IN (2)"},
        {"CREATE TABLE two PARTITION OF visits (CHECK (diagnosis <> '')) FOR VALUES IN (2)",
         "!0A000 public.visits.diagnosis: CHECK"},
        {"CREATE TABLE two PARTITION OF visits (UNIQUE (diagnosis)) FOR VALUES IN (2)",
         "!0A000 public.visits.diagnosis: PRIMARY KEY, UNIQUE"},
        {"CREATE TABLE patients PARTITION OF visits DEFAULT",
         "CREATE TABLE \"public\".\"patients\" PARTITION OF \"public\".\"visits\" DEFAULT"},
        {"CREATE TABLE two PARTITION OF visits FOR VALUES IN (2) PARTITION BY HASH (patient_ssn); "
         "CREATE "
         "TABLE leaf PARTITION OF two FOR VALUES WITH (MODULUS 2, REMAINDER 0); INSERT INTO leaf "
         "(diagnosis) VALUES ('d')",
         "CREATE TABLE two PARTITION OF \"public\".\"visits\" FOR VALUES IN (2) PARTITION BY HASH "
         "(patient_ssn); "
         "CREATE TABLE leaf PARTITION OF \"public\".\"two\" FOR VALUES WITH (MODULUS 2, REMAINDER "
         "0); "
         "INSERT INTO \"public\".\"leaf\" (diagnosis) VALUES ({diagnosis=d})"},
    });
}

TEST_F(Partitions, BoundsOfAProtectedKeyAreSealed) {
    const std::string made = "CREATE TABLE p PARTITION OF \"public\".\"visits\" FOR VALUES ";
    const std::string asked = "CREATE TABLE p PARTITION OF visits FOR VALUES ";
    partition_visits("LIST (patient_ssn)");
    expect({
        {asked + "IN ('a', NULL)", made + "IN ({patient_ssn=a}, NULL)"},
        {asked + "IN (lower('a'))",
         "!0A000 public.visits.patient_ssn: a partition bound other than a constant"},
    });
    partition_visits("RANGE (id, patient_ssn)");
    expect(
        {{asked + "FROM (1, 'a') TO (2, MAXVALUE)",
          "!0A000 public.visits.patient_ssn: PARTITION BY RANGE (column)"}}
    );
    partition_visits("LIST (diagnosis)");
    expect(
        {{asked + "IN ('secret')", "!0A000 public.visits.diagnosis: PARTITION BY LIST (column)"},
         {"CREATE TABLE p PARTITION OF visits DEFAULT",
          "CREATE TABLE p PARTITION OF \"public\".\"visits\" DEFAULT"}}
    );
    partition_visits("LIST (lower(patient_ssn))");
    expect(
        {{asked + "IN ('secret')",
          "!0A000 public.visits.patient_ssn: PARTITION BY an expression, with COLLATE or an "
          "operator class, or a "
          "column with bind_to"}}
    );
    partition_visits("");
    expect(
        {{asked + "IN ('secret')",
          "!0A000 public.visits: a partition of a table whose key pgveil cannot read"}}
    );
    partition_visits("LIST (id)");
    expect(
        {{"ALTER TABLE visits ATTACH PARTITION notes FOR VALUES IN ('secret')",
          "!0A000 notes: ATTACH PARTITION or INHERIT of an unprotected and a protected table"}}
    );
}

TEST_F(Partitions, ByAProtectedColumnAsItsSchemeAllows) {
    const std::string table = "CREATE TABLE events (day date, rank int) PARTITION BY ";
    for (const std::string key : {"HASH (day)", "LIST (day)", "RANGE (day)", "RANGE (day, rank)"}) {
        EXPECT_TRUE(clinic.sent(table + key).ends_with("PARTITION BY " + key)) << key;
    }
    expect({
        {table + "RANGE ((day + 1))",
         "!0A000 public.events.day: PARTITION BY an expression, with COLLATE or an operator class, "
         "or a column with bind_to"},
        {table + "HASH (day date_ops)",
         "!0A000 public.events.day: PARTITION BY an expression, with COLLATE or an operator class, "
         "or a column with bind_to"},
        {"CREATE TABLE patients (ssn text) PARTITION BY RANGE (ssn)",
         "!0A000 public.patients.ssn: PARTITION BY RANGE (column)"},
        {"CREATE TABLE patients (note text) PARTITION BY HASH (note)",
         "!0A000 public.patients.note: PARTITION BY HASH (column)"},
    });
    const std::string text =
        "; CREATE TABLE e1 PARTITION OF events FOR VALUES FROM ('2020-01-01', MINVALUE) TO "
        "('2021-01-01', 5)";
    EXPECT_TRUE(
        clinic.sent(table + "RANGE (day, rank)" + text)
            .ends_with(
                "FOR VALUES FROM ({day=2020-01-01}, MINVALUE) TO ({day=2021-01-01}, {rank=5})"
            )
    );
}

TEST_F(Partitions, ChildrenInheritWhatThePolicySays) {
    EXPECT_EQ(
        clinic.sent("CREATE TABLE kid (extra int) INHERITS (visits); INSERT INTO kid (diagnosis, "
                    "extra) VALUES ('d', 1)"),
        "CREATE TABLE kid (extra int) INHERITS (\"public\".\"visits\"); INSERT INTO "
        "\"public\".\"kid\" "
        "(diagnosis, extra) VALUES ({diagnosis=d}, 1)"
    );
    expect({
        {"CREATE TABLE kid (diagnosis text) INHERITS (visits)",
         "CREATE TABLE kid (diagnosis pgveil.ciphertext) INHERITS (\"public\".\"visits\")"},
        {"CREATE TABLE kid () INHERITS (visits, notes)",
         "!0A000 public.kid: INHERITS or PARTITION OF an unprotected table"},
        {"CREATE TABLE kid (diagnosis int) INHERITS (visits)",
         "!0A000 public.visits.diagnosis: is int4 here, but text in the policy "
         "(/tables/public.visits/columns/diagnosis)"},
    });
}

TEST_F(Partitions, LikeTakesColumnsThatThePolicyKnows) {
    const auto parsed = config::parse_policy("policy.json", R"json({ "tables": {
      "public.visits": { "columns": {
        "patient_ssn": { "type": "text", "search": "equality", "context": "person.ssn" },
        "diagnosis":   { "type": "text" } } },
      "public.copy": { "columns": {
        "patient_ssn": { "type": "text", "search": "equality", "context": "person.ssn" },
        "diagnosis":   { "type": "text" } } },
      "*.draft": { "columns": {
        "patient_ssn": { "type": "text", "search": "equality", "context": "draft.ssn" },
        "diagnosis":   { "type": "text", "context": "draft.diagnosis" } } },
      "*.loose": { "columns": { "diagnosis": { "type": "text" } } },
      "public.wrong": { "columns": { "patient_ssn": { "type": "text", "search": "equality" },
                                     "diagnosis":   { "type": "varchar(9)" } } } } })json");
    ASSERT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
    clinic.policy = *parsed;
    const std::string sent =
        clinic.sent("CREATE TABLE copy (LIKE visits); INSERT INTO copy (diagnosis) VALUES ('d')");
    EXPECT_TRUE(sent.starts_with("CREATE TABLE \"public\".\"copy\" (" + std::string(kChecks)))
        << sent;
    EXPECT_NE(sent.find(", CONSTRAINT \"pgveil_diagnosis\" CHECK"), std::string::npos) << sent;
    EXPECT_TRUE(
        sent.ends_with("LIKE \"public\".\"visits\"); INSERT INTO \"public\".\"copy\" (diagnosis) "
                       "VALUES ({diagnosis=d})")
    ) << sent;
    const std::string temporary = clinic.sent(
        "CREATE TEMP TABLE draft (LIKE visits); INSERT INTO draft (diagnosis) VALUES ('d')"
    );
    EXPECT_TRUE(temporary.starts_with("CREATE TEMP TABLE draft (" + std::string(kChecks)))
        << temporary;
    EXPECT_TRUE(
        temporary.ends_with("INSERT INTO \"pg_temp\".\"draft\" (diagnosis) VALUES ({diagnosis=d})")
    ) << temporary;
    const std::string other =
        ": CREATE TABLE (LIKE ...) into a table where the policy says something else of it";
    expect({
        {"CREATE TABLE copy (LIKE visits INCLUDING ALL)",
         "CREATE TABLE \"public\".\"copy\" (LIKE \"public\".\"visits\" INCLUDING ALL)"},
        {"CREATE TABLE free (LIKE visits)", "!0A000 public.visits.patient_ssn" + other},
        {"CREATE TEMP TABLE free (LIKE visits)", "!0A000 public.visits.patient_ssn" + other},
        {"CREATE TABLE wrong (LIKE visits)", "!0A000 public.visits.diagnosis" + other},
        {"CREATE TABLE free (LIKE notes)", "CREATE TABLE free (LIKE notes)"},
        {"CREATE TEMP TABLE loose (diagnosis text)", "!0A000 loose: CREATE TEMPORARY TABLE"},
        {"CREATE TEMP TABLE visits (a int)", "!0A000 visits: CREATE TEMPORARY TABLE"},
    });
}

TEST_F(Partitions, MayBePinned) {
    part();
    config::PolicyContent content;
    content.tables = clinic.policy->tables();
    content.pins[{"public", "part"}] = {
        catalog::shape_of(*clinic.catalog.find({"public", "part"})->relation)};
    clinic.policy = std::make_shared<const config::Policy>(std::move(content));
    EXPECT_EQ(clinic.sent("SELECT id FROM public.part"), "SELECT id FROM public.part");
    auto plain = table("part", {"day", "diagnosis", "patient_ssn", "patient_id", "id"});
    put(plain);
    EXPECT_EQ(
        clinic.sent("INSERT INTO part (diagnosis) VALUES ('d')"),
        "!0A000 public.part: has another shape than the pinned one"
    ) << "a database that hides what the table is gets nothing";
}

}  // namespace
}  // namespace pgveil::analysis::test
