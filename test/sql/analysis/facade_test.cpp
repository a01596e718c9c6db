#include "sql/schema/facade.hpp"

#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

// Where a catalog relation is read, its façade stands; nowhere else.
namespace pgveil::analysis::test {
namespace {

catalog::Relation system_relation(
    std::string schema, std::string name, std::initializer_list<std::string_view> columns
) {
    catalog::Relation relation;
    relation.oid = 1;
    relation.schema = std::move(schema);
    relation.name = std::move(name);
    relation.relkind = relation.schema == "pg_catalog" ? 'r' : 'v';
    for (const std::string_view name_of_column : columns) {
        catalog::Column column;
        column.name = name_of_column;
        relation.columns.push_back(std::move(column));
    }
    return relation;
}

class Facade : public testing::Test {
protected:
    Facade() {
        add(attribute_, true);
        add(type_, true);
        add(columns_, false);
    }

    void add(const catalog::Relation& relation, bool is_in_path) {
        clinic_.catalog.put({relation.schema, relation.name}, {relation, "public"});
        if (is_in_path) {
            clinic_.catalog.put({"", relation.name}, {relation, "public"});
        }
    }

    /// What leaves, with <name> (<name+system column>) in place of each façade.
    std::string sent(std::string_view sql) const {
        std::string text = clinic_.sent(sql);
        for (const catalog::Relation* const relation : {&attribute_, &type_, &columns_}) {
            shorten(text, *relation, {}, "<" + relation->name + ">");
            shorten(text, *relation, {"ctid"}, "<" + relation->name + "+ctid>");
        }
        return text;
    }

    void shorten(
        std::string& text,
        const catalog::Relation& relation,
        const std::vector<std::string>& system_columns,
        const std::string& mark
    ) const {
        const std::string facade = schema::facade_of(relation, *clinic_.policy, system_columns);
        for (std::size_t at = text.find(facade); at != std::string::npos; at = text.find(facade)) {
            text.replace(at, facade.size(), mark);
        }
    }

    catalog::Relation attribute_ =
        system_relation("pg_catalog", "pg_attribute", {"attrelid", "attname", "atttypid"});
    catalog::Relation type_ = system_relation("pg_catalog", "pg_type", {"oid", "typname"});
    catalog::Relation columns_ =
        system_relation("information_schema", "columns", {"table_name", "data_type"});
    Clinic clinic_;
};

TEST_F(Facade, StandsForEveryNameInFrom) {
    EXPECT_EQ(
        sent("SELECT attname FROM pg_attribute"),
        "SELECT attname FROM <pg_attribute> AS \"pg_attribute\""
    );
    EXPECT_EQ(
        sent("SELECT attname FROM pg_catalog.pg_attribute WHERE attnum > 0"),
        "SELECT attname FROM <pg_attribute> AS \"pg_attribute\" WHERE attnum > 0"
    );
    EXPECT_EQ(
        sent("SELECT 1 FROM \"pg_catalog\" . \"pg_type\""), "SELECT 1 FROM <pg_type> AS \"pg_type\""
    );
    EXPECT_EQ(
        sent("SELECT 1 FROM information_schema.columns"), "SELECT 1 FROM <columns> AS \"columns\""
    );
}

TEST_F(Facade, KeepsTheAliasOfTheUser) {
    EXPECT_EQ(sent("SELECT 1 FROM pg_type t"), "SELECT 1 FROM <pg_type> t");
    EXPECT_EQ(sent("SELECT 1 FROM pg_type AS \"T\" (a)"), "SELECT 1 FROM <pg_type> AS \"T\" (a)");
    EXPECT_EQ(sent("SELECT 1 FROM pg_type a, pg_type b"), "SELECT 1 FROM <pg_type> a, <pg_type> b");
}

TEST_F(Facade, StandsInJoinsSubQueriesAndCommonTables) {
    EXPECT_EQ(
        sent("SELECT 1 FROM notes n JOIN (pg_attribute a LEFT JOIN pg_type t ON true) ON true"),
        "SELECT 1 FROM notes n JOIN (<pg_attribute> a LEFT JOIN <pg_type> t ON true) ON true"
    );
    EXPECT_EQ(
        sent("SELECT (SELECT typname FROM pg_type t WHERE t.oid = 1), x FROM (SELECT 1 AS x FROM "
             "pg_attribute a) s WHERE EXISTS (SELECT 1 FROM pg_type t)"),
        "SELECT (SELECT typname FROM <pg_type> t WHERE t.oid = 1), x FROM (SELECT 1 AS x FROM "
        "<pg_attribute> a) s WHERE EXISTS (SELECT 1 FROM <pg_type> t)"
    );
    EXPECT_EQ(
        sent("WITH x AS (SELECT oid FROM pg_type t) SELECT oid FROM x UNION SELECT 1 FROM pg_type t"
        ),
        "WITH x AS (SELECT oid FROM <pg_type> t) SELECT oid FROM x UNION SELECT 1 FROM <pg_type> t"
    );
}

TEST_F(Facade, ACommonTableOfThatNameIsNotTheCatalog) {
    for (const std::string_view sql :
         {"WITH pg_type AS (SELECT 1 AS oid) SELECT oid FROM pg_type",
          "WITH RECURSIVE pg_type AS (SELECT 1 AS oid UNION SELECT oid FROM pg_type) TABLE pg_type",
          "WITH pg_type AS (SELECT 1 AS oid) SELECT (SELECT oid FROM pg_type)"}) {
        EXPECT_EQ(sent(sql), sql);
    }
    EXPECT_EQ(
        sent("WITH pg_type AS (SELECT oid FROM pg_type t) SELECT oid FROM pg_type"),
        "WITH pg_type AS (SELECT oid FROM <pg_type> t) SELECT oid FROM pg_type"
    );
    EXPECT_EQ(
        sent("SELECT (WITH pg_type AS (SELECT 1) SELECT 1 FROM pg_type) FROM pg_type t"),
        "SELECT (WITH pg_type AS (SELECT 1) SELECT 1 FROM pg_type) FROM <pg_type> t"
    );
    EXPECT_EQ(
        sent("WITH pg_type AS (SELECT 1) SELECT 1 FROM pg_catalog.pg_type t"),
        "WITH pg_type AS (SELECT 1) SELECT 1 FROM <pg_type> t"
    );
}

TEST_F(Facade, ARelationOfTheUserOfThatNameIsNotTheCatalog) {
    catalog::Relation own = system_relation("public", "pg_type", {"oid"});
    clinic_.catalog.put({"", "pg_type"}, {own, "public"});
    clinic_.catalog.put({"public", "pg_type"}, {own, "public"});
    EXPECT_EQ(sent("SELECT 1 FROM pg_type"), "SELECT 1 FROM pg_type");
    EXPECT_EQ(sent("SELECT 1 FROM public.pg_type"), "SELECT 1 FROM public.pg_type");
}

TEST_F(Facade, ReferencesLoseTheSchema) {
    EXPECT_EQ(
        sent("SELECT pg_catalog.pg_type.oid, pg_catalog.pg_type.* FROM pg_catalog.pg_type"),
        "SELECT pg_type.oid, pg_type.* FROM <pg_type> AS \"pg_type\""
    );
    EXPECT_EQ(
        sent("SELECT pg_catalog . /* here */ pg_type.oid FROM pg_catalog.pg_type"),
        "SELECT pg_type.oid FROM <pg_type> AS \"pg_type\""
    );
    EXPECT_EQ(
        sent("SELECT pg_catalog.pg_index.indkey FROM pg_catalog.pg_index, pg_type t"),
        "SELECT pg_catalog.pg_index.indkey FROM pg_catalog.pg_index, <pg_type> t"
    );
}

TEST_F(Facade, WhatOnlyATableCanHaveGoes) {
    EXPECT_EQ(sent("SELECT 1 FROM ONLY pg_type t"), "SELECT 1 FROM <pg_type> t");
    EXPECT_EQ(sent("SELECT 1 FROM ONLY (pg_type) t"), "SELECT 1 FROM <pg_type> t");
    EXPECT_EQ(sent("SELECT 1 FROM pg_type * t"), "SELECT 1 FROM <pg_type> t");
    EXPECT_EQ(sent("TABLE pg_type"), "SELECT * FROM <pg_type> AS \"pg_type\"");
}

TEST_F(Facade, SystemColumnsArePassedOnWhereNamed) {
    EXPECT_EQ(
        sent("SELECT a.ctid, t.oid FROM pg_attribute a, information_schema.columns c"),
        "SELECT a.ctid, t.oid FROM <pg_attribute+ctid> a, <columns> c"
    );
    EXPECT_EQ(
        clinic_.sent("SELECT ctid, * FROM pg_type").substr(0, 60),
        "!0A000 pg_catalog.pg_type: * beside the system column ctid"
    );
}

TEST_F(Facade, WhatIsWrittenOrOnlyNamedStays) {
    for (const std::string_view sql :
         {"UPDATE pg_attribute SET attname = 'x' WHERE attrelid = 1",
          "DELETE FROM pg_catalog.pg_attribute WHERE attrelid = 1",
          "INSERT INTO pg_attribute VALUES (1)",
          "SELECT 'pg_type'::regclass, pg_type FROM notes AS pg_type",
          "GRANT SELECT ON pg_type TO nurse",
          "COPY pg_type TO STDOUT",
          "EXPLAIN SELECT 1 FROM pg_type",
          "CREATE MATERIALIZED VIEW v AS SELECT 1 FROM pg_type",
          "CREATE VIEW v AS SELECT 1 FROM pg_type"}) {
        EXPECT_EQ(sent(sql), sql);
    }
    EXPECT_EQ(
        sent("UPDATE notes SET title = t.typname FROM pg_type t WHERE notes.id = t.oid"),
        "UPDATE notes SET title = t.typname FROM <pg_type> t WHERE notes.id = t.oid"
    );
    EXPECT_EQ(
        sent("INSERT INTO notes SELECT oid FROM pg_type t"),
        "INSERT INTO notes SELECT oid FROM <pg_type> t"
    );
}

TEST_F(Facade, StandsInTheQueriesOfCommands) {
    EXPECT_EQ(
        sent("DECLARE c CURSOR FOR SELECT oid FROM pg_type t"),
        "DECLARE c CURSOR FOR SELECT oid FROM <pg_type> t"
    );
    EXPECT_EQ(
        sent("PREPARE p AS SELECT oid FROM pg_type t"), "PREPARE p AS SELECT oid FROM <pg_type> t"
    );
    EXPECT_EQ(
        sent("COPY (SELECT oid FROM pg_type t) TO STDOUT"),
        "COPY (SELECT oid FROM <pg_type> t) TO STDOUT"
    );
    EXPECT_EQ(
        sent("CREATE TABLE x AS SELECT oid FROM pg_type t"),
        "CREATE TABLE x AS SELECT oid FROM <pg_type> t"
    );
    EXPECT_EQ(sent("SELECT oid INTO x FROM pg_type t"), "SELECT oid INTO x FROM <pg_type> t");
}

TEST_F(Facade, StandsBesideProtectedTables) {
    EXPECT_EQ(
        sent("SELECT p.ssn, t.typname FROM patients p, pg_type t WHERE p.ssn = 'abc'"),
        "SELECT p.ssn, t.typname FROM \"public\".\"patients\" p, <pg_type> t WHERE p.ssn = "
        "{ssn=abc}"
    );
}

TEST_F(Facade, IsNotThereWithoutPolicy) {
    Clinic bare = clinic_;
    bare.policy = std::make_shared<const config::Policy>(config::PolicyContent{});
    EXPECT_TRUE(bare.analyze("SELECT 1 FROM pg_type, information_schema.columns").passthrough);
}

TEST_F(Facade, CatalogRelationsAreLookedUpForTheirColumns) {
    clinic_.catalog.erase({"pg_catalog", "pg_type"});
    const types::TextStyle style;
    const Context context{*clinic_.policy, clinic_.catalog, style, true, {}, {}};
    const auto analysis = analysis::analyze("SELECT 1 FROM pg_catalog.pg_type", context);
    ASSERT_EQ(analysis.missing.size(), 1U);
    EXPECT_EQ(analysis.missing.front().name, "pg_type");
}

}  // namespace
}  // namespace pgveil::analysis::test
