#include "sql/parse/parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pgveil::parse {
namespace {

const Select& select_of(const Statement& statement) {
    return *std::get<std::unique_ptr<Select>>(statement.node);
}

template <class T>
const T& node_of(const ExpressionPtr& expression) {
    return std::get<T>(expression->node);
}

std::string repeated(std::string_view part, std::size_t count) {
    std::string text;
    text.reserve(part.size() * count);
    for (std::size_t i = 0; i < count; ++i) {
        text.append(part);
    }
    return text;
}

TEST(Parser, LibraryPassesItsCanary) {
    EXPECT_TRUE(check_parser().has_value());
}

/// The constant that `SELECT <text>` selects, and its number of targets; the message of an error.
std::string selected(const std::string& text) {
    const auto parsed = parse("SELECT " + text);
    if (!parsed) {
        return parsed.error().message;
    }
    const Select& select = select_of(parsed->front());
    const auto* const constant = std::get_if<Constant>(&select.targets.front().value->node);
    return (constant == nullptr ? "?" : constant->text) + "/" +
           std::to_string(select.targets.size());
}

TEST(Parser, TakesCommentsInsideOfAConstantAsWhiteSpace) {
    EXPECT_EQ(selected("'a' -- it's a \xc3\xa4\n  'b', 2"), "ab/2");
    EXPECT_EQ(selected("'a' -- x\n -- y\r\n'b'\n'c'"), "abc/1");
    EXPECT_EQ(selected("E'a\\n' --\n'b'"), "a\nb/1");
    EXPECT_EQ(selected("U&'!0061' /* x */ UESCAPE --y\n'!'"), "a/1");
    EXPECT_EQ(selected("'-- no'\n'/* comment */' -- x\n'-- none'"), "-- no/* comment */-- none/1");
    EXPECT_EQ(selected("'a' /* x */\n 'b'"), "syntax error at or near \"'b'\"");
    EXPECT_EQ(selected("'a' -- x\n/* y */ 'b'"), "syntax error at or near \"'b'\"");
    EXPECT_EQ(selected("'a' -- x\n'b' FROM FROM"), "syntax error at or near \"FROM\"");
}

TEST(Parser, GivesExactRangesOfStatements) {
    const auto parsed = parse("SELECT 1; /* two */ SELECT 'a;b' ;  ");
    ASSERT_TRUE(parsed.has_value());
    ASSERT_EQ(parsed->size(), 2U);
    EXPECT_EQ((*parsed)[0].begin, 0U);
    EXPECT_EQ((*parsed)[0].end, 8U);
    EXPECT_EQ((*parsed)[1].begin, 9U);
    EXPECT_EQ((*parsed)[1].end, 33U);
}

TEST(Parser, EmptyTextHasNoStatements) {
    EXPECT_TRUE(parse("")->empty());
    EXPECT_TRUE(parse(" -- nothing\n ;; ")->empty());
}

TEST(Parser, ReadsConstantsOfEveryKind) {
    const auto parsed =
        parse("SELECT NULL, 1, -2, 3.5, -99999999999, 'x', E'\\n', $$d$$, U&'\\0041', B'1', TRUE");
    ASSERT_TRUE(parsed.has_value());
    const auto& targets = select_of(parsed->front()).targets;
    const auto constant = [&](std::size_t index) {
        return node_of<Constant>(targets[index].value);
    };
    using Kind = Constant::Kind;
    EXPECT_EQ(constant(0).kind, Kind::kNull);
    EXPECT_EQ(constant(1).kind, Kind::kInteger);
    EXPECT_EQ(constant(2).text, "-2");
    EXPECT_EQ(constant(3).kind, Kind::kDecimal);
    EXPECT_EQ(constant(4).text, "-99999999999");
    EXPECT_EQ(constant(4).kind, Kind::kDecimal);
    EXPECT_EQ(constant(5).text, "x");
    EXPECT_EQ(constant(6).text, "\n");
    EXPECT_EQ(constant(7).text, "d");
    EXPECT_EQ(constant(8).text, "A");
    EXPECT_EQ(constant(9).kind, Kind::kBitString);
    EXPECT_EQ(constant(10).kind, Kind::kBool);
    EXPECT_EQ(constant(10).text, "true");
}

TEST(Parser, UnknownConstructsAreExplicitAndFlagged) {
    const auto parsed =
        parse("SELECT xmlelement(name a, b) FROM xmltable('/a' PASSING b COLUMNS c int) t");
    ASSERT_TRUE(parsed.has_value());
    EXPECT_TRUE(parsed->front().inventory.has_unknown);
    const auto& select = select_of(parsed->front());
    EXPECT_EQ(node_of<Unknown>(select.targets[0].value).kind, "XML expression");
    EXPECT_TRUE(std::holds_alternative<Unknown>(select.from[0]->node));
}

TEST(Parser, ReadsClausesOfFromAndWith) {
    const auto parsed = parse(
        "WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a FROM r) SEARCH DEPTH FIRST BY a SET "
        "o "
        "CYCLE a SET c TO 'y' DEFAULT 'n' USING p SELECT * FROM t TABLESAMPLE system (1) "
        "REPEATABLE "
        "(2), u JOIN v USING (x) AS j FOR UPDATE"
    );
    ASSERT_TRUE(parsed.has_value());
    EXPECT_FALSE(parsed->front().inventory.has_unknown);
    const auto& select = select_of(parsed->front());
    EXPECT_TRUE(select.has_locks);
    ASSERT_TRUE(select.with.tables[0].traversal.has_value());
    EXPECT_EQ(select.with.tables[0].traversal->compared, (Names{"a", "a"}));
    EXPECT_EQ(select.with.tables[0].traversal->added, (Names{"o", "c", "p"}));
    EXPECT_EQ(select.with.tables[0].traversal->values.size(), 2U);
    EXPECT_TRUE(select.from[0]->is_sampled);
    EXPECT_EQ(select.from[0]->sample.size(), 2U);
    EXPECT_EQ(std::get<TableReference>(select.from[0]->node).name, "t");
    EXPECT_EQ(std::get<Join>(select.from[1]->node).using_alias, "j");
}

TEST(Parser, InventoryFindsTablesAndCallsAtAnyDepth) {
    const auto parsed = parse(
        "WITH c AS (DELETE FROM a RETURNING *) SELECT f(1) FROM b JOIN s.c2 USING (x)"
        " WHERE EXISTS (SELECT 1 FROM d WHERE y IN (SELECT g() FROM e)) ORDER BY (SELECT 1 FROM h)"
    );
    ASSERT_TRUE(parsed.has_value());
    std::string names;
    for (const auto& table : parsed->front().inventory.tables) {
        names += table.name + " ";
    }
    EXPECT_EQ(names, "a b c2 d e h ");
    EXPECT_EQ(parsed->front().inventory.calls.size(), 2U);
}

TEST(Parser, CommandsWithoutModelCarryTheirName) {
    const auto name = [](std::string_view text) {
        return std::get<Other>(parse(text)->front().node).command;
    };
    EXPECT_EQ(name("ALTER SEQUENCE s CYCLE"), "ALTER SEQUENCE");
    EXPECT_EQ(name("DO 'x'"), "DO");
}

TEST(Parser, ReadsMergeAndConflicts) {
    const auto statements = parse(
        "MERGE INTO t USING u ON a = b WHEN MATCHED AND c THEN DELETE WHEN NOT MATCHED THEN INSERT "
        "(x) VALUES ($1); INSERT INTO t VALUES (1) ON CONFLICT (a, lower(b)) WHERE c DO UPDATE SET "
        "x = 1 WHERE d"
    );
    ASSERT_TRUE(statements.has_value());
    const auto& merge = std::get<Merge>(statements->front().node);
    EXPECT_TRUE(merge.actions.at(0).is_matched && merge.actions.at(0).condition != nullptr);
    EXPECT_EQ(merge.actions.at(1).kind, Merge::Action::Kind::kInsert);
    EXPECT_EQ(merge.actions.at(1).values.size(), 1U);
    EXPECT_FALSE(statements->front().inventory.has_unknown);
    const auto& conflict = *std::get<Insert>(statements->back().node).on_conflict;
    EXPECT_TRUE(conflict.updates && conflict.where != nullptr);
    EXPECT_EQ(conflict.elements.at(0).column, "a");
    EXPECT_NE(conflict.elements.at(1).expression, nullptr);
    EXPECT_NE(conflict.index_condition, nullptr);
    EXPECT_FALSE(statements->back().inventory.has_unknown);
}

TEST(Parser, StatementsInsideCommandsAreRead) {
    const auto parsed = parse(
        "EXPLAIN CREATE TABLE t AS EXECUTE p(f(1)); PREPARE q(int, text) AS DELETE FROM b;"
        "DECLARE c BINARY CURSOR WITH HOLD FOR SELECT 1 FROM d; MOVE ALL IN c; "
        "SELECT 1 INTO x FROM e UNION SELECT 2"
    );
    ASSERT_TRUE(parsed.has_value());
    const auto& create =
        std::get<CreateTableAs>(std::get<Explain>((*parsed)[0].node).statement->node);
    EXPECT_EQ(std::get<Execute>(create.source->node).name, "p");
    EXPECT_EQ((*parsed)[0].inventory.calls.size(), 1U);
    EXPECT_EQ(std::get<Prepare>((*parsed)[1].node).types.size(), 2U);
    EXPECT_EQ((*parsed)[1].inventory.tables.at(0).name, "b");
    const auto& cursor = std::get<DeclareCursor>((*parsed)[2].node);
    EXPECT_TRUE(cursor.is_binary && cursor.is_held);
    EXPECT_TRUE(std::get<Fetch>((*parsed)[3].node).is_move);
    EXPECT_EQ(std::get<CreateTableAs>((*parsed)[4].node).command, "SELECT INTO")
        << "INTO of a set operation stands in its first arm";
}

TEST(Parser, CopyInBothSyntaxes) {
    const auto parsed = parse(
        "COPY s.t (a, b) FROM STDIN CSV HEADER FORCE NOT NULL a WHERE a > 1;"
        "COPY (SELECT f(x) FROM u) TO PROGRAM 'p' (FORMAT 'csv', FORCE_QUOTE *, FREEZE)"
    );
    ASSERT_TRUE(parsed.has_value());
    const auto& from = std::get<Copy>(parsed->front().node);
    EXPECT_EQ(from.target.name, "t");
    EXPECT_EQ(from.columns, (Names{"a", "b"}));
    EXPECT_TRUE(from.is_from);
    EXPECT_FALSE(from.is_at_server);
    ASSERT_EQ(from.options.size(), 3U);
    EXPECT_EQ(from.options[0].text, "csv");
    EXPECT_EQ(from.options[1].text, "true");
    EXPECT_EQ(from.options[2].name, "force_not_null");
    EXPECT_EQ(from.options[2].columns, Names{"a"});
    EXPECT_NE(from.where, nullptr);
    const auto& to = std::get<Copy>(parsed->back().node);
    EXPECT_TRUE(to.is_at_server);
    EXPECT_NE(to.query, nullptr);
    EXPECT_EQ(to.options[1].form, Copy::Option::Form::kAllColumns);
    EXPECT_EQ(to.options[2].form, Copy::Option::Form::kNone);
    EXPECT_EQ(parsed->back().inventory.tables.at(0).name, "u");
    EXPECT_EQ(parsed->back().inventory.calls.size(), 1U);
}

TEST(Parser, SyntaxErrorsKeepTheirBytePosition) {
    const auto parsed = parse("SELECT '\xc3\xa4' FROM WHERE");
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().code, ErrorCode::kSyntax);
    EXPECT_EQ(parsed.error().position, 17);
}

TEST(Parser, RefusesWhatIsTooDeepAndSurvives) {
    EXPECT_EQ(
        parse("SELECT " + repeated("(", 100'000) + "1" + repeated(")", 100'000)).error().code,
        ErrorCode::kLimit
    );
    EXPECT_EQ(parse("SELECT 1" + repeated("+1", 200'000)).error().code, ErrorCode::kLimit);
    EXPECT_EQ(parse("SELECT " + repeated("NOT ", 9'000) + "true").error().code, ErrorCode::kLimit);
    EXPECT_EQ(
        parse("SELECT 1" + repeated(" UNION SELECT 1", 5'000)).error().code, ErrorCode::kLimit
    );
    EXPECT_EQ(
        parse("SELECT 1 FROM a" + repeated(" JOIN b ON true", 2'000)).error().code,
        ErrorCode::kLimit
    );
    EXPECT_TRUE(parse("SELECT 1" + repeated("+1", 300)).has_value());
}

TEST(Parser, ServesWideStatements) {
    EXPECT_TRUE(parse("SELECT 1 WHERE 1 IN (0" + repeated(",1", 50'000) + ")").has_value());
    EXPECT_TRUE(parse("SELECT 1 WHERE true" + repeated(" OR false", 50'000)).has_value());
    EXPECT_EQ(parse("SELECT 0" + repeated(",1", 500'000)).error().code, ErrorCode::kLimit);
    EXPECT_TRUE(parse("SELECT '" + std::string(1'000'000, 'x') + "'").has_value());
}

TEST(Parser, AnswersAnyBytes) {
    EXPECT_FALSE(parse(std::string_view("SELECT 1\0 FROM t", 16)).has_value());
    EXPECT_FALSE(parse("\xff\xfe\x80").has_value());
    EXPECT_FALSE(parse("'unterminated").has_value());
    EXPECT_FALSE(parse("/* open").has_value());
    EXPECT_FALSE(parse("$tag$ open").has_value());
}

}  // namespace
}  // namespace pgveil::parse
