// The row type of a protected table, named as a type.
#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

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
