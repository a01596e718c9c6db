// Functions that somebody made in the database over a protected table.
#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

namespace pgveil::analysis::test {
namespace {

using Kind = catalog::RelationName::Kind;
using Reason = catalog::Routine::Reason;

constexpr std::string_view kSigned = "which takes or returns encrypted values";
constexpr std::string_view kNaming = "which names a table with encrypted columns in its source";

class Functions : public ::testing::Test {
protected:
    Functions() {
        know("everybody", {{"public", Reason::kSignature}});
        know("find_patient", {{"public", Reason::kSource}});
        know("count", {{"odd", Reason::kSource}});
    }

    /// `others`: schemas with functions of that name that see nothing protected.
    void know(
        const std::string& name,
        const std::vector<catalog::Routine>& routines,
        const std::vector<std::string>& others = {}
    ) {
        std::vector<catalog::Routine> unread;
        unread.reserve(routines.size() + others.size());
        for (const catalog::Routine& routine : routines) {
            unread.push_back({routine.schema, Reason::kUnread});
        }
        for (const std::string& schema : others) {
            unread.push_back({schema, Reason::kUnread});
        }
        for (const char* schema : {"", "public"}) {
            clinic.catalog.put(
                {schema, name, Kind::kFunction}, catalog::Entry{std::nullopt, "public", unread}
            );
            clinic.catalog.put(
                {schema, name, Kind::kFunctionBody},
                catalog::Entry{std::nullopt, "public", routines}
            );
        }
    }

    static std::string refused(std::string_view function, std::string_view what) {
        return "!0A000 function " + std::string(function) + ": " + std::string(what);
    }

    Clinic clinic;
};

TEST_F(Functions, OfOnesOwnMayChangeSettings) {
    know("harmless", {}, {"public"});
    const auto may_change = [this](std::string_view sql) {
        const Decision decision = clinic.decide(sql);
        const auto* const plan = std::get_if<StatementPlan>(&decision);
        return plan != nullptr && plan->may_change_settings();
    };
    for (const char* sql :
         {"SELECT harmless()",
          "SELECT id FROM patients WHERE harmless()",
          "INSERT INTO notes (id) SELECT public.harmless()",
          "EXPLAIN ANALYZE SELECT * FROM harmless()",
          "DECLARE c CURSOR FOR SELECT name, harmless() FROM patients",
          "SELECT set_config('bytea_output', 'hex', true)",
          "FETCH unknown",
          "CALL harmless()",
          "DO $$ BEGIN END $$",
          "RESET bytea_output"}) {
        EXPECT_TRUE(may_change(sql)) << sql;
    }
    for (const char* sql : {"SELECT now()", "SELECT pg_catalog.count(*) FROM patients", "COMMIT"}) {
        EXPECT_FALSE(may_change(sql)) << sql;
    }
}

TEST_F(Functions, AreRefusedWhereverTheyAreCalled) {
    const std::string expected = refused("public.everybody", kSigned);
    for (const char* sql :
         {"SELECT * FROM everybody()",
          "SELECT everybody()",
          "SELECT (everybody()).name",
          "SELECT 1 FROM notes WHERE title = (SELECT name FROM everybody() LIMIT 1)",
          "SELECT * FROM notes, LATERAL public.everybody() e WHERE e.name = 'x'",
          "SELECT * FROM ROWS FROM (now(), everybody()) r",
          "INSERT INTO notes (title) SELECT name FROM everybody()",
          "UPDATE notes SET title = everybody()",
          "DELETE FROM notes WHERE title IN (SELECT name FROM everybody())",
          "SELECT \"everybody\" ()",
          "SELECT sum(id) FILTER (WHERE everybody() IS NULL) OVER () FROM notes",
          "WITH e AS (SELECT * FROM everybody()) SELECT 1",
          "SELECT id FROM patients, everybody()"}) {
        EXPECT_EQ(clinic.sent(sql), expected) << sql;
    }
}

TEST_F(Functions, AreRefusedInCommandsWithoutAModel) {
    for (const char* sql :
         {"CALL everybody('x')",
          "COPY (SELECT * FROM everybody()) TO STDOUT",
          "PREPARE p AS SELECT * FROM everybody()",
          "DECLARE c CURSOR FOR SELECT * FROM everybody()",
          "EXPLAIN ANALYZE SELECT * FROM everybody() WHERE name = 'x'",
          "CREATE TABLE taken AS SELECT * FROM everybody()",
          "CREATE VIEW seen AS SELECT * FROM everybody()",
          "DO $$ BEGIN PERFORM everybody(); END $$",
          "DO 'BEGIN PERFORM public.everybody(); END'",
          "EXECUTE p(everybody())",
          "SELECT * FROM everybody() WHERE RETURNING nonsense"}) {
        EXPECT_EQ(clinic.sent(sql), refused("public.everybody", kSigned)) << sql;
    }
}

TEST_F(Functions, WithAProtectedNameInTheirSourceAreRefused) {
    EXPECT_EQ(
        clinic.sent("SELECT find_patient('120-44-7781')"), refused("public.find_patient", kNaming)
    );
    EXPECT_EQ(clinic.sent("SELECT count(*) FROM notes"), refused("odd.count", kNaming))
        << "which of the two is meant depends on types and search_path";
    EXPECT_EQ(
        clinic.sent("SELECT pg_catalog.count(*) FROM notes"),
        "SELECT pg_catalog.count(*) FROM notes"
    );
}

TEST_F(Functions, ThatThePolicyListsAsPlainPass) {
    know("visits", {{"archive", Reason::kSource}});
    EXPECT_EQ(clinic.sent("SELECT visits(7)"), "SELECT visits(7)");
    know("visits", {{"archive", Reason::kSource}, {"public", Reason::kSource}});
    EXPECT_EQ(clinic.sent("SELECT visits(7)"), refused("public.visits", kNaming));
    know("visits", {{"archive", Reason::kSignature}});
    EXPECT_EQ(clinic.sent("SELECT visits(7)"), refused("archive.visits", kSigned))
        << "envelopes are never plain";
}

/// Functions of which the policy says what they return.
class Listed : public Functions {
protected:
    Listed() {
        know("everybody", {{"public", Reason::kSignature}});
        know("ssn_of", {{"public", Reason::kSignature}});
        know("code_of", {{"public", Reason::kSource}});
        clinic.add_to_policy(R"("functions": {
            "public.everybody": { "returns": "public.patients" },
            "public.ssn_of": { "returns": "public.patients.ssn" },
            "public.code_of": { "returns": "public.readings.code" } })");
    }

    static std::string refused_here(std::string_view function, std::string_view where) {
        return "!0A000 function public." + std::string(function) +
               ": which returns encrypted values, " + std::string(where);
    }
};

TEST_F(Listed, GiveTheRowsOfATable) {
    EXPECT_EQ(
        clinic.results("SELECT * FROM everybody()"), "-,name,ssn,born,active,age,email,note,-"
    );
    EXPECT_EQ(clinic.results("SELECT e.ssn, id FROM public.everybody() e"), "ssn,-");
    EXPECT_EQ(clinic.results("SELECT b, a FROM everybody() AS e(a, b)"), "name,-");
    EXPECT_EQ(
        clinic.results(
            "SELECT e.*, n FROM everybody() WITH ORDINALITY AS e(a, b, c, d, e, f, g, h, i, n)"
        ),
        "-,name,ssn,born,active,age,email,note,-,-,-"
    );
    EXPECT_EQ(
        clinic.results("SELECT n.id, e.name FROM notes n, LATERAL everybody() e WHERE e.id = n.id"),
        "-,name"
    );
    EXPECT_EQ(
        clinic.sent("SELECT id FROM everybody() WHERE ssn = '1' AND city = 'Bern'"),
        "SELECT id FROM \"public\".\"everybody\"() WHERE ssn = {ssn=1} AND city = 'Bern'"
    );
    EXPECT_EQ(
        clinic.parameters("SELECT 1 FROM everybody() e WHERE e.ssn = $1"), "1:ssn compared 17/25"
    );
}

TEST_F(Listed, GiveTheValuesOfAColumn) {
    EXPECT_EQ(clinic.results("SELECT ssn_of(3), ssn_of(id) AS s, id FROM notes"), "ssn,ssn,-");
    EXPECT_EQ(clinic.results("SELECT * FROM ssn_of(3)"), "ssn");
    EXPECT_EQ(clinic.results("SELECT s FROM ssn_of(3) s"), "ssn");
    EXPECT_EQ(clinic.results("SELECT x.y FROM ssn_of(3) AS x(y)"), "ssn");
    EXPECT_EQ(clinic.sent("SELECT ssn_of(3) = '1'"), "SELECT \"public\".\"ssn_of\"(3) = {ssn=1}");
    EXPECT_EQ(
        clinic.sent("SELECT id FROM notes WHERE public.ssn_of(id) IN ('1', '2')"),
        "SELECT id FROM notes WHERE public.ssn_of(id) IN ({ssn=1}, {ssn=2})"
    );
    EXPECT_EQ(
        clinic.sent("UPDATE patients SET ssn = ssn_of(3) WHERE ssn = code_of(4)"),
        "!0A000 public.patients.ssn: comparison with public.readings.code"
    );
    EXPECT_EQ(
        clinic.sent("INSERT INTO patients (ssn) SELECT ssn_of(3)"),
        "INSERT INTO \"public\".\"patients\" (ssn) SELECT \"public\".\"ssn_of\"(3)"
    );
}

TEST_F(Listed, AreRefusedWhereARuleRefusesAColumn) {
    const auto is_refused = [this](std::string_view sql) {
        return clinic.sent(sql).starts_with("!0A000");
    };
    for (const char* sql :
         {"SELECT upper(ssn_of(3))",
          "SELECT ssn_of(name) FROM patients",
          "SELECT * FROM everybody() e WHERE name = 'x'",
          "SELECT * FROM notes WHERE title = ssn_of(3)",
          "SELECT e FROM everybody() e",
          "SELECT (everybody()).name",
          "SELECT everybody()",
          "SELECT ssn_of(3) OVER ()",
          "SELECT sum(id) FILTER (WHERE ssn_of(3) || 'x' = 'y') FROM notes",
          "INSERT INTO notes (title) SELECT name FROM everybody()",
          "INSERT INTO notes (title) VALUES (ssn_of(3))",
          "UPDATE notes SET title = ssn_of(3)",
          "CREATE TABLE taken AS SELECT * FROM everybody()"}) {
        EXPECT_TRUE(is_refused(sql)) << sql << ": " << clinic.sent(sql);
    }
}

TEST_F(Listed, AreRefusedWhereNoRuleGoes) {
    const std::string in_place = refused_here("ssn_of", "in this place");
    EXPECT_EQ(clinic.sent("CREATE TABLE t (a text DEFAULT ssn_of(3))"), in_place);
    EXPECT_EQ(clinic.sent("ALTER TABLE notes ADD CHECK (title = ssn_of(3))"), in_place);
    EXPECT_EQ(clinic.sent("CREATE INDEX ON notes (ssn_of(id))"), in_place);
    EXPECT_EQ(
        clinic.sent("CREATE VIEW v AS SELECT ssn_of(3)"), refused_here("ssn_of", "in a view")
    );
    EXPECT_EQ(
        clinic.sent("SELECT * FROM ROWS FROM (now(), everybody()) AS r"),
        refused_here("everybody", "as a row")
    );
    const std::string in_command = refused_here("ssn_of", "in this command");
    for (const char* sql :
         {"CALL ssn_of(3)", "DO $$ BEGIN PERFORM ssn_of(3); END $$", "EXECUTE p(ssn_of(3))"}) {
        EXPECT_EQ(clinic.sent(sql), in_command) << sql;
    }
}

TEST_F(Listed, MustBeTheOnesThatACallMayMean) {
    const std::string ambiguous = ": whose name others have, which return something else";
    know("ssn_of", {{"other", Reason::kSignature}, {"public", Reason::kSignature}});
    EXPECT_EQ(clinic.sent("SELECT ssn_of(3)"), refused("other.ssn_of", kSigned));
    clinic.add_to_policy(R"("functions": {
        "public.ssn_of": { "returns": "public.patients.ssn" },
        "other.ssn_of": { "returns": "public.patients.ssn" } })");
    EXPECT_EQ(clinic.sent("SELECT ssn_of(3)"), "!0A000 function ssn_of" + ambiguous)
        << "which one is meant depends on search_path";
    know("ssn_of", {{"public", Reason::kSignature}}, {"other"});
    EXPECT_EQ(clinic.sent("SELECT ssn_of(3)"), "!0A000 function ssn_of" + ambiguous);
    know("ssn_of", {{"public", Reason::kSignature}}, {"public"});
    EXPECT_EQ(clinic.sent("SELECT public.ssn_of(3)"), "!0A000 function public.ssn_of" + ambiguous)
        << "which one is meant depends on the arguments";
    know("ssn_of", {{"public", Reason::kSignature}, {"public", Reason::kSource}});
    EXPECT_EQ(clinic.results("SELECT ssn_of(3)"), "ssn") << "both return the same";
}

TEST_F(Functions, AreLookedUpOnceByTheirNames) {
    const auto missing_of = [this](std::string_view sql) {
        const types::TextStyle style;
        const Context context{*clinic.policy, clinic.catalog, style, true, {}, {}};
        std::string names;
        for (const auto& name : analysis::analyze(sql, context).missing) {
            names += std::string(1, "rfb"[static_cast<int>(name.kind)]) + ":" + name.schema + "." +
                     name.name + " ";
        }
        return names;
    };
    EXPECT_EQ(
        missing_of("SELECT lower('a'), other.lower('a'), lower('b')"), "f:.lower f:other.lower "
    );
    EXPECT_EQ(missing_of("SELECT pg_catalog.lower('a'), extract(year from now())"), "f:.now ");
    EXPECT_EQ(missing_of("SELECT everybody()"), "");
    clinic.catalog.erase({"", "everybody", Kind::kFunctionBody});
    EXPECT_EQ(missing_of("SELECT everybody()"), "b:.everybody ");
    EXPECT_EQ(missing_of("SELECT 1 FROM notes"), "");
    EXPECT_EQ(missing_of("SELECT pgveil.token_key()"), "");
}

TEST_F(Functions, NeedNoLookupWithoutAPolicy) {
    clinic.policy = std::make_shared<const config::Policy>(config::PolicyContent{});
    EXPECT_EQ(clinic.sent("SELECT everybody()"), "SELECT everybody()");
}

}  // namespace
}  // namespace pgveil::analysis::test
