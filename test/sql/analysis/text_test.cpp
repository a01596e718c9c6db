#include "sql/analysis/rules.hpp"
#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

namespace pgveil::analysis::test {
namespace {

std::string repeated(std::string_view part, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text.append(part);
    }
    return text;
}

std::string sqlstate_of(const Clinic& clinic, std::string_view sql) {
    const Decision decision = clinic.decide(sql);
    const auto* const rejection = std::get_if<Rejection>(&decision);
    return rejection == nullptr ? "" : rejection->sqlstate;
}

TEST(Text, EachStatementGetsItsDecision) {
    const Clinic clinic;
    const std::string_view sql = "BEGIN; SELECT upper(name) FROM patients; SELECT 1 ; ";
    const Analysis analysis = clinic.analyze(sql);
    ASSERT_EQ(analysis.statements.size(), 3U);
    EXPECT_FALSE(analysis.passthrough);
    const auto& begin = std::get<StatementPlan>(analysis.statements[0]);
    EXPECT_EQ(sql.substr(begin.begin, begin.end - begin.begin), "BEGIN");
    EXPECT_TRUE(std::holds_alternative<Rejection>(analysis.statements[1]));
    const auto& last = std::get<StatementPlan>(analysis.statements[2]);
    EXPECT_EQ(sql.substr(last.begin, last.end - last.begin), " SELECT 1 ");
}

TEST(Text, SplicesOfSeveralStatementsStayInOrder) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("DELETE FROM patients WHERE ssn='a'; DELETE FROM visits WHERE patient_ssn='b'"),
        "DELETE FROM \"public\".\"patients\" WHERE ssn={ssn=a}; DELETE FROM \"public\".\"visits\" "
        "WHERE "
        "patient_ssn={patient_ssn=b}"
    );
}

TEST(Text, AfterAChangeOfSearchPathNamesAreNotTrusted) {
    const Clinic clinic;
    const Analysis analysis =
        clinic.analyze("SET search_path = x; INSERT INTO notes VALUES (1); SELECT 1");
    ASSERT_EQ(analysis.statements.size(), 3U);
    EXPECT_TRUE(std::holds_alternative<Rejection>(analysis.statements[1]));
    EXPECT_TRUE(std::holds_alternative<StatementPlan>(analysis.statements[2]));
}

TEST(Text, UnreadableTextPassesOnlyWhenNothingProtectedIsNamed) {
    const Clinic clinic;
    for (const std::string_view sql :
         {"SELEC 1",
          "SELECT * FROM notes WHERE",
          "SELECT * FROM JSON_TABLE('[]', '$' COLUMNS (a int))",
          "'open",
          "\xff\xfe",
          "SELECT 'x\n"}) {
        const Analysis analysis = clinic.analyze(sql);
        EXPECT_TRUE(analysis.parse_failed) << sql;
        EXPECT_TRUE(analysis.passthrough) << sql;
    }
    for (const std::string_view sql :
         {"SELEC name FROM patients",
          "SELECT FROM WHERE \"patients\"",
          "SELEC U&\"\\0070atients\"",
          "MERGE INTO v_patients USING notes ON true WHEN MATCHED THEN DELETE RETURNING *",
          "SELEC 'x' /* patients",
          "SELEC * FROM pgveil.keyring",
          "SELEC set_config('pgveil.user_id', 'x')",
          "UPDATE \"Odd Table\" SETT x",
          "SELEC $$ select from Visits $$"}) {
        EXPECT_EQ(sqlstate_of(clinic, sql), "0A000") << sql;
    }
}

TEST(Text, BackslashesWithoutConformingStringsAreNotGuessedAt) {
    Clinic clinic;
    clinic.standard_conforming_strings = false;
    EXPECT_EQ(sqlstate_of(clinic, "SELECT 1 FROM patients WHERE ssn = 'a\\'"), "0A000");
    EXPECT_EQ(
        sqlstate_of(clinic, "SELECT '\\' FROM notes WHERE '; DELETE FROM patients --' = ''"),
        "0A000"
    );
    EXPECT_TRUE(clinic.analyze("SELECT E'\\n' FROM notes").passthrough);
    EXPECT_EQ(
        clinic.sent("SELECT 1 FROM patients WHERE ssn = 'a'"),
        "SELECT 1 FROM \"public\".\"patients\" WHERE ssn = {ssn=a}"
    );
}

TEST(Text, HostileTextsAreRefusedOrServed) {
    const Clinic clinic;
    EXPECT_TRUE(clinic.analyze("SELECT 1" + repeated("+1", 200'000)).passthrough);
    EXPECT_EQ(
        sqlstate_of(clinic, "SELECT 1" + repeated("+1", 200'000) + " FROM patients"), "54001"
    );
    EXPECT_EQ(
        sqlstate_of(clinic, "SELECT " + repeated("(", 100'000) + "name FROM patients"), "54001"
    );
    EXPECT_EQ(
        sqlstate_of(clinic, "SELECT 1 FROM patients WHERE " + repeated("NOT ", 5'000) + "true"),
        "54001"
    );
    EXPECT_EQ(
        sqlstate_of(clinic, "SELECT 1 FROM patients WHERE id IN (0" + repeated(",1", 50'000) + ")"),
        ""
    );
    EXPECT_EQ(
        sqlstate_of(
            clinic, "SELECT 1 FROM patients WHERE city = '" + std::string(1'000'000, 'x') + "'"
        ),
        ""
    );
    EXPECT_EQ(
        sqlstate_of(
            clinic, "SELECT 1 FROM patients WHERE ssn = '" + std::string(1'000'000, 'x') + "'"
        ),
        "54000"
    );
    EXPECT_EQ(sqlstate_of(clinic, std::string("SELECT 1 FROM patients\0 x", 24)), "0A000");
}

TEST(Text, LimitsWhatIsGivenToTheParser) {
    Clinic clinic;
    clinic.limits.tokens = 1'000;
    EXPECT_EQ(sqlstate_of(clinic, "SELECT 1" + repeated(",1", 490) + " FROM patients"), "");
    EXPECT_EQ(sqlstate_of(clinic, "SELECT 1" + repeated(",1", 500) + " FROM patients"), "54001");
    EXPECT_TRUE(clinic.analyze("SELECT 1" + repeated(",1", 1'990)).passthrough);
    EXPECT_EQ(sqlstate_of(clinic, "SELECT 1" + repeated(",1", 2'000)), "54000");
}

TEST(Text, LimitsItsStatements) {
    const Clinic clinic;
    EXPECT_TRUE(clinic.analyze(repeated("SELECT 1;", 10'000)).passthrough);
    EXPECT_EQ(sqlstate_of(clinic, repeated("SELECT 1;", 10'001)), "54000");
    EXPECT_EQ(sqlstate_of(clinic, repeated("SELECT;", 500'000)), "54000");
}

std::string chain(std::size_t count, const std::string& table) {
    std::string sql = "WITH a0 AS (SELECT id FROM " + table + ")";
    for (std::size_t i = 1; i < count; ++i) {
        sql += ", a" + std::to_string(i) + " AS (SELECT id FROM a" + std::to_string(i - 1) + ")";
    }
    return sql + " SELECT id FROM a" + std::to_string(count - 1);
}

TEST(Text, NamesOfWithAreNotLookedUp) {
    Clinic clinic;
    EXPECT_TRUE(clinic.analyze(chain(1'000, "notes")).passthrough);
    EXPECT_FALSE(clinic.analyze(chain(1'000, "patients")).passthrough) << "the control";
    EXPECT_EQ(sqlstate_of(clinic, chain(1'000, "patients")), "");
}

TEST(Text, NamesOfWithHideTheTablesOfThatName) {
    const Clinic clinic;
    EXPECT_TRUE(
        clinic.analyze("WITH patients AS (SELECT 1 AS ssn) SELECT ssn FROM patients").passthrough
    );
    for (const std::string_view sql :
         {"WITH patients AS (SELECT 'a' AS ssn FROM patients) SELECT ssn FROM patients",
          "WITH a AS (WITH patients AS (SELECT 1) SELECT 1) SELECT 1 FROM patients WHERE ssn = 'a'",
          "WITH patients AS (SELECT 1) SELECT 1 FROM public.patients WHERE ssn = 'a'",
          "WITH b AS (SELECT 1 FROM patients WHERE ssn = 'a'), patients AS (SELECT 1) SELECT 1 "
          "FROM b",
          "WITH patients AS (SELECT 1) DELETE FROM patients WHERE ssn = 'a'",
          "WITH patients AS (SELECT 1) UPDATE patients SET id = 1 WHERE ssn = 'a'"}) {
        EXPECT_FALSE(clinic.analyze(sql).passthrough) << sql;
    }
}

TEST(Text, LimitsWhatItsPlansTake) {
    Clinic clinic;
    clinic.limits.plan_bytes = 50'000;
    const std::string one = "SELECT ssn FROM patients;";
    EXPECT_EQ(clinic.analyze(one + one).statements.size(), 2U);
    EXPECT_EQ(sqlstate_of(clinic, repeated(one, 100)), "54000");
    EXPECT_TRUE(clinic.analyze(repeated("SELECT 1;", 1'000)).passthrough);
}

TEST(Text, EstimatesWhatItsPlansTake) {
    const Clinic clinic;
    const auto size = [&clinic](std::string_view sql) {
        return size_bytes_of(std::get<StatementPlan>(clinic.decide(sql)));
    };
    const std::size_t one = size("SELECT ssn FROM patients");
    EXPECT_GE(one, sizeof(StatementPlan) + sizeof(ResultColumn));
    EXPECT_GE(
        size("SELECT ssn" + repeated(",ssn", 99) + " FROM patients"),
        one + 99 * sizeof(ResultColumn)
    );
    EXPECT_GE(
        size("SELECT ssn FROM patients WHERE ssn IN ($1" + repeated(",$1", 99) + ")"),
        one + sizeof(ParameterPlan)
    );
    EXPECT_GE(size("PREPARE p AS SELECT ssn FROM patients"), one + sizeof(StatementPlan));
}

TEST(Text, LimitsTheTextAndTheLookups) {
    Clinic clinic;
    clinic.limits.text_bytes = 100;
    EXPECT_EQ(sqlstate_of(clinic, "SELECT 1 -- " + std::string(100, 'x')), "54000");
    clinic.limits = {};
    std::string sql = "SELECT 1 FROM t0";
    for (int i = 1; i < 300; ++i) {
        sql += ", t" + std::to_string(i);
    }
    EXPECT_EQ(sqlstate_of(clinic, sql), "54001");
}

TEST(Text, RandomBytesNeverBreakTheAnalyzer) {
    const Clinic clinic;
    std::mt19937 random(7);
    const std::string_view seed =
        "SELECT p.name, E'\\x', U&'a' UESCAPE '!' FROM patients p JOIN visits USING (ssn) WHERE "
        "ssn = $1::text AND "
        "'x' IN (NULL, date '2020-01-01') /* c */; SET pgveil.user_id = $$x$$; INSERT INTO \"Odd "
        "Table\" VALUES (1,'x')";
    for (int round = 0; round < 3000; ++round) {
        std::string sql(seed);
        const std::size_t changes = 1 + random() % 6;
        for (std::size_t i = 0; i < changes; ++i) {
            const std::size_t at = random() % sql.size();
            switch (random() % 3) {
                case 0: sql[at] = static_cast<char>(random() % 256); break;
                case 1: sql.erase(at, 1 + random() % 9); break;
                default: sql.insert(at, sql.substr(random() % sql.size(), random() % 12));
            }
            if (sql.empty()) {
                sql = "x";
            }
        }
        const Analysis analysis = clinic.analyze(sql);
        for (const Decision& decision : analysis.statements) {
            if (const auto* const plan = std::get_if<StatementPlan>(&decision)) {
                for (const Splice& splice : plan->splices) {
                    ASSERT_LE(splice.begin, splice.end);
                    ASSERT_LE(splice.end, plan->end);
                }
            }
        }
        EXPECT_TRUE(analysis.missing.empty());
    }
}

TEST(Rules, TheTableInMarkdownHasOneLinePerRule) {
    const std::string table = rule_table_markdown();
    std::size_t lines = 0;
    for (const char c : table) {
        lines += c == '\n' ? 1U : 0U;
    }
    EXPECT_EQ(lines, rules().size() + 2);
    for (const Rule& rule : rules()) {
        EXPECT_TRUE((rule.randomized && rule.equality) || !rule.hint.empty()) << rule.construct;
        EXPECT_TRUE(!rule.randomized || rule.equality)
            << "equality allows what randomized allows: " << rule.construct;
    }
}

}  // namespace
}  // namespace pgveil::analysis::test
