#include "sql/parse/pattern.hpp"

#include "sql/parse/tokens.hpp"

#include <algorithm>

namespace pgveil::parse {

namespace {

/// Below 2^31 for certain.
constexpr std::size_t kDigitsMax = 9;

bool are_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char letter) {
        return letter >= '0' && letter <= '9';
    });
}

/// `left` ends where `right` begins, and both together may be something else to some version of
/// PostgreSQL: 12ab, 1_000.
bool may_be_one(const Token& left, const Token& right) {
    const bool is_separate =
        right.kind == TokenKind::kOperator || right.kind == TokenKind::kPunctuation ||
        left.kind == TokenKind::kOperator || left.kind == TokenKind::kPunctuation;
    return left.end == right.begin && !is_separate;
}

bool is_plain_integer(const Tokens& tokens, std::size_t index) {
    const Token& token = tokens[index];
    return token.kind == TokenKind::kNumber && token.end - token.begin <= kDigitsMax &&
           are_digits(tokens.text_of(token)) &&
           (index == 0 || !may_be_one(tokens[index - 1], token)) &&
           (index + 1 == tokens.size() || !may_be_one(token, tokens[index + 1]));
}

}  // namespace

std::optional<std::string> pattern_of(std::string_view text, bool standard_conforming_strings) {
    const Tokens tokens(text, standard_conforming_strings);
    std::string pattern;
    std::size_t copied = 0;
    for (std::size_t index = 0; index < tokens.size(); ++index) {
        if (is_plain_integer(tokens, index)) {
            pattern.append(text.substr(copied, tokens[index].begin - copied)).push_back('\0');
            copied = tokens[index].end;
        }
    }
    if (copied == 0) {
        return std::nullopt;
    }
    return std::move(pattern.append(text.substr(copied)));
}

}  // namespace pgveil::parse
