#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>

// A table that has another shape than the pinned one is refused.
namespace pgveil::analysis::test {
namespace {

Clinic pinned(const std::string& shape) {
    Clinic clinic;
    config::PolicyContent content;
    content.tables = clinic.policy->tables();
    content.plain = clinic.policy->plain();
    content.pins[{"public", "visits"}] = {"r \"elsewhere\" 23", shape};
    clinic.policy = std::make_shared<const config::Policy>(std::move(content));
    return clinic;
}

constexpr const char* kShape =
    "r \"id\" 0, \"patient_id\" 0, \"patient_ssn\" ciphertext, \"diagnosis\" ciphertext, \"day\" 0";

TEST(Pins, TheShapeOfARelationNamesKindColumnsAndTypes) {
    const Clinic clinic;
    const auto* const entry = clinic.catalog.find({"public", "visits"});
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(catalog::shape_of(*entry->relation), kShape);
    catalog::Relation relation = *entry->relation;
    relation.columns.resize(1);
    relation.columns[0].type_oid = 1043;
    relation.columns[0].typmod = 24;
    relation.columns[0].name = "a \"b";
    relation.relkind = 'p';
    EXPECT_EQ(catalog::shape_of(relation), "p \"a \"\"b\" 1043(24)");
}

TEST(Pins, AnyPinnedShapeIsGood) {
    EXPECT_EQ(
        pinned(kShape).sent("SELECT day FROM public.visits"), "SELECT day FROM public.visits"
    );
}

TEST(Pins, AnotherShapeIsRefusedHoweverTheTableIsUsed) {
    const Clinic clinic = pinned("r \"id\" 0");
    const std::string refusal = "!0A000 public.visits: has another shape than the pinned one";
    for (const char* const sql :
         {"SELECT day FROM visits",
          "INSERT INTO public.visits (id) VALUES (1)",
          "UPDATE visits SET day = NULL",
          "DELETE FROM visits",
          "SELECT 1 FROM patients JOIN visits ON true"}) {
        EXPECT_EQ(clinic.sent(sql), refusal) << sql;
    }
    EXPECT_EQ(clinic.sent("SELECT city FROM public.patients"), "SELECT city FROM public.patients");
}

/// The database stores patients plain, or encrypted, or both.
Clinic migrating(bool is_name_veiled, bool is_ssn_veiled) {
    Clinic clinic;
    clinic.add_to_policy(R"("migrating": ["public.patients"])");
    catalog::Relation patients = *clinic.catalog.find({"public", "patients"})->relation;
    for (catalog::Column& column : patients.columns) {
        const bool is_name = column.name == "name";
        column.is_ciphertext = column.is_ciphertext && (is_name ? is_name_veiled : is_ssn_veiled);
    }
    clinic.add(patients);
    return clinic;
}

TEST(Migrating, ATableIsPlainAsLongAsNoColumnIsEncrypted) {
    const std::string sql = "UPDATE public.patients SET name = 'Ida' WHERE ssn LIKE '1%'";
    EXPECT_EQ(migrating(false, false).sent(sql), sql);
    EXPECT_EQ(Clinic().sent(sql), "!0A000 public.patients.ssn: LIKE");
    EXPECT_EQ(migrating(true, true).sent(sql), Clinic().sent(sql));
}

TEST(Migrating, ATableThatIsPlainInPartIsRefused) {
    EXPECT_EQ(
        migrating(true, false).sent("SELECT id FROM patients"),
        "!0A000 public.patients.ssn: is protected by the policy, but a plain column"
    );
}

TEST(Migrating, TheTableBesideItIsAlwaysProtectedAndSharesItsContexts) {
    Clinic clinic = migrating(true, true);
    catalog::Relation veiled = *clinic.catalog.find({"public", "patients"})->relation;
    veiled.name = "patients__veiled";
    veiled.oid += 1000;
    clinic.add(veiled);
    EXPECT_EQ(
        clinic.sent("INSERT INTO patients__veiled (ssn) SELECT ssn FROM public.patients"),
        "INSERT INTO \"public\".\"patients__veiled\" (ssn) SELECT ssn FROM public.patients"
    );
    for (catalog::Column& column : veiled.columns) {
        column.is_ciphertext = false;
    }
    clinic.add(veiled);
    EXPECT_TRUE(clinic.sent("SELECT id FROM patients__veiled").starts_with("!0A000"));
}

}  // namespace
}  // namespace pgveil::analysis::test
