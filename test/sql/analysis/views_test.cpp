// Views over protected tables, by the text that the database prints.
#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgveil::analysis::test {
namespace {

class Views : public ::testing::Test {
protected:
    /// Columns written with a `*` behind their name are stored encrypted.
    void view(const std::string& name, std::string text, const std::vector<std::string>& columns) {
        catalog::Relation relation;
        relation.oid = next_oid_++;
        relation.schema = "public";
        relation.name = name;
        relation.relkind = 'v';
        relation.over_protected = true;
        relation.view_text = std::move(text);
        for (const std::string& written : columns) {
            catalog::Column column;
            column.is_ciphertext = written.ends_with('*');
            column.name = written.substr(0, written.size() - (column.is_ciphertext ? 1 : 0));
            column.attnum = static_cast<std::int16_t>(relation.columns.size() + 1);
            relation.columns.push_back(std::move(column));
        }
        clinic.catalog.put({"", name}, catalog::Entry{relation, "public"});
        clinic.catalog.put({"public", name}, catalog::Entry{relation, "public"});
    }

    Clinic clinic;
    std::uint32_t next_oid_ = 30000;
};

TEST_F(Views, AreReadAsTheirQueryTells) {
    view(
        "v",
        " SELECT p.id,\n    p.ssn AS number,\n    p.name\n   FROM patients p;",
        {"id", "number*", "name*"}
    );
    EXPECT_EQ(clinic.results("SELECT * FROM v"), "-,ssn,name");
    EXPECT_EQ(
        clinic.sent("SELECT id FROM v WHERE number = 'x1'"),
        "SELECT id FROM \"public\".\"v\" WHERE number = {ssn=x1}"
    );
    EXPECT_EQ(clinic.parameters("SELECT id FROM v WHERE number = $1"), "1:ssn compared 17/25");
    EXPECT_EQ(
        clinic.sent("SELECT id FROM v WHERE name = 'x'"),
        "!0A000 public.patients.name: = and <> with a constant, parameter or column of the same "
        "context"
    );
    EXPECT_EQ(clinic.sent("SELECT upper(number) FROM v").substr(0, 7), "!0A000 ");
    EXPECT_EQ(
        clinic.results("SELECT v.number FROM v JOIN visits ON v.number = patient_ssn"), "ssn"
    );
    EXPECT_EQ(clinic.sent("SELECT v FROM v").substr(0, 7), "!0A000 ");
}

TEST_F(Views, StandForTheTablesWhoseProtectedColumnsTheyShow) {
    view("v", "SELECT p.id, p.ssn FROM patients p;", {"id", "ssn*"});
    const Decision counting = clinic.decide("SELECT count(*) FROM v");
    const auto* const plan = std::get_if<StatementPlan>(&counting);
    ASSERT_NE(plan, nullptr);
    EXPECT_EQ(plan->tables, std::vector<std::string>{"public.patients"});
    EXPECT_FALSE(plan->may_write);
}

TEST_F(Views, MayNestAndJoin) {
    view(
        "inner_view",
        "SELECT p.id, p.ssn FROM patients p JOIN visits w ON ((p.ssn)::bytea = "
        "(w.patient_ssn)::bytea);",
        {"id", "ssn*"}
    );
    view(
        "outer_view",
        "SELECT i.ssn AS a, count(*) AS n FROM inner_view i GROUP BY i.ssn;",
        {"a*", "n"}
    );
    EXPECT_EQ(clinic.results("SELECT n, a FROM outer_view"), "-,ssn");
    view(
        "united",
        "SELECT p.ssn FROM patients p UNION ALL SELECT w.patient_ssn FROM visits w;",
        {"ssn*"}
    );
    EXPECT_EQ(clinic.results("SELECT * FROM united"), "ssn");
    view("counts", "SELECT count(*) AS n FROM patients;", {"n"});
    EXPECT_EQ(
        clinic.sent("SELECT n FROM counts WHERE n > 3"),
        "SELECT n FROM \"public\".\"counts\" WHERE n > 3"
    );
}

TEST_F(Views, AreFollowedThroughSixteenOthers) {
    view("v0", "SELECT p.ssn FROM patients p;", {"ssn*"});
    for (int i = 1; i <= 16; ++i) {
        const std::string below = "v" + std::to_string(i - 1);
        view("v" + std::to_string(i), "SELECT " + below + ".ssn FROM " + below + ";", {"ssn*"});
    }
    EXPECT_EQ(clinic.results("SELECT ssn FROM v15"), "ssn");
    EXPECT_TRUE(clinic.sent("SELECT ssn FROM v16").starts_with("!0A000 public.v16: a view"));
}

TEST_F(Views, WhoseTextAndColumnsDisagreeAreRefused) {
    const auto is_refused = [this](const std::string& name) {
        return clinic.sent("SELECT * FROM " + name)
            .starts_with("!0A000 public." + name + ": a view");
    };
    view("cast_away", "SELECT (p.ssn)::bytea AS ssn FROM patients p;", {"ssn"});
    EXPECT_TRUE(is_refused("cast_away"));
    view("invented", "SELECT p.city AS ssn FROM patients p;", {"ssn*"});
    EXPECT_TRUE(is_refused("invented"));
    view("short", "SELECT p.ssn FROM patients p;", {"ssn*", "name*"});
    EXPECT_TRUE(is_refused("short"));
    view("computed", "SELECT upper(p.ssn) AS u FROM patients p;", {"u"});
    EXPECT_TRUE(is_refused("computed"));
    view("frozen", "SELECT p.id FROM patients p WHERE ((p.ssn)::bytea = '\\x01'::bytea);", {"id"});
    EXPECT_TRUE(is_refused("frozen"));
    view("unread", "SELECT this is no view", {"id"});
    EXPECT_TRUE(is_refused("unread"));
    view(
        "mixed", "SELECT p.note FROM patients p UNION ALL SELECT w.diagnosis FROM visits w;", {"n*"}
    );
    EXPECT_TRUE(is_refused("mixed"));
    view("two", "SELECT 1; SELECT 2", {"id"});
    EXPECT_TRUE(is_refused("two"));
    view("changing", "DELETE FROM patients", {"id"});
    EXPECT_TRUE(is_refused("changing"));
    view("endless", "SELECT * FROM endless;", {"id"});
    EXPECT_TRUE(is_refused("endless"));
}

TEST_F(Views, DoNotKnowTheParametersAroundThem) {
    view("v", "SELECT p.id, p.ssn FROM patients p;", {"id", "ssn*"});
    EXPECT_EQ(clinic.parameters("SELECT id FROM v WHERE ssn = $1", {25}), "1:ssn compared 17/25");
}

TEST_F(Views, AreNotNamedElsewhere) {
    view("v", "SELECT p.id, p.ssn FROM patients p;", {"id", "ssn*"});
    for (const char* sql :
         {"COPY v FROM STDIN",
          "TRUNCATE v",
          "CREATE VIEW w AS SELECT * FROM v WHERE ssn = 'x'",
          "CREATE TABLE t (LIKE v)"}) {
        EXPECT_TRUE(clinic.sent(sql).starts_with("!0A000")) << sql << "\n" << clinic.sent(sql);
    }
    EXPECT_EQ(
        clinic.sent("INSERT INTO notes (id) SELECT id FROM v"),
        "INSERT INTO notes (id) SELECT id FROM \"public\".\"v\""
    );
    EXPECT_EQ(
        clinic.sent("INSERT INTO visits (patient_ssn) SELECT ssn FROM v"),
        "INSERT INTO \"public\".\"visits\" (patient_ssn) SELECT ssn FROM \"public\".\"v\""
    );
    EXPECT_EQ(clinic.sent("DROP VIEW v"), "DROP VIEW v");
}

TEST_F(Views, AskForTheNamesInTheirText) {
    view("v", "SELECT f.a FROM far.away f WHERE (f.b = somebody(f.c));", {"a"});
    const types::TextStyle style;
    const Context context{*clinic.policy, clinic.catalog, style, true, {}, {}};
    std::string names;
    for (const auto& name : analysis::analyze("SELECT * FROM v", context).missing) {
        names += name.schema + "." + name.name + " ";
    }
    EXPECT_EQ(names, ".somebody far.away ");
}

}  // namespace
}  // namespace pgveil::analysis::test
