#include "sql/types/codec.hpp"
#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace pgveil::analysis::test {
namespace {

constexpr std::uint32_t kInt2 = 21;
constexpr std::uint32_t kInt4 = 23;
constexpr std::uint32_t kInt8 = 20;
constexpr std::uint32_t kText = 25;
constexpr std::uint32_t kUuid = 2950;

constexpr std::string_view kPolicy = R"json({ "tables": {
    "public.charts": { "columns": {
        "finding": { "type": "text", "bind_to": ["ward", "number"] },
        "aside":   { "type": "text", "pad_to": 16 } } },
    "public.letters": { "columns": { "body": { "type": "text", "bind_to": ["id"] } } } } })json";

struct ColumnSpec {
    std::string_view name;
    std::uint32_t type_oid;
};

/// The clinic's analysis over other tables: charts with the key (ward int2, number int4), and
/// letters with a uuid.
class Bound : public testing::Test {
protected:
    Bound() {
        clinic.policy = *config::parse_policy("policy.json", kPolicy);
        add("charts",
            {{"ward", kInt2}, {"number", kInt4}, {"finding", 0}, {"aside", 0}, {"room", kText}});
        add("letters", {{"id", kUuid}, {"number", kInt4}, {"body", 0}});
    }

    catalog::Relation& add(std::string_view name, const std::vector<ColumnSpec>& columns) {
        relation = catalog::Relation();
        relation.schema = "public";
        relation.name = name;
        for (const ColumnSpec& spec : columns) {
            catalog::Column column;
            column.name = spec.name;
            column.type_oid = spec.type_oid;
            column.is_ciphertext = spec.type_oid == 0;
            relation.columns.push_back(column);
        }
        keep();
        return relation;
    }

    void keep() {
        clinic.catalog.put({"", relation.name}, {relation, "public"});
        clinic.catalog.put({"public", relation.name}, {relation, "public"});
    }

    /// The values a statement writes to bound columns with their rows: "finding=clear@1,2", the
    /// keys as text or $n; or the refusal.
    std::string written(std::string_view sql, std::vector<std::uint32_t> declared = {}) {
        clinic.parameter_oids = std::move(declared);
        const Decision decision = clinic.decide(sql);
        if (const auto* const rejection = std::get_if<Rejection>(&decision)) {
            return rendered(*rejection);
        }
        const auto& plan = std::get<StatementPlan>(decision);
        std::string text;
        for (const Splice& splice : plan.splices) {
            if (const auto* const literal = std::get_if<SealedLiteral>(&splice.replacement)) {
                text += literal->column->name + "=" +
                        std::string(core::as_text(literal->plaintext.reveal())) + "@" +
                        core::to_hex(literal->row) + " ";
            }
        }
        for (const ParameterPlan& parameter : plan.parameters) {
            text += parameter.column->name + "=$" + std::to_string(parameter.number) + "@";
            for (const RowKey& key : parameter.row) {
                text += shown(key) + (key.is_compared ? "?" : "") + ",";
            }
            text += " ";
        }
        return text;
    }

    static std::string shown(const RowKey& key) {
        if (const auto* const parameter = std::get_if<KeyParameter>(&key.value)) {
            return "$" + std::to_string(parameter->number) + ":" +
                   types::name_of(parameter->input_type);
        }
        return core::to_hex(std::get<field::KeyValue>(key.value).form);
    }

    /// Result columns with the places of their keys: "finding@1,2", "-" plain, "-int4" a key; then
    /// "+n" for hidden ones.
    std::string results(std::string_view sql) {
        const Decision decision = clinic.decide(sql);
        if (const auto* const rejection = std::get_if<Rejection>(&decision)) {
            return rendered(*rejection);
        }
        const auto& plan = std::get<StatementPlan>(decision);
        std::string text;
        for (const ResultColumn& column : plan.results) {
            text += column.column == nullptr ? "-" : column.column->name;
            text += column.key_kind ? types::name_of({*column.key_kind, -1}) : "";
            for (const std::uint16_t key : column.keys) {
                text += "@" + std::to_string(key);
            }
            text += " ";
        }
        return text + "+" + std::to_string(plan.hidden_results);
    }

    Clinic clinic;
    catalog::Relation relation;
};

std::string int8_key(std::string_view hex) {
    return "00000004696e743800000008" + std::string(hex);
}

TEST_F(Bound, InsertTakesTheKeyFromItsRow) {
    const std::string row = int8_key("0000000000000001") + int8_key("fffffffffffffffe");
    EXPECT_EQ(written("INSERT INTO charts VALUES (1, -2, 'clear')"), "finding=clear@" + row + " ");
    EXPECT_EQ(
        written("INSERT INTO charts (finding, number, ward) VALUES ('clear', '-2'::int, 1::bigint)"
        ),
        "finding=clear@" + row + " "
    );
    EXPECT_EQ(
        written("INSERT INTO charts (number, finding, ward) VALUES (7, $1, $2), (8, $3, $2)"),
        "finding=$1@$2:int2,0000000000000007, finding=$3@$2:int2,0000000000000008, "
    );
    EXPECT_EQ(written("INSERT INTO letters (id, body) VALUES ($1, $2)"), "body=$2@$1:uuid, ");
}

TEST_F(Bound, InsertWithoutAValueNeedsNoKey) {
    EXPECT_EQ(written("INSERT INTO charts (room) VALUES ('R1')"), "");
    EXPECT_EQ(written("INSERT INTO charts (finding, ward) VALUES (NULL, DEFAULT)"), "");
    EXPECT_EQ(written("INSERT INTO charts VALUES (DEFAULT, 1 + 1, DEFAULT, NULL, 'x')"), "");
    EXPECT_EQ(written("INSERT INTO charts (ward, finding) SELECT 1, NULL"), "");
}

TEST_F(Bound, InsertWithoutACertainKeyIsRefused) {
    for (const std::string_view sql :
         {"INSERT INTO charts (ward, finding) VALUES (1, 'x')",
          "INSERT INTO charts (ward, number, finding) VALUES (1, DEFAULT, 'x')",
          "INSERT INTO charts (ward, number, finding) VALUES (1, NULL, 'x')",
          "INSERT INTO charts (ward, number, finding) VALUES (1, 2 + 2, 'x')",
          "INSERT INTO charts (ward, number, finding) VALUES (1, 2.5, 'x')",
          "INSERT INTO charts (ward, number, finding) VALUES (1, true, 'x')",
          "INSERT INTO charts (ward, number, finding) VALUES (1, '2'::numeric, 'x')",
          "INSERT INTO charts (ward, number, finding) VALUES (1, nextval('s'), 'x')",
          "INSERT INTO charts (ward, number, finding) VALUES (1, (SELECT 2), 'x')"}) {
        EXPECT_EQ(written(sql), "!0A000 public.charts.finding: INSERT without its key number")
            << sql;
    }
    EXPECT_EQ(
        written("INSERT INTO charts (ward, number, finding) SELECT 1, 2, 'x'"),
        "!0A000 public.charts.finding: a value without the key of its row"
    );
    EXPECT_EQ(
        written("INSERT INTO letters (id, body) VALUES (7, 'x')"),
        "!0A000 public.letters.body: INSERT without its key id"
    );
    EXPECT_EQ(
        written("INSERT INTO letters (id, body) VALUES ('7', 'x')"),
        "!22P02 invalid input syntax for type uuid: \"7\""
    );
}

TEST_F(Bound, UpdateTakesTheKeyFromWhere) {
    const std::string row = int8_key("0000000000000001") + int8_key("0000000000000002");
    for (const std::string_view where :
         {"ward = 1 AND number = 2",
          "(room = 'x' AND 2 = charts.number) AND public.charts.ward = '1'",
          "number = ward AND ward = 1 AND (finding IS NULL AND number = 2)"}) {
        EXPECT_EQ(
            written("UPDATE charts SET finding = 'x' WHERE " + std::string(where)),
            "finding=x@" + row + " "
        ) << where;
    }
    EXPECT_EQ(
        written(
            "UPDATE charts SET finding = 'x' FROM letters l WHERE ward = 1 AND l.number = 7 AND "
            "charts.number = 2"
        ),
        "finding=x@" + row + " "
    );
    EXPECT_EQ(
        written("UPDATE charts c SET finding = $1 WHERE c.ward = $2 AND c.number = $3::bigint"),
        "finding=$1@$2:int2?,$3:int8?, "
    );
    EXPECT_EQ(
        written(
            "UPDATE charts SET finding = $1 WHERE ward = $2 AND number = $3", {kText, kInt8, kInt2}
        ),
        "finding=$1@$2:int8?,$3:int2?, "
    );
}

TEST_F(Bound, UpdateWithoutTheWholeKeyIsRefused) {
    for (const std::string_view where :
         {"",
          " WHERE ward = 1",
          " WHERE ward = 1 OR number = 1",
          " WHERE ward = 1 AND number <> 2",
          " WHERE ward = 1 AND number IN (2)",
          " WHERE ward = 1 AND number = ward",
          " WHERE ward = 1 AND NOT number = 2",
          " WHERE ward = 1 AND number = NULL",
          " WHERE ward = 1 AND number OPERATOR(public.=) 2",
          " WHERE ward = 1 AND room = '2'",
          " WHERE ward = 1 AND number + 0 = 2"}) {
        const std::string said = written("UPDATE charts SET finding = 'x'" + std::string(where));
        EXPECT_TRUE(said.starts_with("!0A000 public.charts.finding: UPDATE without WHERE "))
            << said;
    }
    EXPECT_EQ(
        written("UPDATE charts SET finding = 'x' FROM letters l WHERE ward = 1 AND l.number = 2"),
        "!0A000 public.charts.finding: UPDATE without WHERE number = a constant or parameter"
    ) << "a column of the same name in another table";
    EXPECT_EQ(written("UPDATE charts SET finding = NULL, aside = 'x'"), "aside=x@ ");
}

TEST_F(Bound, KeysAndStoredValuesStayWhereTheyAre) {
    for (const std::string_view sql :
         {"UPDATE charts SET number = 3 WHERE ward = 1 AND number = 2",
          "UPDATE charts SET room = 'x', number = number",
          "UPDATE charts SET (number) = ROW(1)"}) {
        EXPECT_EQ(
            written(sql),
            "!0A000 public.charts.finding: a change of number, which its bind_to names"
        ) << sql;
    }
    for (const std::string_view sql :
         {"UPDATE charts SET finding = finding WHERE ward = 1 AND number = 2",
          "UPDATE charts SET finding = c.finding FROM charts c WHERE charts.ward = 1 AND "
          "charts.number = 2",
          "INSERT INTO charts (ward, number, finding) SELECT ward, number, finding FROM charts"}) {
        EXPECT_EQ(written(sql), "!0A000 public.charts.finding: a copy of a stored value") << sql;
    }
}

TEST_F(Bound, AParameterIsReadWithoutDoubtOrRefused) {
    constexpr std::string_view kUpdate = "UPDATE letters SET body = $1 WHERE id = $2";
    EXPECT_EQ(written(kUpdate, {0, kUuid}), "body=$1@$2:uuid?, ");
    EXPECT_EQ(
        written(kUpdate, {0, kText}),
        "!0A000 public.letters.body: UPDATE without WHERE id = a constant or parameter"
    );
    constexpr std::string_view kTwice = "UPDATE letters SET body = $1 WHERE id = $2 AND id <> $2";
    EXPECT_EQ(
        written(kTwice), "!0A000 parameter $2: a key of bind_to that is used in another place, too"
    );
    EXPECT_EQ(written(kTwice, {0, kUuid}), "body=$1@$2:uuid?, ");
    EXPECT_EQ(
        written("INSERT INTO charts (ward, number, finding) VALUES (1, 1, $1), (1, 2, $1)"),
        "!0A000 public.charts.finding: parameter $1 for two rows"
    );
    EXPECT_EQ(
        written("INSERT INTO charts (ward, number, finding) VALUES (1, $1, 'x')"),
        "!0A000 public.charts.finding: a constant for a row whose key number is a parameter"
    );
}

TEST_F(Bound, ResultsUseTheKeysThatAreThere) {
    EXPECT_EQ(results("SELECT * FROM charts"), "-int2 -int4 finding@0@1 aside - +0");
    EXPECT_EQ(
        results("SELECT finding, number AS n, room, ward FROM charts"),
        "finding@3@1 -int4 - -int2 +0"
    );
    EXPECT_EQ(
        results("SELECT a.finding, b.ward, b.number, a.number, a.ward FROM charts a, charts b"),
        "finding@4@3 - - -int4 -int2 +0"
    );
    EXPECT_EQ(results("DELETE FROM charts RETURNING *"), "-int2 -int4 finding@0@1 aside - +0");
    EXPECT_EQ(results("SELECT count(finding) FROM charts WHERE finding IS NULL"), "+0");
}

TEST_F(Bound, ResultsAskForTheKeysThatAreNot) {
    EXPECT_EQ(
        clinic.sent("SELECT finding /* FROM */, 'a' IS DISTINCT FROM 'b' AS from FROM charts -- x"),
        "SELECT finding /* FROM */, 'a' IS DISTINCT FROM 'b' AS from, "
        "\"public\".\"charts\".\"ward\" "
        "AS \"pgveil:key:1\", \"public\".\"charts\".\"number\" AS \"pgveil:key:2\" FROM "
        "\"public\".\"charts\" -- x"
    );
    EXPECT_EQ(results("SELECT finding FROM charts"), "finding@1@2 -int2 -int4 +2");
    EXPECT_EQ(
        results("SELECT finding, number, finding FROM charts"),
        "finding@3@1 -int4 finding@3@1 -int2 +1"
    );
    EXPECT_EQ(
        clinic.sent("DELETE FROM public.charts c WHERE true RETURNING finding -- why\n ; "),
        "DELETE FROM public.charts c WHERE true RETURNING finding, \"c\".\"ward\" AS "
        "\"pgveil:key:1\", \"c\".\"number\" AS \"pgveil:key:2\" -- why\n ; "
    );
    EXPECT_EQ(
        clinic.sent("SELECT body FROM public.letters AS l(\"The Id\")"),
        "SELECT body, \"l\".\"The Id\" AS \"pgveil:key:1\" FROM public.letters AS l(\"The Id\")"
    );
}

TEST_F(Bound, MergedColumnsAreNoKeys) {
    EXPECT_EQ(
        results("SELECT body, number FROM charts JOIN letters USING (number)"), "body@2 - -uuid +1"
    );
    EXPECT_EQ(
        results("SELECT number, finding, ward FROM charts FULL JOIN letters USING (number)"),
        "- finding@2@3 -int2 -int4 +1"
    );
}

TEST_F(Bound, ResultsWhoseRowIsLostAreRefused) {
    for (const std::string_view sql :
         {"SELECT s.finding FROM (SELECT * FROM charts) s",
          "SELECT ward, number, finding FROM (SELECT * FROM charts) s",
          "WITH w AS (SELECT * FROM charts) SELECT * FROM w",
          "SELECT (SELECT finding FROM charts LIMIT 1)",
          "SELECT ward, finding FROM charts UNION ALL SELECT ward, finding FROM charts",
          "SELECT * FROM (charts CROSS JOIN (SELECT 1) o) AS j",
          "SELECT x.finding FROM charts c, LATERAL (SELECT c.finding) x"}) {
        EXPECT_EQ(
            results(sql),
            "!0A000 public.charts.finding: a value that comes through a sub-query, WITH, a set "
            "operation or an aliased join"
        ) << sql;
    }
    for (const std::string_view sql :
         {"SELECT finding FROM charts GROUP BY ward, number",
          "SELECT DISTINCT ON (ward) ward, finding FROM charts"}) {
        EXPECT_EQ(
            results(sql), "!0A000 public.charts.finding: a select list without the key of its row"
        ) << sql;
    }
    EXPECT_EQ(
        results("SELECT finding, ward, number FROM charts GROUP BY ward, number"),
        "finding@1@2 -int2 -int4 +0"
    );
}

TEST_F(Bound, KeysMustBeThereAndTheClients) {
    const std::string refusal = "!0A000 public.letters.body: is bound (bind_to) to id";
    add("letters", {{"number", kInt4}, {"body", 0}});
    EXPECT_EQ(written("TABLE letters"), refusal + ", which does not exist");
    add("letters", {{"id", kText}, {"body", 0}});
    EXPECT_EQ(
        written("TABLE letters"), refusal + ", which is not of type int2, int4, int8 or uuid"
    );
    add("letters", {{"id", kInt8}, {"body", 0}});
    EXPECT_EQ(written("TABLE letters"), "");
    relation.columns[0].generated_or_identity = true;
    keep();
    EXPECT_EQ(written("TABLE letters"), refusal + ", whose values the database makes (GENERATED)");
}

TEST_F(Bound, CreateTableChecksTheKeys) {
    const auto said = [this](std::string_view columns) {
        return written("CREATE TABLE letters (" + std::string(columns) + ", body text)");
    };
    const std::string refusal = "!0A000 public.letters.body: is bound (bind_to) to id";
    for (const std::string_view good :
         {"id uuid PRIMARY KEY", "id bigint", "id serial", "id bigserial", "id smallserial"}) {
        EXPECT_EQ(said(good), "") << good;
    }
    EXPECT_EQ(said("number int"), refusal + ", which does not exist");
    EXPECT_EQ(said("id numeric(5)"), refusal + ", which is not of type int2, int4, int8 or uuid");
    EXPECT_EQ(
        said("id int GENERATED BY DEFAULT AS IDENTITY"),
        refusal + ", whose values the database makes (GENERATED)"
    );
}

TEST_F(Bound, AlterTableKeepsTheKeys) {
    EXPECT_EQ(
        written("ALTER TABLE charts DROP COLUMN ward"),
        "!0A000 public.charts.finding: DROP COLUMN of ward, which the column is bound to"
    );
    EXPECT_EQ(
        written("ALTER TABLE charts ALTER number TYPE bigint"),
        "!0A000 public.charts.finding: ALTER COLUMN TYPE of number, which the column is bound to"
    );
    EXPECT_EQ(
        written("ALTER TABLE charts ALTER ward ADD GENERATED ALWAYS AS IDENTITY"),
        "!0A000 public.charts.finding: IDENTITY of ward, which the column is bound to"
    );
    EXPECT_EQ(written("ALTER TABLE charts DROP COLUMN finding"), "");
}

}  // namespace
}  // namespace pgveil::analysis::test
