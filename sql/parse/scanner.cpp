#include "sql/parse/scanner.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace pgveil::parse {

namespace {

bool is_space(char letter) {
    return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r' || letter == '\f' ||
           letter == '\v';
}

bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}

bool is_word_start(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_' ||
           static_cast<unsigned char>(letter) >= 0x80U;
}

bool is_word_part(char letter) {
    return is_word_start(letter) || is_digit(letter) || letter == '$';
}

char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

/// One pass over the text; position_ only moves forward.
class Scanner {
public:
    Scanner(std::string_view text, bool plain_strings)
        : text_(text), plain_strings_(plain_strings) {}

    std::vector<Token> run() {
        std::vector<Token> tokens;
        for (skip_blanks(); position_ < text_.size(); skip_blanks()) {
            const std::size_t begin = position_;
            terminated_ = true;
            const TokenKind kind = next();
            tokens.push_back(
                {kind,
                 static_cast<std::uint32_t>(begin),
                 static_cast<std::uint32_t>(position_),
                 terminated_}
            );
        }
        return tokens;
    }

    /// What stood between the parts of continued literals.
    const std::vector<TextRange>& gaps() const { return gaps_; }

    bool has_more_than(std::size_t most) {
        for (skip_blanks(); position_ < text_.size(); skip_blanks()) {
            if (most == 0) {
                return true;
            }
            next();
            --most;
        }
        return false;
    }

private:
    char peek(std::size_t ahead = 0) const {
        return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
    }

    bool looking_at(std::string_view what) const {
        return text_.substr(position_, what.size()) == what;
    }

    void skip_blanks() {
        while (position_ < text_.size()) {
            if (is_space(peek())) {
                ++position_;
            } else if (looking_at("--")) {
                position_ = std::min(text_.find_first_of("\r\n", position_), text_.size());
            } else if (looking_at("/*")) {
                skip_block_comment();
            } else {
                return;
            }
        }
    }

    void skip_block_comment() {
        std::size_t depth = 0;
        do {
            if (looking_at("/*")) {
                ++depth;
                position_ += 2;
            } else if (looking_at("*/")) {
                --depth;
                position_ += 2;
            } else {
                ++position_;
            }
        } while (depth > 0 && position_ < text_.size());
        position_ = std::min(position_, text_.size());
    }

    TokenKind next() {
        const char c = peek();
        if (c == '\'') {
            return string(!plain_strings_, TokenKind::kString);
        }
        if (c == '"') {
            return quoted_identifier();
        }
        if (is_word_start(c)) {
            return word();
        }
        if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
            return number();
        }
        if (c == '$') {
            return dollar();
        }
        return symbol();
    }

    TokenKind word() {
        const char first = lower(peek());
        if (peek(1) == '\'') {
            if (first == 'e' || first == 'n' || first == 'b' || first == 'x') {
                ++position_;
                const bool escapes = first == 'e' || (first == 'n' && !plain_strings_);
                return string(
                    escapes,
                    first == 'b' || first == 'x' ? TokenKind::kBitString : TokenKind::kString
                );
            }
        }
        if (first == 'u' && peek(1) == '&' && (peek(2) == '\'' || peek(2) == '"')) {
            position_ += 2;
            return peek() == '"' ? quoted_identifier() : string(false, TokenKind::kString);
        }
        while (is_word_part(peek()) && position_ < text_.size()) {
            ++position_;
        }
        return TokenKind::kIdentifier;
    }

    /// At the opening quote. Follows continued lines ('a' newline 'b' is one literal).
    TokenKind string(bool escapes, TokenKind kind) {
        do {
            ++position_;
            string_part(escapes);
        } while (terminated_ && skip_to_continuation());
        return kind;
    }

    void string_part(bool escapes) {
        while (position_ < text_.size()) {
            if (escapes && peek() == '\\') {
                position_ = std::min(position_ + 2, text_.size());
            } else if (peek() != '\'') {
                ++position_;
            } else if (peek(1) == '\'') {
                position_ += 2;
            } else {
                ++position_;
                return;
            }
        }
        terminated_ = false;
    }

    /// White space with a line break, then a quote (documentation 4.1.2.1). Only `--` comments
    /// count.
    bool skip_to_continuation() {
        std::size_t at = position_;
        bool new_line = false;
        while (at < text_.size()) {
            if (is_space(text_[at])) {
                new_line |= text_[at] == '\n' || text_[at] == '\r';
                ++at;
            } else if (text_.substr(at, 2) == "--") {
                at = std::min(text_.find_first_of("\r\n", at), text_.size());
            } else {
                break;
            }
        }
        if (!new_line || at >= text_.size() || text_[at] != '\'') {
            return false;
        }
        gaps_.push_back({static_cast<std::uint32_t>(position_), static_cast<std::uint32_t>(at)});
        position_ = at;
        return true;
    }

    TokenKind quoted_identifier() {
        ++position_;
        while (position_ < text_.size()) {
            if (peek() != '"') {
                ++position_;
            } else if (peek(1) == '"') {
                position_ += 2;
            } else {
                ++position_;
                return TokenKind::kQuotedIdentifier;
            }
        }
        terminated_ = false;
        return TokenKind::kQuotedIdentifier;
    }

    void digits() {
        while (is_digit(peek())) {
            ++position_;
        }
    }

    TokenKind number() {
        digits();
        if (peek() == '.' && peek(1) != '.') {
            ++position_;
            digits();
        }
        const bool is_signed = peek(1) == '+' || peek(1) == '-';
        if (lower(peek()) == 'e' && is_digit(peek(is_signed ? 2 : 1))) {
            position_ += is_signed ? 2 : 1;
            digits();
        }
        return TokenKind::kNumber;
    }

    TokenKind dollar() {
        if (is_digit(peek(1))) {
            ++position_;
            digits();
            return TokenKind::kParameter;
        }
        std::size_t end = position_ + 1;
        if (end < text_.size() && is_word_start(text_[end])) {
            while (end < text_.size() && is_word_part(text_[end]) && text_[end] != '$') {
                ++end;
            }
        }
        if (end >= text_.size() || text_[end] != '$') {
            ++position_;
            return TokenKind::kOperator;
        }
        const std::string_view tag = text_.substr(position_, end + 1 - position_);
        const std::size_t close = text_.find(tag, end + 1);
        terminated_ = close != std::string_view::npos;
        position_ = terminated_ ? close + tag.size() : text_.size();
        return TokenKind::kString;
    }

    TokenKind symbol() {
        for (const std::string_view pair : {"::", ":=", "..", "=>"}) {
            if (looking_at(pair) &&
                !(pair == "=>" && kOperatorCharacters.find(peek(2)) != std::string_view::npos)) {
                position_ += 2;
                return TokenKind::kPunctuation;
            }
        }
        if (kOperatorCharacters.find(peek()) == std::string_view::npos || peek() == '\0') {
            const bool is_known =
                std::string_view(",()[].;:").find(peek()) != std::string_view::npos;
            ++position_;
            return is_known ? TokenKind::kPunctuation : TokenKind::kOperator;
        }
        return operator_symbol();
    }

    /// The longest operator, cut before a comment, without a trailing + or - unless one of
    /// ~ ! @ # ^ & | ` ? % is in it (documentation 4.1.3).
    TokenKind operator_symbol() {
        if (position_ < signs_end_) {
            ++position_;
            return TokenKind::kOperator;
        }
        const std::size_t begin = position_;
        while (position_ < text_.size() &&
               kOperatorCharacters.find(peek()) != std::string_view::npos &&
               !(position_ > begin && (looking_at("--") || looking_at("/*")))) {
            ++position_;
        }
        const auto written = text_.substr(begin, position_ - begin);
        if (written.find_first_of("~!@#^&|`?%") == std::string_view::npos) {
            signs_end_ = position_;
            while (position_ > begin + 1 &&
                   (text_[position_ - 1] == '+' || text_[position_ - 1] == '-')) {
                --position_;
            }
        }
        return TokenKind::kOperator;
    }

    std::string_view text_;
    bool plain_strings_;
    std::size_t position_ = 0;
    bool terminated_ = true;
    std::vector<TextRange> gaps_;
    std::size_t signs_end_ = 0;  // up to here every sign is known to be an operator of its own
};

/// `U&'...' UESCAPE '!'`: what stands before its second and its third part.
void add_gaps_around_uescape(
    std::string_view text, const std::vector<Token>& tokens, std::vector<TextRange>& gaps
) {
    for (std::size_t i = 1; i + 1 < tokens.size(); ++i) {
        const std::string_view word = text.substr(tokens[i].begin, tokens[i].end - tokens[i].begin);
        const bool is_escape = tokens[i].kind == TokenKind::kIdentifier &&
                               std::ranges::equal(word, std::string_view("uescape"), {}, lower);
        if (is_escape) {
            gaps.push_back({tokens[i - 1].end, tokens[i].begin});
            gaps.push_back({tokens[i].end, tokens[i + 1].begin});
        }
    }
}

}  // namespace

std::optional<std::string> without_comments_in_constants(std::string_view text) {
    Scanner scanner(text, true);
    const std::vector<Token> tokens = scanner.run();
    std::vector<TextRange> gaps = scanner.gaps();
    add_gaps_around_uescape(text, tokens, gaps);
    std::string blanked(text);
    for (const TextRange& gap : gaps) {
        for (std::uint32_t at = gap.begin; at < gap.end; ++at) {
            blanked[at] = is_space(blanked[at]) ? blanked[at] : ' ';
        }
    }
    return blanked == text ? std::nullopt : std::optional(std::move(blanked));
}

std::vector<Token> scan(std::string_view text, bool standard_conforming_strings) {
    return Scanner(text, standard_conforming_strings).run();
}

bool has_more_tokens(std::string_view text, bool standard_conforming_strings, std::size_t most) {
    return Scanner(text, standard_conforming_strings).has_more_than(most);
}

}  // namespace pgveil::parse
