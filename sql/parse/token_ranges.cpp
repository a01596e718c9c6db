#include "sql/parse/tokens.hpp"

#include <algorithm>
#include <array>

namespace pgveil::parse {

namespace {

bool is_name(const Tokens& tokens, std::size_t index) {
    return index < tokens.size() && (tokens[index].kind == TokenKind::kIdentifier ||
                                     tokens[index].kind == TokenKind::kQuotedIdentifier);
}

/// Steps over a U& token's `UESCAPE 'c'`.
std::size_t skip_uescape(const Tokens& tokens, std::size_t next) {
    const bool has_clause = tokens.is_word(next, "uescape") && next + 1 < tokens.size() &&
                            tokens[next + 1].kind == TokenKind::kString;
    return has_clause ? next + 2 : next;
}

std::size_t skip_qualified_name(const Tokens& tokens, std::size_t index) {
    index = skip_uescape(tokens, index + 1);
    while (tokens.is_symbol(index, ".") && is_name(tokens, index + 1)) {
        index = skip_uescape(tokens, index + 2);
    }
    return index;
}

/// `( ... )` without looking inside.
std::size_t skip_parentheses(const Tokens& tokens, std::size_t index) {
    if (!tokens.is_symbol(index, "(")) {
        return index;
    }
    std::size_t depth = 0;
    for (; index < tokens.size(); ++index) {
        depth += tokens.is_symbol(index, "(") ? 1U : 0U;
        if (tokens.is_symbol(index, ")") && --depth == 0) {
            return index + 1;
        }
    }
    return index;
}

std::size_t skip_array_bounds(const Tokens& tokens, std::size_t index) {
    if (tokens.is_word(index, "array")) {
        ++index;
    }
    while (tokens.is_symbol(index, "[")) {
        while (index < tokens.size() && !tokens.is_symbol(index, "]")) {
            ++index;
        }
        ++index;
    }
    return std::min(index, tokens.size());
}

/// The second words that belong to a first one: `double precision`, `character varying`.
std::size_t skip_second_word(const Tokens& tokens, std::size_t first) {
    const std::size_t next = first + 1;
    const auto follows = [&](std::string_view word) {
        return tokens.is_word(next, word);
    };
    if (tokens.is_word(first, "double")) {
        return follows("precision") ? next + 1 : next;
    }
    for (const std::string_view word : {"character", "char", "nchar", "bit"}) {
        if (tokens.is_word(first, word)) {
            return follows("varying") ? next + 1 : next;
        }
    }
    if (tokens.is_word(first, "national") && (follows("character") || follows("char"))) {
        return tokens.is_word(next + 1, "varying") ? next + 2 : next + 1;
    }
    return 0;
}

std::size_t skip_time_zone(const Tokens& tokens, std::size_t index) {
    const bool has_clause = (tokens.is_word(index, "with") || tokens.is_word(index, "without")) &&
                            tokens.is_word(index + 1, "time") && tokens.is_word(index + 2, "zone");
    return has_clause ? index + 3 : index;
}

constexpr std::array<std::string_view, 7> kIntervalWords = {
    "year", "month", "day", "hour", "minute", "second", "to"};

std::size_t skip_interval_fields(const Tokens& tokens, std::size_t index) {
    while (std::any_of(kIntervalWords.begin(), kIntervalWords.end(), [&](std::string_view word) {
        return tokens.is_word(index, word);
    })) {
        ++index;
    }
    return index;
}

/// PostgreSQL's parser places the constant of N'...' at the quote.
bool is_national_quote(const Tokens& tokens, std::size_t index, std::uint32_t offset) {
    const char first = tokens.text_of(tokens[index]).front();
    return tokens[index].kind == TokenKind::kString && (first == 'N' || first == 'n') &&
           offset == tokens[index].begin + 1;
}

std::optional<std::uint32_t> end_before(const Tokens& tokens, std::size_t next) {
    return next == 0 || next > tokens.size() ? std::nullopt : std::optional(tokens[next - 1].end);
}

}  // namespace

std::optional<std::uint32_t> constant_end(const Tokens& tokens, std::uint32_t offset) {
    auto index = tokens.at(offset);
    if (!index || (tokens[*index].begin != offset && !is_national_quote(tokens, *index, offset))) {
        return std::nullopt;
    }
    if (tokens.is_symbol(*index, "-")) {
        ++*index;
        if (*index >= tokens.size() || tokens[*index].kind != TokenKind::kNumber) {
            return std::nullopt;
        }
        return tokens[*index].end;
    }
    const Token& token = tokens[*index];
    switch (token.kind) {
        case TokenKind::kNumber:
        case TokenKind::kBitString: return token.end;
        case TokenKind::kString: return end_before(tokens, skip_uescape(tokens, *index + 1));
        case TokenKind::kIdentifier:
        case TokenKind::kQuotedIdentifier:
            // TRUE, FALSE, NULL; and the bare words that SET takes as values.
            return token.end;
        case TokenKind::kParameter:
        case TokenKind::kOperator:
        case TokenKind::kPunctuation: return std::nullopt;
    }
    return std::nullopt;
}

std::optional<std::uint32_t> type_name_end(const Tokens& tokens, std::uint32_t offset) {
    const auto first = tokens.at(offset);
    if (!first || tokens[*first].begin != offset || !is_name(tokens, *first)) {
        return std::nullopt;
    }
    std::size_t next = skip_second_word(tokens, *first);
    if (next != 0) {
        next = skip_parentheses(tokens, next);
    } else if (tokens.is_word(*first, "timestamp") || tokens.is_word(*first, "time")) {
        next = skip_time_zone(tokens, skip_parentheses(tokens, *first + 1));
    } else if (tokens.is_word(*first, "interval")) {
        next = skip_parentheses(
            tokens, skip_interval_fields(tokens, skip_parentheses(tokens, *first + 1))
        );
    } else {
        next = skip_parentheses(tokens, skip_qualified_name(tokens, *first));
    }
    return end_before(tokens, skip_array_bounds(tokens, next));
}

std::optional<std::uint32_t> qualified_name_end(const Tokens& tokens, std::uint32_t offset) {
    const auto first = tokens.at(offset);
    if (!first || tokens[*first].begin != offset || !is_name(tokens, *first)) {
        return std::nullopt;
    }
    return end_before(tokens, skip_qualified_name(tokens, *first));
}

std::optional<TextRange> operator_class_range(
    const Tokens& tokens, std::uint32_t offset, std::size_t element
) {
    const auto first = tokens.at(offset);
    if (!first || !is_name(tokens, *first)) {
        return std::nullopt;
    }
    std::size_t at = skip_qualified_name(tokens, *first);
    at += tokens.is_word(at, "using") ? 2U : 0U;
    if (!tokens.is_symbol(at++, "(")) {
        return std::nullopt;
    }
    while (element > 0 && at < tokens.size() && !tokens.is_symbol(at, ")")) {
        const std::size_t behind = skip_parentheses(tokens, at);
        element -= tokens.is_symbol(at, ",") ? 1U : 0U;
        at = behind > at ? behind : at + 1;
    }
    if (element > 0 || !is_name(tokens, at) || !is_name(tokens, at + 1)) {
        return std::nullopt;
    }
    const std::size_t behind = skip_qualified_name(tokens, at + 1);
    const bool is_last = tokens.is_symbol(behind, ",") || tokens.is_symbol(behind, ")") ||
                         tokens.is_word(behind, "asc") || tokens.is_word(behind, "desc") ||
                         tokens.is_word(behind, "nulls");
    return is_last ? std::optional(TextRange{tokens[at].end, tokens[behind - 1].end})
                   : std::nullopt;
}

std::optional<CallRange> call_range(
    const Tokens& tokens, std::uint32_t offset, bool has_filter, bool has_over
) {
    const auto first = tokens.at(offset);
    if (!first || !is_name(tokens, *first)) {
        return std::nullopt;
    }
    const std::size_t open = skip_qualified_name(tokens, *first);
    const std::size_t behind = skip_parentheses(tokens, open);
    const bool has_word = tokens.is_word(open + 1, "distinct") || tokens.is_word(open + 1, "all");
    const std::size_t argument = open + (has_word ? 2 : 1);
    if (behind == open || argument + 1 >= behind || !tokens.is_symbol(behind - 1, ")")) {
        return std::nullopt;
    }
    std::size_t end = behind;
    if (has_filter) {
        end = tokens.is_word(end, "filter") ? skip_parentheses(tokens, end + 1) : tokens.size() + 1;
    }
    if (has_over && tokens.is_word(end, "over")) {
        end = is_name(tokens, end + 1) ? skip_uescape(tokens, end + 2)
                                       : skip_parentheses(tokens, end + 1);
    } else if (has_over) {
        return std::nullopt;
    }
    if (end > tokens.size()) {
        return std::nullopt;
    }
    return CallRange{
        tokens[open - 1].end,
        tokens[argument].begin,
        tokens[behind - 1].begin,
        tokens[end - 1].end};
}

namespace {

/// A word that no expression holds outside of parentheses, but for `IS DISTINCT FROM` and `WITHIN
/// GROUP`.
bool ends_target(const Tokens& tokens, std::size_t index) {
    constexpr std::array<std::string_view, 15> kWords = {
        "returning",
        "on",
        "into",
        "from",
        "where",
        "group",
        "having",
        "window",
        "union",
        "intersect",
        "except",
        "order",
        "limit",
        "offset",
        "fetch"};
    const bool is_inside =
        index > 0 && ((tokens.is_word(index, "from") && tokens.is_word(index - 1, "distinct")) ||
                      (tokens.is_word(index, "group") && tokens.is_word(index - 1, "within")));
    return !is_inside &&
           (tokens.is_word(index, "for") || std::ranges::any_of(kWords, [&](std::string_view word) {
                return tokens.is_word(index, word);
            }));
}

}  // namespace

std::uint32_t target_end(const Tokens& tokens, std::uint32_t offset, std::uint32_t limit) {
    const Tokens::Range range = tokens.inside(offset, limit);
    std::uint32_t end = offset;
    std::size_t depth = 0;
    for (std::size_t index = range.first; index < range.last; ++index) {
        if (tokens.is_symbol(index, "(") || tokens.is_symbol(index, "[")) {
            ++depth;
        } else if (tokens.is_symbol(index, ")") || tokens.is_symbol(index, "]")) {
            if (depth-- == 0) {
                break;
            }
        } else if (depth == 0 && (tokens.is_symbol(index, ",") || ends_target(tokens, index))) {
            break;
        }
        end = tokens[index].end;
    }
    return end;
}

}  // namespace pgveil::parse
