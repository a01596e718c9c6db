#include "sql/parse/tokens.hpp"

#include "sql/parse/scanner.hpp"

#include <algorithm>
#include <array>

namespace pgveil::parse {

namespace {

constexpr std::size_t kIdentifierMax = 63;

bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}

char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

void append_utf8(std::string& into, std::uint32_t code) {
    if (code < 0x80U) {
        into.push_back(static_cast<char>(code));
    } else if (code < 0x800U) {
        into.push_back(static_cast<char>(0xC0U | (code >> 6U)));
        into.push_back(static_cast<char>(0x80U | (code & 0x3FU)));
    } else if (code < 0x10000U) {
        into.push_back(static_cast<char>(0xE0U | (code >> 12U)));
        into.push_back(static_cast<char>(0x80U | ((code >> 6U) & 0x3FU)));
        into.push_back(static_cast<char>(0x80U | (code & 0x3FU)));
    } else {
        into.push_back(static_cast<char>(0xF0U | ((code >> 18U) & 0x07U)));
        into.push_back(static_cast<char>(0x80U | ((code >> 12U) & 0x3FU)));
        into.push_back(static_cast<char>(0x80U | ((code >> 6U) & 0x3FU)));
        into.push_back(static_cast<char>(0x80U | (code & 0x3FU)));
    }
}

std::optional<std::uint32_t> hex_code(std::string_view digits) {
    std::uint32_t code = 0;
    for (const char letter : digits) {
        const char folded = lower(letter);
        if (!is_digit(letter) && (folded < 'a' || folded > 'f')) {
            return std::nullopt;
        }
        code = code * 16 +
               static_cast<std::uint32_t>(is_digit(letter) ? letter - '0' : folded - 'a' + 10);
    }
    return digits.empty() ? std::nullopt : std::optional(code);
}

/// Reads the escape at the front of `rest`; returns how many bytes it takes, 0 if it is none.
std::size_t decode_escape(std::string_view rest, char escape, std::string& into) {
    if (rest.size() >= 2 && rest[1] == escape) {
        into.push_back(escape);
        return 2;
    }
    const bool is_long = rest.size() >= 2 && rest[1] == '+';
    const std::size_t first = is_long ? 2 : 1;
    const std::size_t count = is_long ? 6 : 4;
    if (rest.size() < first + count) {
        return 0;
    }
    const auto code = hex_code(rest.substr(first, count));
    if (!code) {
        return 0;
    }
    append_utf8(into, *code);
    return first + count;
}

std::string resolve_unicode(std::string_view name, char escape) {
    std::string result;
    for (std::size_t at = 0; at < name.size();) {
        std::size_t taken = 0;
        if (name[at] == escape) {
            taken = decode_escape(name.substr(at), escape, result);
        }
        if (taken == 0) {
            result.push_back(name[at]);
            taken = 1;
        }
        at += taken;
    }
    return result;
}

std::string unquote(std::string_view quoted, bool is_terminated) {
    quoted.remove_prefix(1);
    if (is_terminated) {
        quoted.remove_suffix(1);
    }
    std::string result;
    for (std::size_t at = 0; at < quoted.size(); ++at) {
        result.push_back(quoted[at]);
        at += quoted[at] == '"' ? 1U : 0U;
    }
    return result;
}

}  // namespace

Tokens::Tokens(std::string_view text, bool standard_conforming_strings)
    : text_(text), tokens_(scan(text, standard_conforming_strings)) {}

std::string_view Tokens::text_of(const Token& token) const {
    return text_.substr(token.begin, token.end - token.begin);
}

bool Tokens::is_word(std::size_t index, std::string_view lower_case_word) const {
    if (index >= tokens_.size() || tokens_[index].kind != TokenKind::kIdentifier) {
        return false;
    }
    const std::string_view written = text_of(tokens_[index]);
    return std::equal(
        written.begin(),
        written.end(),
        lower_case_word.begin(),
        lower_case_word.end(),
        [](char left, char right) { return lower(left) == right; }
    );
}

bool Tokens::is_symbol(std::size_t index, std::string_view symbol) const {
    return index < tokens_.size() &&
           (tokens_[index].kind == TokenKind::kPunctuation ||
            tokens_[index].kind == TokenKind::kOperator) &&
           text_of(tokens_[index]) == symbol;
}

std::optional<std::size_t> Tokens::at(std::uint32_t offset) const {
    const auto found = std::lower_bound(
        tokens_.begin(),
        tokens_.end(),
        offset,
        [](const Token& token, std::uint32_t where) { return token.end <= where; }
    );
    if (found == tokens_.end() || found->begin > offset) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(found - tokens_.begin());
}

Tokens::Range Tokens::inside(std::uint32_t begin, std::uint32_t end) const {
    const auto first = std::lower_bound(
        tokens_.begin(),
        tokens_.end(),
        begin,
        [](const Token& token, std::uint32_t where) { return token.begin < where; }
    );
    const auto last =
        std::upper_bound(first, tokens_.end(), end, [](std::uint32_t where, const Token& token) {
            return where < token.end;
        });
    return {
        static_cast<std::size_t>(first - tokens_.begin()),
        static_cast<std::size_t>(last - tokens_.begin())};
}

std::string Tokens::name_at(std::size_t index) const {
    const Token& token = tokens_[index];
    std::string_view written = text_of(token);
    std::string name;
    if (token.kind != TokenKind::kQuotedIdentifier) {
        name.assign(written);
        std::transform(name.begin(), name.end(), name.begin(), lower);
    } else if (written.front() == '"') {
        name = unquote(written, token.is_terminated);
    } else {
        char escape = '\\';
        if (is_word(index + 1, "uescape") && index + 2 < size() &&
            text_of(tokens_[index + 2]).size() == 3) {
            escape = text_of(tokens_[index + 2])[1];
        }
        name = resolve_unicode(unquote(written.substr(2), token.is_terminated), escape);
    }
    return std::string(cut_identifier(name));
}

std::string_view cut_identifier(std::string_view name) {
    if (name.size() <= kIdentifierMax) {
        return name;
    }
    std::size_t end = kIdentifierMax;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return name.substr(0, end);
}

}  // namespace pgveil::parse
