#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What of a plan tells whether a user without a key group may run it.
namespace pgveil::analysis::test {
namespace {

constexpr std::string_view kGroupsPolicy = R"json({ "tables": {
    "public.patients": { "columns": {
      "name":   { "type": "varchar(10)" },
      "ssn":    { "type": "text", "search": "equality", "group": "medical", "on_missing_key": "null" },
      "born":   { "type": "date", "search": "equality", "group": "medical" },
      "active": { "type": "bool", "search": "equality" },
      "age":    { "type": "int4", "search": "equality" },
      "email":  { "type": "varchar(20)", "search": "equality" },
      "note":   { "type": "text", "group": "medical", "on_missing_key": "null" } } },
    "public.events": { "columns": {
      "day":   { "type": "date", "search": "order" },
      "due":   { "type": "date", "search": "order", "context": "public.events.day" },
      "paid":  { "type": "timestamp(3)", "search": "order" },
      "rank":  { "type": "int4", "search": "order" },
      "cost":  { "type": "numeric(8,2)", "search": "order" },
      "title": { "type": "varchar(10)", "search": "order" },
      "code":  { "type": "char(3)", "search": "order", "order_bytes": 9 } } } } })json";

using Cases = std::vector<std::pair<std::string_view, std::string_view>>;

class KeyGroups : public testing::Test {
protected:
    void SetUp() override {
        const auto parsed = config::parse_policy("policy.json", kGroupsPolicy);
        ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
        clinic_.policy = *parsed;
    }

    StatementPlan plan(std::string_view sql) const {
        Decision decision = clinic_.decide(sql);
        auto* const made = std::get_if<StatementPlan>(&decision);
        EXPECT_NE(made, nullptr) << sql;
        return made == nullptr ? StatementPlan() : std::move(*made);
    }

    static std::string names(const std::vector<ColumnPtr>& columns) {
        std::vector<std::string> sorted;
        for (const ColumnPtr& column : columns) {
            sorted.push_back(column->name);
        }
        std::sort(sorted.begin(), sorted.end());
        std::string text;
        for (const std::string& name : sorted) {
            text += (text.empty() ? "" : ",") + name;
        }
        return text;
    }

    void expect_compared(const Cases& cases) const {
        for (const auto& [sql, columns] : cases) {
            EXPECT_EQ(names(plan(sql).compared), columns) << sql;
        }
    }

    void expect_guarded(const Cases& cases) const {
        for (const auto& [sql, columns] : cases) {
            const StatementPlan made = plan(sql);
            EXPECT_EQ(names(made.guarded), columns) << sql;
            EXPECT_TRUE(made.guarded.empty() || made.needs_keys()) << sql;
        }
    }

    Clinic clinic_;
};

TEST_F(KeyGroups, WhatTheServerComparesSortsOrGroupsIsNoted) {
    expect_compared({
        {"SELECT ssn, note FROM patients", ""},
        {"SELECT count(ssn) FROM patients WHERE note IS NULL", ""},
        {"SELECT name FROM patients WHERE ssn = 'x'", "ssn"},
        {"SELECT a.name FROM patients a JOIN patients b ON a.ssn = b.ssn", "ssn"},
        {"SELECT name FROM patients WHERE ssn IN (SELECT ssn FROM patients)", "ssn"},
        {"SELECT ssn, count(*) FROM patients GROUP BY ssn", "ssn"},
        {"SELECT DISTINCT ssn FROM patients", "ssn"},
        {"SELECT ssn FROM patients UNION SELECT ssn FROM patients", "ssn"},
        {"SELECT ssn FROM patients UNION ALL SELECT ssn FROM patients", ""},
        {"SELECT count(DISTINCT ssn), count(*) FROM patients", "ssn"},
        {"SELECT count(*) OVER (PARTITION BY born), ssn FROM patients", "born"},
        {"SELECT max(day) FROM events", "day"},
        {"SELECT id FROM events ORDER BY day", "day"},
        {"SELECT DISTINCT id, note FROM patients", ""},
        {"SELECT CASE WHEN id = 1 THEN ssn END FROM patients", ""},
        {"SELECT CASE ssn WHEN 'x' THEN 1 END FROM patients", "ssn"},
    });
}

TEST_F(KeyGroups, EveryAssignmentThatWouldEraseAHiddenValueIsNoted) {
    expect_guarded({
        {"INSERT INTO patients (id, name) VALUES (1, 'x')", ""},
        {"INSERT INTO patients (id, note) VALUES (1, NULL)", "note"},
        {"INSERT INTO patients (id, note) VALUES (1, DEFAULT)", ""},
        {"INSERT INTO patients (id, born) VALUES (1, NULL)", ""},
        {"INSERT INTO patients (id, note) SELECT id, note FROM patients", "note"},
        {"INSERT INTO patients (id, note) VALUES (1, $1)", "note"},
        {"INSERT INTO patients (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET note = excluded.note",
         "note"},
        {"UPDATE patients SET note = NULL WHERE id = 1", "note"},
        {"UPDATE patients SET note = DEFAULT WHERE id = 1", "note"},
        {"UPDATE patients SET (name, note) = ('x', NULL) WHERE id = 1", "note"},
        {"UPDATE patients SET note = note WHERE id = 1", "note"},
        {"UPDATE patients SET name = 'x' WHERE id = 1", ""},
        {"DELETE FROM patients WHERE id = 1", ""},
        {"MERGE INTO patients p USING events e ON p.id = e.id WHEN MATCHED THEN UPDATE SET note = "
         "NULL WHEN NOT MATCHED THEN INSERT (id, ssn) VALUES (e.id, NULL)",
         "note,ssn"},
        {"WITH w AS (UPDATE patients SET note = NULL RETURNING id) SELECT * FROM w", "note"},
    });
}

TEST_F(KeyGroups, APreparedStatementAndACursorKeepThem) {
    const StatementPlan prepared =
        plan("PREPARE p (int) AS UPDATE patients SET note = NULL WHERE id = $1 AND ssn = ssn");
    EXPECT_FALSE(prepared.needs_keys());
    EXPECT_EQ(names(prepared.guarded) + names(prepared.compared), "");
    ASSERT_NE(prepared.defined, nullptr);
    EXPECT_EQ(names(prepared.defined->guarded), "note");
    EXPECT_EQ(names(prepared.defined->compared), "ssn");
    const StatementPlan cursor = plan(
        "DECLARE c CURSOR FOR SELECT note FROM patients WHERE ssn IN (SELECT ssn FROM patients)"
    );
    ASSERT_NE(cursor.defined, nullptr);
    EXPECT_EQ(names(cursor.defined->compared), "ssn");
}

}  // namespace
}  // namespace pgveil::analysis::test
