#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// PostgreSQL's lexical structure (documentation chapter 4.1), for byte ranges: where literals end,
// and which names occur in a text, parseable or not.
namespace pgveil::parse {

enum class TokenKind {
    kIdentifier,        // unquoted, keywords included
    kQuotedIdentifier,  // "..." and U&"..."
    kString,            // '', E'', N'', U&'', $$ $$; continued lines belong to it
    kBitString,         // B'', X''
    kNumber,
    kParameter,
    kOperator,
    kPunctuation,  // one of , ( ) [ ] . ; : or :: := .. =>
};

struct Token {
    TokenKind kind = TokenKind::kPunctuation;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    bool is_terminated = true;  // false: quote open at the end of the text
};

/// The tokens of one text in order, without blanks and comments. Borrows the text.
/// Any bytes are accepted: a byte that begins nothing is an operator of its own.
class Tokens {
public:
    /// `standard_conforming_strings` as the server has it: off makes backslashes escapes in '...'.
    Tokens(std::string_view text, bool standard_conforming_strings);

    const std::vector<Token>& all() const { return tokens_; }

    std::size_t size() const { return tokens_.size(); }

    const Token& operator[](std::size_t index) const { return tokens_[index]; }

    std::string_view text_of(const Token& token) const;
    bool is_word(std::size_t index, std::string_view lower_case_word) const;
    bool is_symbol(std::size_t index, std::string_view symbol) const;

    /// The tokens that lie inside [begin, end), as indices [first, last).
    struct Range {
        std::size_t first;
        std::size_t last;
    };

    Range inside(std::uint32_t begin, std::uint32_t end) const;

    /// Index of the token that begins at `offset`, or that contains it.
    std::optional<std::size_t> at(std::uint32_t offset) const;

    /// The decoded name of an identifier token: folded or unquoted, U& escapes resolved (with the
    /// default escape character or the one named by a following UESCAPE), cut to 63 bytes as
    /// PostgreSQL does.
    std::string name_at(std::size_t index) const;

private:
    std::string_view text_;
    std::vector<Token> tokens_;
};

/// End of the constant that begins at `offset`: sign, literal, continued lines, UESCAPE. nullopt if
/// no constant begins there.
std::optional<std::uint32_t> constant_end(const Tokens& tokens, std::uint32_t offset);

/// End of the type name that begins at `offset`: `pg_catalog.varchar(10)[]`,
/// `timestamp (3) with time zone`, `double precision`. nullopt if none begins there.
std::optional<std::uint32_t> type_name_end(const Tokens& tokens, std::uint32_t offset);

/// End of the (qualified) name that begins at `offset`.
std::optional<std::uint32_t> qualified_name_end(const Tokens& tokens, std::uint32_t offset);

/// End of the item of a select list, or of RETURNING, that begins at `offset`: of its last token in
/// front of the comma, clause or parenthesis behind it, or of `limit`. It has no alias.
std::uint32_t target_end(const Tokens& tokens, std::uint32_t offset, std::uint32_t limit);

/// Where the parts of `name([DISTINCT] argument) [FILTER (...)] [OVER ...]` lie.
struct CallRange {
    std::uint32_t name_end = 0;
    std::uint32_t argument_begin = 0;  // behind DISTINCT or ALL
    std::uint32_t argument_end = 0;    // of the closing parenthesis
    std::uint32_t end = 0;             // behind FILTER and OVER
};

/// The call whose name begins at `offset`. FILTER and OVER must be there if, and only if, said so;
/// nullopt for any other form.
std::optional<CallRange> call_range(
    const Tokens& tokens, std::uint32_t offset, bool has_filter, bool has_over
);

/// Bytes [begin, end) of a text.
struct TextRange {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
};

/// The operator class of element `element` (from 0), a plain column, of `... ON t [USING m] (...)`,
/// with the blank before it. `offset`: where the name t begins. nullopt for any other form.
std::optional<TextRange> operator_class_range(
    const Tokens& tokens, std::uint32_t offset, std::size_t element
);

/// Cuts an identifier to PostgreSQL's 63 bytes at a character border.
std::string_view cut_identifier(std::string_view name);

}  // namespace pgveil::parse
