#include "proxy/session/bootstrap_statement.hpp"

#include <algorithm>

namespace pgveil::session {

namespace {

constexpr std::string_view kBlanks = " \t\r\n\f\v";

char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool is_word_character(char letter) {
    return lower(letter) == '_' || (lower(letter) >= 'a' && lower(letter) <= 'z') ||
           (letter >= '0' && letter <= '9');
}

class Tokens {
public:
    explicit Tokens(std::string_view text) : text_(text) {}

    bool at_end() {
        skip_blanks();
        return text_.empty();
    }

    bool take_symbol(std::string_view symbol) {
        skip_blanks();
        if (!text_.starts_with(symbol)) {
            return false;
        }
        text_.remove_prefix(symbol.size());
        return true;
    }

    bool take_word(std::string_view word) {
        skip_blanks();
        const auto head = text_.substr(0, word.size());
        const bool is_same = std::equal(
            head.begin(),
            head.end(),
            word.begin(),
            word.end(),
            [](char left, char right) { return lower(left) == right; }
        );
        if (!is_same || (text_.size() > word.size() && is_word_character(text_[word.size()]))) {
            return false;
        }
        text_.remove_prefix(word.size());
        return true;
    }

    std::optional<std::string> take_literal() {
        if (!take_symbol("'")) {
            return std::nullopt;
        }
        std::string value;
        for (;;) {
            const auto quote = text_.find('\'');
            if (quote == std::string_view::npos) {
                return std::nullopt;
            }
            value += text_.substr(0, quote);
            text_.remove_prefix(quote + 1);
            if (!text_.starts_with('\'')) {
                return value;
            }
            value += '\'';
            text_.remove_prefix(1);
        }
    }

private:
    void skip_blanks() {
        text_.remove_prefix(std::min(text_.find_first_not_of(kBlanks), text_.size()));
    }

    std::string_view text_;
};

std::optional<BootstrapArgument> take_value(Tokens& tokens) {
    if (tokens.take_word("$1")) {
        return BootstrapArgument(std::uint32_t{1});
    }
    if (tokens.take_word("$2")) {
        return BootstrapArgument(std::uint32_t{2});
    }
    auto literal = tokens.take_literal();
    return literal ? std::optional<BootstrapArgument>(*std::move(literal)) : std::nullopt;
}

std::optional<BootstrapArgument> take_argument(Tokens& tokens) {
    auto value = take_value(tokens);
    if (value && tokens.take_symbol("::") && !tokens.take_word("text")) {
        return std::nullopt;
    }
    return value;
}

bool take_call_head(Tokens& tokens) {
    return tokens.take_word("select") && tokens.take_word("pgveil") && tokens.take_symbol(".") &&
           tokens.take_word("bootstrap") && tokens.take_symbol("(");
}

std::uint32_t number_of(const BootstrapArgument& argument) {
    const auto* const number = std::get_if<std::uint32_t>(&argument);
    return number == nullptr ? 0 : *number;
}

}  // namespace

std::uint32_t BootstrapCall::parameter_count() const {
    return std::max(number_of(step), number_of(argument));
}

std::optional<BootstrapCall> parse_bootstrap_call(std::string_view sql) {
    Tokens tokens(sql);
    if (!take_call_head(tokens)) {
        return std::nullopt;
    }
    auto step = take_argument(tokens);
    if (!step || !tokens.take_symbol(",")) {
        return std::nullopt;
    }
    auto argument = take_argument(tokens);
    if (!argument || !tokens.take_symbol(")")) {
        return std::nullopt;
    }
    tokens.take_symbol(";");
    if (!tokens.at_end()) {
        return std::nullopt;
    }
    return BootstrapCall{*std::move(step), *std::move(argument)};
}

bool is_empty_statement(std::string_view sql) {
    return std::all_of(sql.begin(), sql.end(), [](char letter) {
        return letter == ';' || kBlanks.find(letter) != std::string_view::npos;
    });
}

}  // namespace pgveil::session
