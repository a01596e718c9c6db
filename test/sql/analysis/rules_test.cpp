// Each row of the rule table, for each scheme, on one table that has a column of each.
#include "sql/analysis/rules.hpp"

#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace pgveil::analysis::test {
namespace {

using config::Scheme;

constexpr std::string_view kPolicy = R"json({ "tables": {
  "public.t": { "columns": {
    "r": { "type": "date" }, "e": { "type": "date", "search": "equality" },
    "o": { "type": "date", "search": "order" }, "p": { "type": "text", "pad_to": 64 },
    "j": { "type": "json" }, "b": { "type": "text", "bind_to": ["id"] } } },
  "public.u": { "columns": {
    "r": { "type": "date", "context": "public.t.r" },
    "e": { "type": "date", "search": "equality", "context": "public.t.e" },
    "o": { "type": "date", "search": "order", "context": "public.t.o" } } } } })json";

struct Example {
    Use use;
    std::string_view sql;  // @ is the column
};

constexpr std::array kExamples = {
    Example{Use::kMove, "SELECT s.x FROM (SELECT @ AS x FROM t) s"},
    Example{Use::kAssignConstant, "UPDATE t SET @ = '2020-01-01'"},
    Example{Use::kAssignColumn, "UPDATE t SET @ = u.@ FROM u"},
    Example{Use::kNullTest, "SELECT 1 FROM t WHERE @ IS NOT NULL"},
    Example{Use::kCount, "SELECT count(@) FROM t"},
    Example{Use::kUnionAll, "SELECT @ FROM t UNION ALL SELECT @ FROM u"},
    Example{Use::kChoice, "SELECT COALESCE(t.@, u.@, '2020-01-01', NULL, $1) FROM t, u"},
    Example{Use::kEqual, "SELECT 1 FROM t, u WHERE t.@ = u.@ AND t.@ <> $1"},
    Example{Use::kIn, "SELECT 1 FROM t WHERE @ NOT IN ('2020-01-01', NULL)"},
    Example{Use::kDistinctFrom, "SELECT 1 FROM t WHERE @ IS DISTINCT FROM '2020-01-01'"},
    Example{Use::kInSubquery, "SELECT 1 FROM t WHERE @ <> ALL (SELECT @ FROM u)"},
    Example{Use::kAnyArray, "SELECT 1 FROM t WHERE @ = ANY ('{2020-01-01}')"},
    Example{Use::kChoiceTest, "SELECT NULLIF(@, '2020-01-01') FROM t"},
    Example{Use::kUsing, "SELECT 1 FROM t JOIN u USING (@)"},
    Example{Use::kGroupBy, "SELECT count(*) FROM t GROUP BY @"},
    Example{Use::kDistinct, "SELECT DISTINCT @ FROM t"},
    Example{Use::kCountDistinct, "SELECT count(DISTINCT @) FROM t"},
    Example{Use::kSetOperation, "SELECT @ FROM t INTERSECT SELECT @ FROM u"},
    Example{Use::kKey, "ALTER TABLE t ADD UNIQUE (@)"},
    Example{Use::kForeignKey, "ALTER TABLE t ADD FOREIGN KEY (@) REFERENCES u (@)"},
    Example{Use::kIndex, "CREATE INDEX ON t (@)"},
    Example{Use::kOrderBy, "SELECT 1 FROM t ORDER BY @"},
    Example{Use::kRange, "SELECT 1 FROM t WHERE @ <= '2020-01-01'"},
    Example{Use::kMinMax, "SELECT max(@) AS m, count(*) FROM t"},
    Example{Use::kLike, "SELECT 1 FROM t WHERE @ LIKE '2020%'"},
    Example{Use::kOperator, "SELECT @ + 1 FROM t"},
    Example{Use::kFunction, "SELECT date_part('year', @) FROM t"},
    Example{Use::kCast, "SELECT @::text FROM t"},
    Example{Use::kPredicate, "SELECT 1 FROM t WHERE NOT @"},
    Example{Use::kGreatest, "SELECT GREATEST(@, '2020-01-01') FROM t"},
    Example{Use::kRow, "SELECT ROW(@, 1) FROM t"},
    Example{Use::kWholeRow, "SELECT s FROM (SELECT @ FROM t) s"},
    Example{Use::kPartitionBy, "SELECT rank() OVER (PARTITION BY @ ORDER BY id) FROM t"},
    Example{Use::kWindowOrder, "SELECT rank() OVER (ORDER BY @) FROM t"},
    Example{Use::kWindow, "SELECT first_value(@) OVER (ORDER BY id) FROM t"},
    Example{Use::kConstruct, "SELECT ARRAY[@] FROM t"},
    Example{Use::kSubquery, "SELECT ARRAY(SELECT @ FROM t)"},
    Example{Use::kOnConflict, "INSERT INTO t (@) VALUES (NULL) ON CONFLICT (@) DO NOTHING"},
    Example{Use::kMultiAssignment, "UPDATE t SET (@, id) = u FROM u"},
    Example{Use::kSubfield, "UPDATE t SET @[1] = '2020-01-01'"},
    Example{Use::kDefault, "ALTER TABLE t ALTER @ SET DEFAULT now()"},
    Example{Use::kCheck, "ALTER TABLE t ADD CHECK (@ > '2020-01-01')"},
    Example{Use::kGenerated, "ALTER TABLE t ADD g date GENERATED ALWAYS AS (@) STORED"},
    Example{Use::kCollate, "CREATE TABLE t (@ date COLLATE \"C\")"},
    Example{Use::kPartitionHash, "CREATE TABLE t (@ date) PARTITION BY HASH (@)"},
    Example{Use::kPartitionList, "CREATE TABLE t (@ date) PARTITION BY LIST (@)"},
    Example{Use::kPartitionRange, "CREATE TABLE t (@ date) PARTITION BY RANGE (@)"},
    Example{Use::kPartitionKey, "CREATE TABLE t (@ date) PARTITION BY LIST ((@ + 1))"},
};

catalog::Relation table(std::string name, std::initializer_list<std::string_view> ciphertexts) {
    catalog::Relation result;
    result.oid = name == "t" ? 60000 : 60001;
    result.schema = "public";
    result.name = std::move(name);
    result.columns.resize(1);
    result.columns.front().name = "id";
    result.columns.front().attnum = 1;
    result.columns.front().type_oid = 23;
    for (const std::string_view column : ciphertexts) {
        catalog::Column& added = result.columns.emplace_back();
        added.name = column;
        added.attnum = static_cast<std::int16_t>(result.columns.size());
        added.is_ciphertext = true;
    }
    result.keys = {{1}};
    return result;
}

class RuleTable : public ::testing::Test {
protected:
    RuleTable() {
        const auto parsed = config::parse_policy("policy.json", kPolicy);
        EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
        clinic.policy = parsed ? *parsed : nullptr;
        clinic.add(table("t", {"r", "e", "o", "p", "j", "b"}));
        clinic.add(table("u", {"r", "e", "o"}));
    }

    std::string sent(std::string_view sql) const { return clinic.sent(sql); }

    bool is_refused(std::string_view example, char column) const {
        std::string sql;
        for (const char c : example) {
            sql += c == '@' ? column : c;
        }
        const std::string answer = sent(sql);
        EXPECT_TRUE(answer.front() != '!' || answer.starts_with("!0A000")) << sql << answer;
        return answer.front() == '!';
    }

    Clinic clinic;
};

TEST_F(RuleTable, SaysWhatHappens) {
    ASSERT_EQ(kExamples.size(), rules().size());
    for (std::size_t i = 0; i < kExamples.size(); ++i) {
        const auto& [use, sql] = kExamples.at(i);
        ASSERT_EQ(static_cast<std::size_t>(use), i);
        const Rule& rule = rule_of(use);
        EXPECT_EQ(is_refused(sql, 'r'), !allows(rule, Scheme::kRandomized)) << sql;
        EXPECT_EQ(is_refused(sql, 'e'), !allows(rule, Scheme::kEquality)) << sql;
        EXPECT_EQ(is_refused(sql, 'o'), !allows(rule, Scheme::kOrder)) << sql;
    }
}

TEST_F(RuleTable, APaddedColumnCountsAsRandomized) {
    for (const std::string_view sql :
         {"SELECT @ FROM t",
          "INSERT INTO t (@) VALUES ('x'), (NULL), (DEFAULT)",
          "SELECT count(@), COALESCE(@, 'x') FROM t WHERE @ IS NULL",
          "SELECT DISTINCT id, @ FROM t"}) {
        EXPECT_FALSE(is_refused(sql, 'p')) << sql;
    }
    for (const std::string_view sql :
         {"SELECT 1 FROM t WHERE @ = 'x'",
          "SELECT 1 FROM t ORDER BY @",
          "SELECT DISTINCT @ FROM t",
          "CREATE INDEX ON t (@)",
          "SELECT upper(@) FROM t"}) {
        EXPECT_TRUE(is_refused(sql, 'p')) << sql;
    }
}

/// PostgreSQL has no equality of json, whatever key stands beside it.
TEST_F(RuleTable, JsonIsNeverComparedBesideAKey) {
    for (const std::string_view sql :
         {"SELECT DISTINCT id, @ FROM t",
          "SELECT 1 FROM t GROUP BY id, @",
          "SELECT id, @ FROM t UNION SELECT id, @ FROM t"}) {
        EXPECT_TRUE(is_refused(sql, 'j')) << sql;
        EXPECT_FALSE(is_refused(sql, 'r')) << sql;
    }
}

TEST_F(RuleTable, SortedValuesGoIntoPlainColumnsOnly) {
    EXPECT_TRUE(is_refused("INSERT INTO t (id, @) VALUES (1, 'x') ORDER BY 1", 'p'));
    EXPECT_FALSE(is_refused("INSERT INTO t (id, @) VALUES (1, 'x') LIMIT 1", 'p'));
    EXPECT_FALSE(is_refused("INSERT INTO t (id) VALUES (2), (1) ORDER BY 1", 'p'));
}

TEST_F(RuleTable, AViewShowsNoBoundColumnAndNoneOfItsKeysIsChangedThere) {
    catalog::Relation bound;
    bound.oid = 60002;
    bound.schema = "public";
    bound.name = "bound";
    bound.relkind = 'v';
    bound.over_protected = true;
    bound.view_text = "SELECT t.id AS k FROM t;";
    bound.columns.resize(1);
    bound.columns.front().name = "k";
    clinic.add(bound);
    EXPECT_TRUE(sent("CREATE VIEW w AS SELECT id, b FROM t").starts_with("!0A000 public.t.b"));
    EXPECT_FALSE(is_refused("SELECT k FROM bound", ' '));
    EXPECT_TRUE(sent("UPDATE bound SET k = 2").starts_with("!0A000 public.t.b: a change of k"));
    bound.name = "shows";
    bound.view_text = "SELECT t.id AS k, t.b FROM t;";
    bound.columns.emplace_back().name = "b";
    bound.columns.back().is_ciphertext = true;
    clinic.add(bound);
    EXPECT_TRUE(sent("SELECT k FROM shows").starts_with("!0A000 public.shows: a view"));
}

}  // namespace
}  // namespace pgveil::analysis::test
