#include "sql/explain/explanation.hpp"

#include "test/sql/analysis/fixture.hpp"

namespace pgveil::explain {
namespace {

std::string explained(const std::string& sql) {
    return explanation(sql, analysis::test::Clinic().analyze(sql));
}

TEST(Explanation, ShowsWhatIsSentSealedOpenedAndSeen) {
    EXPECT_EQ(
        explained("SELECT name, city FROM patients WHERE ssn = '1-2' AND id = 7"),
        "statement 1: allowed\n"
        "  sent:   SELECT name, city FROM \"public\".\"patients\" WHERE ssn = "
        "E'\\\\x<public.patients.ssn>'::bytea AND id = 7\n"
        "  seals:  the constant at character 45 for public.patients.ssn (text, equality)\n"
        "  opens:  result column 1, public.patients.name (character varying(10), randomized)\n"
        "  shows:  of public.patients.name (character varying(10), randomized): which values are "
        "NULL, how long each is\n"
        "  shows:  of public.patients.ssn (text, equality): which values are NULL, how long each "
        "is, which are equal\n"
        "  needs:  the shares of a user with key group default\n"
        "  scope:  reading, tables public.patients\n"
    );
}

TEST(Explanation, NamesParametersAndColumnsThatAreOnlyCompared) {
    const std::string text = explained(
        "SELECT count(*) FROM patients p JOIN visits v ON p.ssn = v.patient_ssn WHERE email = $1"
    );
    EXPECT_NE(text.find("seals:  parameter $1 for public.patients.email"), std::string::npos);
    EXPECT_NE(text.find("shows:  of public.visits.patient_ssn"), std::string::npos) << text;
    EXPECT_EQ(text.find("opens:"), std::string::npos) << text;
}

TEST(Explanation, SaysWhatADefinitionNeeds) {
    EXPECT_NE(explained("TRUNCATE patients").find("needs:  no shares"), std::string::npos);
}

TEST(Explanation, NamesTheKeyGroupsAndTheScopeThatAreNeeded) {
    const auto policy = config::parse_policy("policy.json", R"json({ "tables": {
        "public.patients": { "columns": {
          "name": { "type": "varchar(10)" },
          "ssn":  { "type": "text", "search": "equality", "group": "medical" },
          "born": { "type": "date", "search": "equality" },
          "active": { "type": "bool", "search": "equality" },
          "age": { "type": "int4", "search": "equality" },
          "email": { "type": "varchar(20)", "search": "equality" },
          "note": { "type": "text", "group": "notes", "on_missing_key": "null" } } } } })json");
    ASSERT_TRUE(policy.has_value()) << policy.error().message;
    analysis::test::Clinic clinic;
    clinic.policy = *policy;
    const auto needs = [&clinic](const std::string& sql) {
        const std::string text = explanation(sql, clinic.analyze(sql));
        const std::size_t begin = text.find("  needs:");
        return begin == std::string::npos ? text : text.substr(begin);
    };
    EXPECT_EQ(
        needs("SELECT name, note FROM patients WHERE ssn = '1'"),
        "  needs:  the shares of a user with key groups default, medical; NULL is read without key "
        "group notes\n  scope:  reading, tables public.patients\n"
    );
    EXPECT_EQ(
        needs("UPDATE patients SET note = 'x'"),
        "  needs:  the shares of a user with key group notes\n"
        "  scope:  writing, tables public.patients\n"
    );
    EXPECT_EQ(
        needs("SELECT id FROM patients WHERE ssn IS NULL"),
        "  needs:  no shares\n  scope:  reading, tables public.patients\n"
    );
}

TEST(Explanation, SaysWhyNotAndWhatInstead) {
    const std::string text = explained("SELECT 1; SELECT id FROM patients WHERE name LIKE 'A%'");
    EXPECT_EQ(text.find("statement 1: touches nothing protected: sent as it is\n"), 0U) << text;
    EXPECT_NE(text.find("statement 2: refused with 0A000 at character "), std::string::npos);
    EXPECT_NE(text.find("instead: patterns cannot be matched"), std::string::npos) << text;
    EXPECT_FALSE(is_allowed(analysis::test::Clinic().analyze("SELECT upper(name) FROM patients")));
    EXPECT_TRUE(is_allowed(analysis::test::Clinic().analyze("SELECT name FROM patients")));
}

TEST(Explanation, NeverShowsTheConstantThatItSeals) {
    const std::string text = explained("INSERT INTO patients (ssn) VALUES ('very secret')");
    EXPECT_EQ(text.find("very secret"), std::string::npos) << text;
}

TEST(Explanation, KnowsTextsWithoutStatements) {
    EXPECT_EQ(explained(" ; -- nothing"), "no statement\n");
    EXPECT_EQ(
        explained("SELEC 1"), "not readable, and concerns nothing protected: sent as it is\n"
    );
    EXPECT_NE(explained("SELEC 1 FROM patients").find("refused with"), std::string::npos);
}

TEST(Explanation, NamesTheLeakageOfEveryScheme) {
    field::ProtectedColumn column;
    column.scheme = config::Scheme::kPadded;
    column.pad_to = 64;
    EXPECT_NE(leakage_of(column).find("in steps of 64 bytes"), std::string::npos);
    column.scheme = config::Scheme::kOrder;
    EXPECT_NE(leakage_of(column).find("their order"), std::string::npos);
}

}  // namespace
}  // namespace pgveil::explain
