// That PostgreSQL accepts and obeys these texts is shown in test/integration.
#include "sql/schema/schema.hpp"

#include "sql/schema/keyring_mirror.hpp"
#include "sql/schema/store_version.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pgveil::schema {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(CheckConstraint, QuotesTheColumn) {
    const std::string text = check_constraint("odd\"name", config::Scheme::kEquality);
    EXPECT_THAT(text, testing::StartsWith("CONSTRAINT \"pgveil_odd\"\"name\" CHECK ("));
    EXPECT_THAT(text, HasSubstr("CHECK (\"odd\"\"name\" OPERATOR"));
}

TEST(CheckConstraint, IsOneQualifiedComparisonWithPatterns) {
    const std::string later = R"(,"\\\\x025f5f5f5f5f25","\\\\x035f5f5f5f5f25")";
    const std::string text = check_expression("c", config::Scheme::kEquality);
    EXPECT_THAT(
        text,
        testing::StartsWith(
            R"("c" OPERATOR(pg_catalog.~~) ANY (E'{"\\\\x01025f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f25")" +
            later
        )
    );
    EXPECT_THAT(text, testing::EndsWith(R"("\\\\x0f5f5f5f5f5f25"}'::pg_catalog.bytea[]))"));
}

TEST(CheckConstraint, DiffersBySchemeAndItsLeastSize) {
    const auto begin = [](const char* scheme, std::size_t any) {
        std::string text = R"("\\\\x010)" + std::string(scheme);
        for (std::size_t index = 0; index < any; ++index) {
            text += "5f";
        }
        return text + R"(25")";
    };
    EXPECT_THAT(check_expression("c", config::Scheme::kRandomized), HasSubstr(begin("1", 44)));
    EXPECT_THAT(check_expression("c", config::Scheme::kOrder), HasSubstr(begin("3", 36)));
    EXPECT_THAT(check_expression("c", config::Scheme::kPadded), HasSubstr(begin("4", 48)));
}

TEST(ConstraintName, StaysWithin63BytesAtACharacterBorder) {
    EXPECT_EQ(constraint_name("ssn"), "pgveil_ssn");
    EXPECT_EQ(constraint_name(std::string(63, 'x')).size(), 63U);
    // Seven bytes, then two bytes a character: 63 is a border, and one letter more moves it.
    std::string umlauts;
    for (int index = 0; index < 30; ++index) {
        umlauts += "ä";
    }
    EXPECT_EQ(constraint_name(umlauts).size(), 62U);
    EXPECT_EQ(constraint_name("x" + umlauts).size(), 63U);
}

TEST(ConstraintName, DiffersWhereColumnsDifferBehindTheCut) {
    const std::string column(62, 'x');
    EXPECT_NE(constraint_name(column + "a"), constraint_name(column + "b"));
    EXPECT_EQ(constraint_name(std::string(56, 'x')), "pgveil_" + std::string(56, 'x'));
    EXPECT_EQ(
        constraint_name(std::string(57, 'x')), "pgveil_" + std::string(47, 'x') + "_824e25e7"
    );
}

TEST(Setup, MakesSchemaGrantAndUnconstrainedDomain) {
    const std::string block = setup_block();
    EXPECT_THAT(block, HasSubstr("CREATE SCHEMA pgveil; GRANT USAGE ON SCHEMA pgveil TO PUBLIC;"));
    EXPECT_THAT(block, HasSubstr("CREATE DOMAIN pgveil.ciphertext AS pg_catalog.bytea;"));
    EXPECT_THAT(block, Not(HasSubstr("CHECK")));
}

TEST(KeyringMirror, TakesRightsFromEverybodyElse) {
    EXPECT_THAT(
        std::string(create_keyring()), HasSubstr("REVOKE ALL ON TABLE pgveil.keyring FROM PUBLIC")
    );
}

TEST(StoreVersion, TakesRightsFromEverybodyElse) {
    EXPECT_THAT(
        std::string(create_store_version()),
        HasSubstr("REVOKE ALL ON TABLE pgveil.store_version FROM PUBLIC")
    );
}

TEST(Schema, AConstraintNamesTheDataKeyAndSeesToIt) {
    EXPECT_EQ(
        data_key_constraint("ssn", 258),
        "CONSTRAINT \"pgveil_key:258:ssn\" CHECK (pg_catalog.substring(\"ssn\"::pg_catalog.bytea, "
        "3, 4) "
        "OPERATOR(pg_catalog.=) pg_catalog.decode('00000102', 'hex'))"
    );
    const std::string column(63, 'x');
    const std::string text = data_key_constraint(column, 999999999);
    const std::size_t begin = text.find('"') + 1;
    EXPECT_EQ(text.find('"', begin) - begin, 63U);
    EXPECT_TRUE(text.substr(begin).starts_with("pgveil_key:999999999:xxx"));
}

}  // namespace
}  // namespace pgveil::schema
