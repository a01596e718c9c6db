// CREATE, ALTER and REFRESH of views, and changes of rows through them.
#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgveil::analysis::test {
namespace {

catalog::Relation view(
    std::string name, std::string text, const std::vector<std::string>& columns
) {
    catalog::Relation relation;
    relation.oid = 40000;
    relation.schema = "public";
    relation.name = std::move(name);
    relation.relkind = 'v';
    relation.over_protected = true;
    relation.view_text = std::move(text);
    relation.query_hash = "c0ffee";
    for (const std::string& written : columns) {
        catalog::Column column;
        column.is_ciphertext = written.ends_with('*');
        column.name = written.substr(0, written.size() - (column.is_ciphertext ? 1 : 0));
        relation.columns.push_back(std::move(column));
    }
    return relation;
}

class ViewDefinition : public ::testing::Test {
protected:
    ViewDefinition() {
        clinic.add(
            view("v", "SELECT p.id, p.ssn, p.name FROM patients p;", {"id", "number*", "who*"})
        );
    }

    std::string sent(std::string_view sql) const { return clinic.sent(sql); }

    Clinic clinic;
};

TEST_F(ViewDefinition, NamesTheTablesWithTheirSchema) {
    EXPECT_EQ(
        sent("CREATE VIEW w AS SELECT ssn FROM patients"),
        "CREATE VIEW w AS SELECT ssn FROM \"public\".\"patients\""
    );
    EXPECT_EQ(
        sent("CREATE MATERIALIZED VIEW w (a) AS SELECT number FROM v WITH NO DATA"),
        "CREATE MATERIALIZED VIEW w (a) AS SELECT number FROM \"public\".\"v\" WITH NO DATA"
    );
    EXPECT_EQ(
        sent("CREATE VIEW w AS SELECT title FROM notes"), "CREATE VIEW w AS SELECT title FROM notes"
    );
    EXPECT_EQ(
        sent("CREATE VIEW w AS SELECT * FROM pg_class"), "CREATE VIEW w AS SELECT * FROM pg_class"
    );
    const Decision decision = clinic.decide("CREATE VIEW w AS SELECT ssn FROM patients");
    const auto& plan = std::get<StatementPlan>(decision);
    EXPECT_TRUE(plan.changes_catalog && plan.touches_protected && plan.results.empty());
    EXPECT_EQ(plan.kind, StatementKind::kOtherDdl);
}

TEST_F(ViewDefinition, KeepsNoConstantAndNoValueThatIsMadeAnew) {
    for (const char* sql :
         {"CREATE VIEW w AS SELECT id FROM patients WHERE ssn = 'x'",
          "CREATE VIEW w AS SELECT COALESCE(ssn, 'x') FROM patients",
          "CREATE VIEW w AS SELECT CASE WHEN id = 1 THEN ssn END AS s FROM patients",
          "CREATE VIEW w AS SELECT NULLIF(ssn, ssn) AS s FROM patients",
          "CREATE VIEW w AS SELECT ssn::varchar FROM patients",
          "CREATE VIEW w AS SELECT min(day) FROM events",
          "CREATE VIEW w AS SELECT id FROM patients WHERE upper(ssn) IS NULL",
          "CREATE VIEW w AS SELECT p FROM patients p",
          "CREATE VIEW patients AS SELECT 1 AS one",
          "CREATE VIEW pgveil.w AS SELECT 1 AS one",
          "CREATE VIEW w AS SELECT set_config('a', 'b', false)"}) {
        EXPECT_TRUE(sent(sql).starts_with("!0A000")) << sql << "\n" << sent(sql);
    }
}

TEST_F(ViewDefinition, IsNotUsedByLaterStatementsOfItsText) {
    for (const char* sql :
         {"CREATE VIEW w AS SELECT ssn FROM patients; INSERT INTO w VALUES ('x')",
          "CREATE OR REPLACE VIEW v AS SELECT id FROM notes; UPDATE v SET id = 1",
          "ALTER VIEW v RENAME TO w; SELECT * FROM w",
          "ALTER VIEW v RENAME COLUMN who TO number2; SELECT * FROM v"}) {
        EXPECT_TRUE(sent(sql).starts_with("!0A000")) << sql << "\n" << sent(sql);
    }
    EXPECT_EQ(
        sent("CREATE VIEW w AS SELECT id FROM notes; SELECT * FROM w"),
        "CREATE VIEW w AS SELECT id FROM notes; SELECT * FROM w"
    );
}

TEST_F(ViewDefinition, IsAlteredAndRefreshed) {
    EXPECT_EQ(sent("ALTER VIEW v RENAME TO w"), "ALTER VIEW \"public\".\"v\" RENAME TO w");
    EXPECT_EQ(
        sent("ALTER TABLE v OWNER TO app, ALTER id SET DEFAULT 1"),
        "ALTER TABLE \"public\".\"v\" OWNER TO app, ALTER id SET DEFAULT 1"
    );
    EXPECT_EQ(
        sent("REFRESH MATERIALIZED VIEW CONCURRENTLY v"),
        "REFRESH MATERIALIZED VIEW CONCURRENTLY \"public\".\"v\""
    );
    EXPECT_EQ(
        sent("CREATE UNIQUE INDEX ON v (number)"),
        "CREATE UNIQUE INDEX ON \"public\".\"v\" (number)"
    );
    for (const char* sql :
         {"ALTER VIEW v RENAME TO patients",
          "ALTER VIEW v SET SCHEMA pgveil",
          "ALTER VIEW v ALTER who SET DEFAULT 'x'",
          "ALTER TABLE v ALTER who SET DEFAULT 'x'",
          "ALTER TABLE v ADD CHECK (who = 'x')",
          "ALTER TABLE v OWNER TO app; SELECT * FROM v",
          "CREATE INDEX ON v (who)",
          "CREATE INDEX ON v (upper(number))"}) {
        EXPECT_TRUE(sent(sql).starts_with("!0A000")) << sql << "\n" << sent(sql);
    }
}

TEST_F(ViewDefinition, IsWrittenAsTheTableBelow) {
    EXPECT_EQ(
        sent("INSERT INTO v (number, id) VALUES ('x1', 2) ON CONFLICT (number) DO UPDATE SET who = "
             "'y1'"),
        "INSERT INTO \"public\".\"v\" (number, id) VALUES ({ssn=x1}, 2) ON CONFLICT (number) DO "
        "UPDATE SET who = {name=y1}"
    );
    EXPECT_EQ(
        sent("UPDATE v SET who = 'y1' WHERE number = 'x1'"),
        "UPDATE \"public\".\"v\" SET who = {name=y1} WHERE number = {ssn=x1}"
    );
    EXPECT_EQ(
        sent("DELETE FROM v WHERE number = 'x1'"),
        "DELETE FROM \"public\".\"v\" WHERE number = {ssn=x1}"
    );
    EXPECT_EQ(clinic.results("INSERT INTO v VALUES (1, 'x', 'y') RETURNING *"), "-,ssn,name");
}

TEST_F(ViewDefinition, IsNotWrittenPastATriggerOrRule) {
    auto caught = view("caught", "SELECT p.id, p.ssn FROM patients p;", {"id", "ssn*"});
    caught.is_intercepted = true;
    clinic.add(std::move(caught));
    EXPECT_EQ(sent("SELECT ssn FROM caught"), "SELECT ssn FROM \"public\".\"caught\"");
    for (const char* sql :
         {"INSERT INTO caught (ssn) VALUES ('x')",
          "UPDATE caught SET ssn = 'x'",
          "WITH w AS (UPDATE caught SET ssn = 'x' RETURNING id) SELECT * FROM w"}) {
        EXPECT_TRUE(sent(sql).starts_with("!0A000 caught: a change of a view with a trigger"))
            << sent(sql);
    }
}

TEST_F(ViewDefinition, OfAPinnedShapeIsGoodAndAnotherRefused) {
    config::PolicyContent content;
    content.tables = clinic.policy->tables();
    const std::string columns = "v \"id\" 0, \"number\" ciphertext, \"who\" ciphertext query ";
    content.pins[{"public", "v"}] = {columns + "c0ffee"};
    content.pins[{"public", "gone"}] = {columns + "c0ffee"};
    Clinic good = clinic;
    good.policy = std::make_shared<const config::Policy>(content);
    EXPECT_EQ(good.sent("SELECT id FROM public.v"), "SELECT id FROM public.v");
    EXPECT_EQ(
        good.sent("SELECT id FROM gone WHERE a = 'x'"), "!42P01 relation \"gone\" does not exist"
    );
    auto plain = view("v", "", {"id", "number", "who"});
    plain.over_protected = false;
    good.add(plain);
    EXPECT_TRUE(good.sent("SELECT id FROM v WHERE number = 'x'").starts_with("!0A000 public.v: has")
    );
    plain.schema = "first";
    Clinic elsewhere = clinic;
    elsewhere.policy = good.policy;
    elsewhere.add(std::move(plain));
    EXPECT_TRUE(
        elsewhere.sent("SELECT id FROM v WHERE number = 'x'").starts_with("!0A000 first.v: has")
    );
    content.pins[{"public", "v"}] = {columns + "decade"};
    Clinic other = clinic;
    other.policy = std::make_shared<const config::Policy>(std::move(content));
    EXPECT_TRUE(other.sent("SELECT id FROM v").starts_with("!0A000 public.v: has another shape"));
}

}  // namespace
}  // namespace pgveil::analysis::test
