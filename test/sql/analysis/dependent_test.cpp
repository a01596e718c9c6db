#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

// Sequences with an owner, and extended statistics.
namespace pgveil::analysis::test {
namespace {

TEST(OwnedSequence, OfAPlainColumnPassesWithTheSchemaOfItsTable) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("ALTER SEQUENCE s OWNED BY patients.id"),
        "ALTER SEQUENCE s OWNED BY \"public\".\"patients\".id"
    );
    EXPECT_EQ(
        clinic.sent(
            "CREATE SEQUENCE s INCREMENT 2 OWNED BY /* . */ PATIENTS . \"id\" CACHE 3 -- end"
        ),
        "CREATE SEQUENCE s INCREMENT 2 OWNED BY /* . */ \"public\".\"patients\" . \"id\" CACHE 3 "
        "-- end"
    );
    EXPECT_EQ(
        clinic.sent("ALTER SEQUENCE s OWNED BY public.patients.id"),
        "ALTER SEQUENCE s OWNED BY public.patients.id"
    );
    for (const std::string_view sql : {
             "ALTER SEQUENCE s OWNED BY NONE",
             "ALTER SEQUENCE s OWNED BY notes.id",
             "CREATE SEQUENCE s OWNED BY notes.ssn",
             "ALTER SEQUENCE s OWNED BY archive.visits.diagnosis",
         }) {
        EXPECT_TRUE(clinic.analyze(sql).passthrough) << sql << clinic.sent(sql);
    }
    const auto plan =
        std::get<StatementPlan>(clinic.decide("CREATE SEQUENCE s OWNED BY patients.id"));
    EXPECT_TRUE(plan.changes_catalog);
    EXPECT_FALSE(plan.needs_keys());
}

TEST(OwnedSequence, NeedsAPlainColumnAndANameOfItsOwn) {
    const Clinic clinic;
    for (const std::string_view sql : {
             "ALTER SEQUENCE s OWNED BY patients.age",
             "CREATE SEQUENCE s OWNED BY public.patients.age",
             "CREATE SEQUENCE s OWNED BY u&\"p\\0061tients\".age",
             "CREATE SEQUENCE patients OWNED BY patients.id",
             "ALTER SEQUENCE patients OWNED BY notes.id",
             "CREATE SEQUENCE s OWNED BY other.patients.id",
             "CREATE SEQUENCE s OWNED BY clinic.public.patients.id",
             "CREATE SEQUENCE s OWNED BY patients.id OWNED BY patients.id",
             "CREATE SEQUENCE s OWNED BY patients",
             "CREATE SEQUENCE s AS pgveil.ciphertext OWNED BY patients.id",
         }) {
        EXPECT_EQ(clinic.sent(sql).substr(0, 6), "!0A000") << sql << clinic.sent(sql);
    }
    Clinic empty;
    empty.catalog.put({"", "patients"}, catalog::Entry{std::nullopt, "public"});
    EXPECT_EQ(
        empty.sent("ALTER SEQUENCE s OWNED BY patients.id"),
        "!42P01 relation \"patients\" does not exist"
    );
}

TEST(Statistics, TakePlainColumns) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("CREATE STATISTICS IF NOT EXISTS s (mcv) ON id, lower(city) FROM patients"),
        "CREATE STATISTICS IF NOT EXISTS s (mcv) ON id, lower(city) FROM \"public\".\"patients\""
    );
    EXPECT_TRUE(clinic.analyze("CREATE STATISTICS s ON ssn, id FROM notes").passthrough);
    for (const std::string_view sql : {
             "CREATE STATISTICS s ON id, age FROM patients",
             "CREATE STATISTICS s ON id, (age + 1) FROM public.patients",
             "CREATE STATISTICS s ON (id + 1), (coalesce(ssn, 'x')) FROM patients",
             "CREATE STATISTICS s ON id, city FROM patients, notes",
             "CREATE STATISTICS s ON id, city FROM other.patients",
         }) {
        EXPECT_EQ(clinic.sent(sql).substr(0, 6), "!0A000") << sql << clinic.sent(sql);
    }
}

TEST(Definition, WholeRowsAreUsesOfTheirProtectedColumns) {
    const Clinic clinic;
    for (const std::string_view sql : {
             "ALTER TABLE patients ADD CHECK (patients IS DISTINCT FROM ROW(1, 'Ann'))",
             "ALTER TABLE patients ADD CHECK ((patients).ssn = 'x')",
             "ALTER TABLE patients ADD CHECK (patients.* IS NOT NULL)",
             "ALTER TABLE patients ADD EXCLUDE USING hash ((patients) WITH =)",
             "ALTER TABLE patients ADD CHECK ((public.patients).ssn = 'x')",
             "ALTER TABLE patients ADD CHECK (ssn(patients) = 'x')",
             "CREATE TABLE patients (id int, ssn text, CHECK ((patients).ssn = 'x'))",
             "CREATE INDEX ON patients (id) WHERE (patients).ssn = 'x'",
             "CREATE INDEX ON patients ((patients))",
             "CREATE STATISTICS s ON id, (patients) FROM patients",
         }) {
        EXPECT_EQ(clinic.sent(sql).substr(0, 6), "!0A000") << sql << clinic.sent(sql);
    }
    const std::string qualified = "ADD CHECK (patients.city <> public.patients.id::text)";
    EXPECT_EQ(
        clinic.sent("ALTER TABLE patients " + qualified),
        "ALTER TABLE \"public\".\"patients\" " + qualified
    );
}

}  // namespace
}  // namespace pgveil::analysis::test
