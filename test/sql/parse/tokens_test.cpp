#include "sql/parse/tokens.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace pgveil::parse {
namespace {

std::vector<std::string> texts(std::string_view text, bool conforming = true) {
    const Tokens tokens(text, conforming);
    std::vector<std::string> result;
    for (const Token& token : tokens.all()) {
        result.emplace_back(tokens.text_of(token));
    }
    return result;
}

using Texts = std::vector<std::string>;

TEST(Tokens, SkipsNestedCommentsAndLineComments) {
    EXPECT_EQ(texts("a /* x /* y */ z */ b -- c\n d"), (Texts{"a", "b", "d"}));
    EXPECT_EQ(texts("a /* open"), (Texts{"a"}));
    EXPECT_EQ(texts("a+/*c*/b"), (Texts{"a", "+", "b"}));
}

TEST(Tokens, ReadsEveryStringForm) {
    EXPECT_EQ(
        texts("'a''b' E'c\\'d' N'e' U&'f' B'1' X'f' $$g'$$ $t$h$$ $t$"),
        (Texts{"'a''b'", "E'c\\'d'", "N'e'", "U&'f'", "B'1'", "X'f'", "$$g'$$", "$t$h$$ $t$"})
    );
}

TEST(Tokens, BackslashDependsOnTheSessionSetting) {
    EXPECT_EQ(texts("'a\\' b"), (Texts{"'a\\'", "b"}));
    EXPECT_EQ(texts("'a\\' b'", false), (Texts{"'a\\' b'"}));
}

TEST(Tokens, ContinuedLinesBelongToTheLiteral) {
    EXPECT_EQ(texts("'a' -- x\n 'b' c"), (Texts{"'a' -- x\n 'b'", "c"}));
    EXPECT_EQ(texts("E'a'\n'\\'b'"), (Texts{"E'a'\n'\\'b'"}));
    EXPECT_EQ(texts("'a' 'b'"), (Texts{"'a'", "'b'"}));
}

TEST(Tokens, SplitsOperatorsAsPostgresDoes) {
    EXPECT_EQ(texts("a=-1"), (Texts{"a", "=", "-", "1"}));
    EXPECT_EQ(texts("a@-1"), (Texts{"a", "@-", "1"}));
    EXPECT_EQ(texts("a::b"), (Texts{"a", "::", "b"}));
    EXPECT_EQ(texts("1..2"), (Texts{"1", "..", "2"}));
    EXPECT_EQ(texts("$1+$23"), (Texts{"$1", "+", "$23"}));
}

TEST(Tokens, DecodesIdentifiers) {
    const auto name = [](std::string_view text) {
        return Tokens(text, true).name_at(0);
    };
    EXPECT_EQ(name("PatiEnts"), "patients");
    EXPECT_EQ(name("\"Pat\"\"x\""), "Pat\"x");
    EXPECT_EQ(name("U&\"\\0070at\""), "pat");
    EXPECT_EQ(name("u&\"!0070at\" UESCAPE '!'"), "pat");
    EXPECT_EQ(name("a$1"), "a$1");
    EXPECT_EQ(name("\xc3\xa4x"), "\xc3\xa4x");
}

TEST(Tokens, CutsLongIdentifiersAtACharacter) {
    EXPECT_EQ(cut_identifier(std::string(70, 'x')).size(), 63U);
    EXPECT_EQ(cut_identifier(std::string(62, 'x') + "\xc3\xa4").size(), 62U);
}

TEST(Tokens, UnterminatedQuotesReachTheEnd) {
    const Tokens tokens("a 'b c", true);
    EXPECT_FALSE(tokens[1].is_terminated);
    EXPECT_EQ(tokens[1].end, 6U);
}

TEST(TokenRanges, FindsTheEndOfConstants) {
    const auto end = [](std::string_view text) {
        return constant_end(Tokens(text, true), 0).value_or(0);
    };
    EXPECT_EQ(end("'a' x"), 3U);
    EXPECT_EQ(end("- 12 x"), 4U);
    EXPECT_EQ(end("1.5e3 x"), 5U);
    EXPECT_EQ(end("U&'a' UESCAPE '!' x"), 17U);
    EXPECT_EQ(end("NULL x"), 4U);
    EXPECT_EQ(end("( 1"), 0U);
    // PostgreSQL's parser says that N'a' begins at its quote.
    EXPECT_EQ(constant_end(Tokens("N'a' x", true), 1), 4U);
    EXPECT_EQ(constant_end(Tokens("E'a' x", true), 1), std::nullopt);
}

TEST(TokenRanges, FindsTheEndOfTypeNames) {
    const auto end = [](std::string_view text) {
        return type_name_end(Tokens(text, true), 0).value_or(0);
    };
    EXPECT_EQ(end("varchar(10) x"), 11U);
    EXPECT_EQ(end("character varying (10) x"), 22U);
    EXPECT_EQ(end("timestamp (3) with time zone x"), 28U);
    EXPECT_EQ(end("timestamp without"), 9U);
    EXPECT_EQ(end("pg_catalog . \"int4\"[] x"), 21U);
    EXPECT_EQ(end("double precision x"), 16U);
    EXPECT_EQ(end("int array[3] x"), 12U);
    EXPECT_EQ(end("national character varying(3) x"), 29U);
    EXPECT_EQ(end("date) x"), 4U);
}

TEST(TokenRanges, FindsTheEndOfQualifiedNames) {
    const auto end = [](std::string_view text) {
        return qualified_name_end(Tokens(text, true), 0).value_or(0);
    };
    EXPECT_EQ(end("a . \"b\" c"), 7U);
    EXPECT_EQ(end("a"), 1U);
}

}  // namespace
}  // namespace pgveil::parse
