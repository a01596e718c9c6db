#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>

// What of a plan tells whether a token of limited scope may be used for it.
namespace pgveil::analysis::test {
namespace {

class Effects : public testing::Test {
protected:
    StatementPlan plan(std::string_view sql) const {
        Decision decision = clinic_.decide(sql);
        auto* const made = std::get_if<StatementPlan>(&decision);
        EXPECT_NE(made, nullptr) << sql << ": " << clinic_.sent(sql);
        return made == nullptr ? StatementPlan() : std::move(*made);
    }

    std::string tables(std::string_view sql) const {
        std::vector<std::string> names = plan(sql).tables;
        std::sort(names.begin(), names.end());
        std::string text;
        for (const std::string& name : names) {
            text += (text.empty() ? "" : ",") + name;
        }
        return text;
    }

    Clinic clinic_;
};

TEST_F(Effects, WhatOnlyReads) {
    for (const char* const sql :
         {"SELECT name FROM patients",
          "SELECT count(*) FROM patients",
          "WITH p AS (SELECT id FROM patients) SELECT * FROM p",
          "SELECT id FROM patients FOR UPDATE",
          "COPY patients (id, name) TO STDOUT",
          "EXPLAIN SELECT name FROM patients",
          "DECLARE c CURSOR FOR SELECT name FROM patients",
          "PREPARE p AS INSERT INTO patients (id) VALUES (1)",
          "SELECT 1",
          "BEGIN",
          "COMMIT",
          "SET work_mem = '1MB'",
          "SHOW work_mem"}) {
        EXPECT_FALSE(plan(sql).may_write) << sql;
    }
}

TEST_F(Effects, WhatMayBringManyRows) {
    for (const char* const sql :
         {"SELECT name FROM patients",
          "SELECT * FROM patients p JOIN notes n ON p.id = n.id ORDER BY n.id",
          "TABLE patients"}) {
        EXPECT_TRUE(plan(sql).may_bring_many) << sql;
    }
    for (const char* const sql :
         {"SELECT name FROM patients WHERE id = 1",
          "SELECT name FROM patients LIMIT 1",
          "SELECT name, now() FROM patients",
          "SELECT name, $1::int FROM patients",
          "EXPLAIN SELECT name FROM patients",
          "DECLARE c CURSOR FOR SELECT name FROM patients",
          "CREATE TABLE fresh AS SELECT id FROM patients",
          "SELECT 1"}) {
        EXPECT_FALSE(plan(sql).may_bring_many) << sql;
    }
    EXPECT_FALSE(plan("PREPARE p AS SELECT name FROM patients").defined->may_bring_many);
}

TEST_F(Effects, WhatWritesOrMay) {
    for (const char* const sql :
         {"INSERT INTO patients (id) VALUES (1)",
          "UPDATE patients SET name = 'x' WHERE id = 1",
          "DELETE FROM patients",
          "TRUNCATE patients",
          "WITH d AS (DELETE FROM patients RETURNING id) SELECT id FROM d",
          "MERGE INTO patients p USING notes n ON p.id = n.id WHEN MATCHED THEN DELETE",
          "COPY patients (id, name) FROM STDIN",
          "EXPLAIN ANALYZE DELETE FROM patients",
          "CREATE INDEX ON patients (id)",
          "INSERT INTO notes (id) VALUES (1)",
          "CREATE TABLE fresh AS SELECT id FROM patients",
          "DROP TABLE notes",
          "GRANT SELECT ON patients TO PUBLIC",
          "DO $$ BEGIN END $$"}) {
        EXPECT_TRUE(plan(sql).may_write) << sql;
    }
}

TEST_F(Effects, APreparedStatementDoesWhatItsTextDoes) {
    const StatementPlan writing = plan("PREPARE p AS INSERT INTO patients (id) VALUES (1)");
    ASSERT_NE(writing.defined, nullptr);
    EXPECT_TRUE(writing.defined->may_write);
    const StatementPlan reading = plan("PREPARE p AS SELECT name FROM patients");
    EXPECT_FALSE(reading.defined->may_write);
    EXPECT_EQ(reading.defined->tables, std::vector<std::string>{"public.patients"});
    const Analysis both = clinic_.analyze(
        "PREPARE p AS INSERT INTO patients (id) VALUES (1); EXECUTE p; PREPARE q AS SELECT id FROM "
        "patients; EXECUTE q"
    );
    ASSERT_EQ(both.statements.size(), 4U);
    EXPECT_TRUE(std::get<StatementPlan>(both.statements[1]).may_write);
    EXPECT_FALSE(std::get<StatementPlan>(both.statements[3]).may_write);
}

TEST_F(Effects, TheTablesThatAStatementNames) {
    EXPECT_EQ(tables("SELECT name FROM patients"), "public.patients");
    EXPECT_EQ(tables("SELECT count(*) FROM patients"), "public.patients");
    EXPECT_EQ(tables("DELETE FROM patients"), "public.patients");
    EXPECT_EQ(tables("SELECT id FROM notes"), "");
    EXPECT_EQ(
        tables("SELECT 1 FROM patients WHERE EXISTS (SELECT 1 FROM visits)"),
        "public.patients,public.visits"
    );
    EXPECT_EQ(
        tables("WITH v AS (SELECT count(*) FROM visits) SELECT name FROM patients, v"),
        "public.patients,public.visits"
    );
    EXPECT_EQ(tables("INSERT INTO notes (id) SELECT count(*) FROM patients"), "public.patients");
    EXPECT_EQ(tables("COPY patients (id, name) FROM STDIN"), "public.patients");
    EXPECT_EQ(tables("TRUNCATE patients, notes"), "public.patients");
}

}  // namespace
}  // namespace pgveil::analysis::test
