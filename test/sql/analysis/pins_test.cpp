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

}  // namespace
}  // namespace pgveil::analysis::test
