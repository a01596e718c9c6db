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

    void know(const std::string& name, std::vector<catalog::Routine> routines) {
        const std::vector<catalog::Routine> unread = {{"public", Reason::kUnread}};
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

    std::string refused(std::string_view function, std::string_view what) const {
        return "!0A000 function " + std::string(function) + ": " + std::string(what);
    }

    Clinic clinic;
};

TEST_F(Functions, OfOnesOwnMayChangeSettings) {
    know("harmless", {});
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
