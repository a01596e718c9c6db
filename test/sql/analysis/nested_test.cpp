#include "test/sql/analysis/fixture.hpp"

#include <map>

// EXPLAIN, DECLARE and FETCH, PREPARE and EXECUTE, CREATE TABLE AS: statements inside or behind a
// name.
namespace pgveil::analysis::test {
namespace {

/// The names of a session, as texts decided before have left them.
class Names final : public NamedPlans {
public:
    PlanPtr prepared(const std::string& name) const override { return find(statements, name); }

    PlanPtr portal(const std::string& name) const override { return find(portals, name); }

    bool knows_all_prepared() const override { return knows_all; }

    bool knows_all = false;
    std::map<std::string, PlanPtr> statements;
    std::map<std::string, PlanPtr> portals;

private:
    static PlanPtr find(const std::map<std::string, PlanPtr>& plans, const std::string& name) {
        const auto found = plans.find(name);
        return found == plans.end() ? nullptr : found->second;
    }
};

class Nested : public ::testing::Test {
protected:
    Nested() { clinic.names = &names; }

    StatementPlan plan(std::string_view sql) const {
        Decision decision = clinic.decide(sql);
        if (const auto* const rejection = std::get_if<Rejection>(&decision)) {
            ADD_FAILURE() << sql << ": " << rendered(*rejection);
            return {};
        }
        return std::get<StatementPlan>(std::move(decision));
    }

    void prepare(std::string_view sql) {
        const StatementPlan made = plan(sql);
        names.statements[made.defined_name] = made.defined;
    }

    void declare(std::string_view sql) {
        const StatementPlan made = plan(sql);
        names.portals[made.defined_name] = made.defined;
    }

    Names names;
    Clinic clinic;
};

TEST_F(Nested, ExplainSendsWhatTheStatementWouldSend) {
    EXPECT_EQ(
        clinic.sent("EXPLAIN (ANALYZE, COSTS off) SELECT name FROM patients WHERE ssn = 'secret'"),
        "EXPLAIN (ANALYZE, COSTS off) SELECT name FROM \"public\".\"patients\" WHERE ssn = "
        "{ssn=secret}"
    );
    EXPECT_EQ(
        clinic.sent("EXPLAIN UPDATE patients SET name = 'Ann' WHERE id = 1"),
        "EXPLAIN UPDATE \"public\".\"patients\" SET name = {name=Ann} WHERE id = 1"
    );
    EXPECT_EQ(
        clinic.sent("EXPLAIN DECLARE c CURSOR FOR SELECT 1 FROM patients WHERE age = 7"),
        "EXPLAIN DECLARE c CURSOR FOR SELECT 1 FROM \"public\".\"patients\" WHERE age = {age=7}"
    );
    EXPECT_EQ(clinic.results("EXPLAIN SELECT name FROM patients"), "") << "a plan has no values";
    EXPECT_EQ(
        clinic.parameters("EXPLAIN SELECT 1 FROM patients WHERE ssn = $1"), "1:ssn compared 17/25"
    );
    EXPECT_EQ(plan("EXPLAIN SELECT name FROM patients").kind, StatementKind::kExplain);
    EXPECT_EQ(
        clinic.sent("EXPLAIN SELECT pgveil.apply('x')"),
        "!0A000 pgveil.apply: a call of this function here"
    );
    EXPECT_EQ(
        clinic.sent("EXPLAIN ANALYZE SELECT set_config('pgveil.user_id', 'x', false)"),
        "!0A000 set_config: EXPLAIN with set_config inside"
    );
}

TEST_F(Nested, FetchBringsTheColumnsOfItsCursor) {
    const StatementPlan made =
        plan("DECLARE \"C 1\" BINARY CURSOR WITH HOLD FOR SELECT id, name FROM patients");
    EXPECT_EQ(made.kind, StatementKind::kDeclareCursor);
    EXPECT_EQ(made.defined_name, "C 1");
    EXPECT_TRUE(made.is_held);
    EXPECT_TRUE(made.results.empty()) << "DECLARE itself brings no rows";
    EXPECT_FALSE(made.needs_keys());
    declare("DECLARE \"C 1\" BINARY CURSOR WITH HOLD FOR SELECT id, name FROM patients");
    EXPECT_EQ(clinic.results("FETCH BACKWARD 3 IN \"C 1\""), "-,name");
    EXPECT_TRUE(plan("FETCH ALL FROM \"C 1\"").is_binary);
    EXPECT_TRUE(plan("FETCH ALL FROM \"C 1\"").needs_keys());
    EXPECT_EQ(clinic.results("FETCH ALL FROM c"), "") << "another name";
    EXPECT_EQ(clinic.results("MOVE ALL FROM \"C 1\""), "");
    EXPECT_FALSE(plan("MOVE ALL FROM \"C 1\"").needs_keys());
}

TEST_F(Nested, ACursorTakesConstantsAndParameters) {
    EXPECT_EQ(
        clinic.sent("DECLARE c CURSOR FOR SELECT id FROM patients WHERE ssn = 'x'"),
        "DECLARE c CURSOR FOR SELECT id FROM \"public\".\"patients\" WHERE ssn = {ssn=x}"
    );
    EXPECT_EQ(
        clinic.parameters("DECLARE c CURSOR FOR SELECT id FROM patients WHERE ssn = $1"),
        "1:ssn compared 17/25"
    );
    EXPECT_EQ(
        clinic.sent("UPDATE patients SET name = 'x' WHERE CURRENT OF c"),
        "UPDATE \"public\".\"patients\" SET name = {name=x} WHERE CURRENT OF c"
    );
}

TEST_F(Nested, OneTextSeesItsOwnNames) {
    const auto refusal = [this](std::string_view sql) {
        const Analysis analysis = clinic.analyze(sql);
        const auto* const last = std::get_if<Rejection>(&analysis.statements.back());
        return last == nullptr ? std::string() : rendered(*last);
    };
    const std::string_view both =
        "BEGIN; DECLARE c CURSOR FOR SELECT name FROM patients; FETCH c; FETCH c";
    const Analysis analysis = clinic.analyze(both);
    for (const std::size_t index : {2U, 3U}) {
        EXPECT_EQ(std::get<StatementPlan>(analysis.statements.at(index)).results.size(), 1U);
    }
    EXPECT_EQ(refusal(both), "");
    EXPECT_NE(refusal("DECLARE c CURSOR FOR SELECT name FROM patients; FETCH c; COMMIT"), "")
        << "values that do not open must be known before";
    EXPECT_EQ(refusal("PREPARE p AS SELECT id FROM patients WHERE ssn = $1; EXECUTE p('a')"), "");
    const Analysis dropped =
        clinic.analyze("DECLARE c CURSOR FOR SELECT name FROM patients; CLOSE ALL; FETCH c");
    EXPECT_TRUE(std::get<StatementPlan>(dropped.statements.back()).results.empty());
}

TEST_F(Nested, PrepareDeclaresProtectedParametersAsBytea) {
    EXPECT_EQ(
        clinic.sent("PREPARE p (text, int) AS SELECT 1 FROM patients WHERE ssn = $1 AND id = $2"),
        "PREPARE p (pg_catalog.bytea, int) AS SELECT 1 FROM \"public\".\"patients\" WHERE ssn = $1 "
        "AND id = $2"
    );
    EXPECT_EQ(
        clinic.sent("PREPARE \"p q\" AS SELECT 1 FROM patients WHERE id = $1 AND ssn = $2"),
        "PREPARE \"p q\"(pg_catalog.unknown, pg_catalog.bytea) AS SELECT 1 FROM "
        "\"public\".\"patients\" WHERE id = $1 AND ssn = $2"
    );
    EXPECT_EQ(
        clinic.sent(
            "PREPARE p(varchar(3)) AS INSERT INTO patients (email, id, ssn) VALUES ($1, $2, $3)"
        ),
        "PREPARE p(pg_catalog.bytea, pg_catalog.unknown, pg_catalog.bytea) AS INSERT INTO "
        "\"public\".\"patients\" (email, id, ssn) VALUES ($1, $2, $3)"
    );
    EXPECT_EQ(
        clinic.sent("PREPARE p (int) AS SELECT name FROM patients WHERE id = $1"),
        "PREPARE p (int) AS SELECT name FROM \"public\".\"patients\" WHERE id = $1"
    );
    EXPECT_EQ(
        clinic.sent("PREPARE p (point) AS SELECT 1 FROM patients WHERE ssn = $1").substr(0, 6),
        "!0A000"
    );
    EXPECT_EQ(
        clinic.sent("PREPARE p (uuid) AS SELECT 1 FROM patients WHERE age = $1").substr(0, 6),
        "!0A000"
    );
}

TEST_F(Nested, PrepareLeavesItsPlanToItsName) {
    const StatementPlan made = plan("PREPARE P AS SELECT name, id FROM patients WHERE ssn = $1");
    EXPECT_EQ(made.kind, StatementKind::kPrepare);
    EXPECT_EQ(made.defined_name, "p");
    EXPECT_TRUE(made.results.empty());
    EXPECT_TRUE(made.parameters.empty()) << "they are EXECUTE's";
    EXPECT_FALSE(made.is_plain());
    ASSERT_NE(made.defined, nullptr);
    EXPECT_EQ(made.defined->results.size(), 2U);
    EXPECT_EQ(made.defined->parameters.size(), 1U);
    EXPECT_EQ(made.defined->kind, StatementKind::kSelect);
    EXPECT_FALSE(plan("PREPARE p AS SELECT * FROM notes").defined->touches_protected);
    EXPECT_TRUE(plan("PREPARE p AS SELECT * FROM notes").is_plain());
}

TEST_F(Nested, ExecuteSealsItsArguments) {
    prepare("PREPARE p AS SELECT name FROM patients WHERE ssn = $1 AND id = $2 AND age = $3");
    EXPECT_EQ(clinic.sent("EXECUTE p('x', 1 + 1, 7)"), "EXECUTE p({ssn=x}, 1 + 1, {age=7})");
    EXPECT_EQ(clinic.sent("EXECUTE p(5, 1, '7')"), "EXECUTE p({ssn=5}, 1, {age=7})");
    EXPECT_EQ(clinic.sent("EXECUTE p('x', 1, 6.6)"), "EXECUTE p({ssn=x}, 1, {age=7})")
        << "an argument becomes the parameter by assignment";
    EXPECT_EQ(
        clinic.sent("EXECUTE p('x'::text, 1, NULL::int)"),
        "EXECUTE p({ssn=x}::pg_catalog.bytea, 1, NULL::pg_catalog.bytea)"
    );
    EXPECT_EQ(clinic.results("EXECUTE p('x', 1, 7)"), "name");
    EXPECT_EQ(clinic.results("EXPLAIN EXECUTE p('x', 1, 7)"), "");
    EXPECT_EQ(
        clinic.sent("EXPLAIN EXECUTE p('x', 1, 7)"), "EXPLAIN EXECUTE p({ssn=x}, 1, {age=7})"
    );
}

TEST_F(Nested, ExecuteRefusesWhatItCannotSeal) {
    prepare("PREPARE p AS UPDATE patients SET name = $1 WHERE id = $2");
    EXPECT_EQ(
        clinic.sent("EXECUTE p('a' || 'b', 1)"),
        "!0A000 public.patients.name: an expression as argument of EXECUTE"
    );
    EXPECT_EQ(
        clinic.sent("EXECUTE p(upper('secret'), 1)"),
        "!0A000 public.patients.name: an expression as argument of EXECUTE"
    );
    EXPECT_EQ(clinic.sent("EXECUTE p($1, 1)"), "!42P02 there is no parameter $1");
    EXPECT_EQ(
        clinic.sent("EXECUTE p('secret')"),
        "!42601 wrong number of parameters for prepared statement \"p\""
    );
    EXPECT_EQ(
        clinic.sent("EXECUTE p('secret', 1, 'more')"),
        "!42601 wrong number of parameters for prepared statement \"p\""
    );
    EXPECT_EQ(
        clinic.sent("EXECUTE p('secret', length('secret'))"),
        "!0A000 public.patients.name: the same constant in an unprotected place, too"
    );
    EXPECT_EQ(clinic.sent("EXECUTE p('far too long a name', 1)").substr(0, 6), "!22001");
    EXPECT_EQ(clinic.sent("CREATE TABLE x AS EXECUTE q").substr(0, 6), "CREATE")
        << "an unknown name is plain";
    prepare("PREPARE q AS SELECT ssn FROM patients");
    EXPECT_EQ(
        clinic.sent("CREATE TABLE x AS EXECUTE q"),
        "!0A000 public.patients.ssn: CREATE TABLE AS with its values"
    );
}

TEST_F(Nested, ArgumentsOfANameThatIsNotThereStay) {
    EXPECT_EQ(clinic.sent("EXECUTE gone('secret')"), "EXECUTE gone('secret')") << "somebody's own";
    names.knows_all = true;
    EXPECT_EQ(
        clinic.sent("EXECUTE gone('secret')"), "!26000 prepared statement \"gone\" does not exist"
    );
    EXPECT_EQ(
        clinic.sent("EXPLAIN EXECUTE gone('secret')"),
        "!26000 prepared statement \"gone\" does not exist"
    );
    const Analysis made = clinic.analyze("PREPARE here AS SELECT $1; EXECUTE here('secret')");
    EXPECT_TRUE(made.passthrough);
}

TEST_F(Nested, NewTablesTakePlainColumnsOnly) {
    EXPECT_EQ(
        clinic.sent("CREATE TABLE x AS SELECT id, city FROM patients WHERE ssn = 'a'"),
        "CREATE TABLE x AS SELECT id, city FROM \"public\".\"patients\" WHERE ssn = {ssn=a}"
    );
    EXPECT_EQ(
        clinic.sent("SELECT id INTO TEMP x FROM patients"),
        "SELECT id INTO TEMP x FROM \"public\".\"patients\""
    );
    EXPECT_TRUE(plan("SELECT id INTO x FROM patients").changes_catalog);
    EXPECT_EQ(plan("SELECT id INTO x FROM patients").kind, StatementKind::kOtherDdl);
}

}  // namespace
}  // namespace pgveil::analysis::test
