// The row type of a protected table, named as a type.
#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgveil::analysis::test {
namespace {

catalog::Relation relation(std::string name, char relkind) {
    static std::uint32_t next_oid = 50000;
    catalog::Relation result;
    result.oid = next_oid++;
    result.schema = "public";
    result.name = std::move(name);
    result.relkind = relkind;
    result.columns.resize(1);
    result.columns.front().name = "ssn";
    result.columns.front().is_ciphertext = true;
    return result;
}

Clinic clinic_with_relatives() {
    Clinic clinic;
    catalog::Relation part = relation("visits_2024", 'r');
    part.columns.front().name = "patient_ssn";
    part.over_protected = true;
    part.ancestors = {{"public", "visits"}};
    clinic.add(std::move(part));
    catalog::Relation view = relation("shown", 'v');
    view.over_protected = true;
    view.view_text = "SELECT p.ssn FROM patients p;";
    clinic.add(std::move(view));
    clinic.add(relation("patients_ssn", 'i'));
    return clinic;
}

TEST(RowTypes, OfProtectedTablesAreRefusedWhereverTheyAreNamed) {
    const Clinic clinic = clinic_with_relatives();
    for (const std::string_view sql : {
             "SELECT ROW(1, 'secret')::patients",
             "SELECT CAST('(1,secret)' AS public.patients)",
             "SELECT patients '(1,secret)'",
             "SELECT ('{\"(1,secret)\"}'::patients[])[1]",
             "SELECT '{\"(1,secret)\"}'::_patients",
             "SELECT '{\"(1,secret)\"}'::public.__patients",
             "SELECT '(secret)'::visits_2024",
             "SELECT '(secret)'::shown",
             "SELECT NULL::\"Odd Table\"",
             "SELECT * FROM json_populate_record(NULL::patients, '{\"ssn\": \"secret\"}')",
             "SELECT * FROM json_to_record('{}') AS r(p patients)",
             "INSERT INTO notes (id) VALUES ((ROW(1, 'secret')::patients).id)",
             "INSERT INTO patients SELECT (ROW(1, 'secret')::patients).*",
             "UPDATE notes SET id = ('(1,secret)'::patients).id",
             "DELETE FROM notes WHERE id = ('(1,secret)'::patients).id",
             "CREATE TABLE history (old patients)",
             "CREATE TABLE history (id int, old public.patients[])",
             "ALTER TABLE notes ADD COLUMN old patients",
             "ALTER TABLE notes ALTER COLUMN body TYPE patients USING ROW(1, 'secret')",
             "CREATE INDEX ON notes ((body::patients))",
             "CREATE VIEW w AS SELECT ROW(1, 'secret')::patients AS p",
             "CREATE TABLE t AS SELECT '(1,secret)'::patients AS p",
             "PREPARE q (patients) AS SELECT $1",
             "PREPARE q AS SELECT $1::patients",
             "EXECUTE q('(1,secret)'::patients)",
             "DECLARE c CURSOR FOR SELECT '(1,secret)'::patients",
             "EXPLAIN SELECT '(1,secret)'::patients",
             "COPY (SELECT '(1,secret)'::patients) TO STDOUT",
             "SELECT 'x'::stray",
         }) {
        EXPECT_EQ(clinic.sent(sql).substr(0, 7), "!0A000 ") << sql << "\n" << clinic.sent(sql);
    }
    EXPECT_EQ(
        clinic.sent("SELECT ROW(1, 'secret')::patients"),
        "!0A000 patients: the row type of a table with encrypted columns"
    );
}

TEST(RowTypes, OfOthersAreTypesAsAnyOther) {
    const Clinic clinic = clinic_with_relatives();
    for (const std::string_view sql : {
             "SELECT ROW(1, 'a')::notes",
             "SELECT NULL::archive.visits",
             "SELECT NULL::mood, 'a'::text, 'b'::varchar(3), 1::regclass, 'c'::_text, "
             "NULL::pg_class",
             "SELECT NULL::pg_catalog.int4, '{}'::_int4",
             "CREATE TABLE history (old notes)",
             "EXECUTE patients('x'::text)",
         }) {
        EXPECT_EQ(clinic.sent(sql), sql);
    }
}

using Kind = catalog::RelationName::Kind;

/// What the database says of a type, by all its names.
void add_type(
    Clinic& clinic, const std::string& name, const std::string& oid, catalog::HeldRows held
) {
    catalog::Entry entry{std::nullopt, "public"};
    entry.held_rows = std::move(held);
    for (const auto& [schema, type, kind] : std::vector<catalog::RelationName>{
             {"", name, Kind::kType}, {"public", name, Kind::kType}, {"", oid, Kind::kTypeOid}}) {
        clinic.catalog.put({schema, type, kind}, entry);
    }
}

Clinic clinic_with_types() {
    Clinic clinic = clinic_with_relatives();
    add_type(clinic, "someone", "16501", {true, {{"public", "patients"}}});
    add_type(clinic, "part_span", "16502", {false, {{"public", "notes"}, {"public", "shown"}}});
    add_type(clinic, "hidden", "16503", {true, {}});
    add_type(clinic, "twin", "16504", {false, {{"other", "patients"}}});
    add_type(clinic, "short", "16505", {false, {}});
    add_type(clinic, "page", "16506", {false, {{"public", "notes"}, {"archive", "visits"}}});
    return clinic;
}

TEST(HeldRows, OfProtectedTablesAreRefusedInWhateverTypeTheyAre) {
    Clinic clinic = clinic_with_types();
    for (const std::string_view type :
         {"someone", "public.someone[]", "part_span", "hidden", "twin"}) {
        const std::string sql = "SELECT NULL::" + std::string(type);
        EXPECT_EQ(clinic.sent(sql).substr(0, 7), "!0A000 ") << clinic.sent(sql);
    }
    for (const std::string_view sql :
         {"CREATE DOMAIN more AS someone CHECK (VALUE IS NOT NULL)",
          "CREATE TYPE more AS (a public.someone)",
          "ALTER TYPE page ADD ATTRIBUTE who someone"}) {
        EXPECT_EQ(clinic.sent(sql).substr(0, 7), "!0A000 ") << clinic.sent(sql);
    }
    EXPECT_EQ(clinic.sent("CREATE DOMAIN more AS short"), "CREATE DOMAIN more AS short");
    for (const std::string_view type : {"short", "public.page", "page[]", "absent"}) {
        const std::string sql = "SELECT NULL::" + std::string(type);
        EXPECT_EQ(clinic.sent(sql), sql);
    }
    catalog::Entry called{std::nullopt, "public"};
    called.routines = {{"public", catalog::Routine::Reason::kType}};
    for (const std::string_view name : {"someone", "short"}) {
        clinic.catalog.put({"", std::string(name), Kind::kFunction}, called);
        clinic.catalog.put(
            {"", std::string(name), Kind::kFunctionBody}, catalog::Entry{std::nullopt, "public"}
        );
    }
    EXPECT_EQ(clinic.sent("SELECT someone('(1,secret)')").substr(0, 7), "!0A000 ");
    EXPECT_EQ(clinic.sent("SELECT short('abc')"), "SELECT short('abc')");
}

TEST(HeldRows, InATypeThatParseDeclaresAreRefused) {
    Clinic clinic = clinic_with_types();
    for (const std::uint32_t oid : {16501U, 16502U, 16503U, 16504U}) {
        for (const std::string_view sql :
             {"SELECT $1", "SELECT $1 IS NULL FROM patients", "", "SELECT 1", "not SQL"}) {
            clinic.parameter_oids = {25, oid};
            EXPECT_EQ(
                clinic.sent(sql).substr(0, 60),
                "!0A000 parameter $2: the declared type (OID " + std::to_string(oid) + "), with enc"
            ) << sql;
        }
    }
    for (const std::uint32_t oid : {16505U, 16506U, 25U, 0U, 705U, 2249U}) {
        clinic.parameter_oids = {oid};
        EXPECT_EQ(clinic.sent("SELECT $1 IS NULL"), "SELECT $1 IS NULL") << oid;
    }
    clinic.parameter_oids = {16599};
    EXPECT_EQ(clinic.sent("SELECT $1"), "!42704 type with OID 16599 does not exist");
}

TEST(HeldRows, AreLookedUp) {
    const Clinic clinic;
    const types::TextStyle style;
    analysis::Context context{
        .policy = *clinic.policy,
        .catalog = clinic.catalog,
        .style = style,
        .parameter_oids = {16600, 25},
        .limits = {}};
    const std::vector<catalog::RelationName> expected = {{"", "16600", Kind::kTypeOid}};
    EXPECT_EQ(analysis::analyze("SELECT $1", context).missing, expected);
    context.parameter_oids = {};
    const std::vector<catalog::RelationName> names = {
        {"s", "kind", Kind::kRelation}, {"s", "kind", Kind::kType}};
    EXPECT_EQ(analysis::analyze("SELECT NULL::s.kind", context).missing, names);
}

TEST(Indexes, OfEncryptedColumnsAreRenamedAndAttached) {
    const Clinic clinic = clinic_with_relatives();
    for (const std::string_view sql :
         {"ALTER INDEX patients_ssn RENAME TO patients_number",
          "ALTER INDEX public.patients_ssn ATTACH PARTITION visits_index",
          "ALTER INDEX patients_ssn SET (fillfactor = 70)"}) {
        EXPECT_EQ(clinic.sent(sql), sql);
    }
    EXPECT_EQ(clinic.sent("ALTER INDEX patients_ssn RENAME TO visits").substr(0, 7), "!0A000 ")
        << "the name of a protected table";
    EXPECT_EQ(clinic.sent("INSERT INTO patients_ssn VALUES ('secret')").substr(0, 7), "!0A000 ");
}

}  // namespace
}  // namespace pgveil::analysis::test
