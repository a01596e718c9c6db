#include "sql/types/date_tokens.hpp"

#include "keyshare/core/bytes.hpp"
#include "sql/types/date_words.hpp"
#include "sql/types/text.hpp"

namespace pgveil::types {

namespace {

bool starts_with_digit(std::string_view text) {
    return !text.empty() && is_digit(text.front());
}

bool is_date_delimiter(char letter) {
    return letter == '-' || letter == '/' || letter == '.';
}

bool is_zone_name_letter(char letter) {
    return is_alnum(letter) || is_date_delimiter(letter) || letter == '+' || letter == '_' ||
           letter == ':';
}

bool is_time_letter(char letter) {
    return is_digit(letter) || letter == ':' || letter == '.';
}

bool is_offset_letter(char letter) {
    return is_time_letter(letter) || letter == '-';
}

}  // namespace

DateTokens::DateTokens(std::size_t capacity) : capacity_(capacity), buffer_(2 * capacity) {}

std::optional<DateTokens> DateTokens::split(std::string_view text, std::size_t capacity) {
    DateTokens split(capacity);
    while (!text.empty()) {
        const char front = text.front();
        const bool begins_token = is_alnum(front) || front == '.' || front == '+' || front == '-';
        if (is_space(front) || (is_punctuation(front) && !begins_token)) {
            text.remove_prefix(1);
            continue;
        }
        if (!begins_token || split.count_ == kMaxTokens || !split.take_token(text)) {
            return std::nullopt;
        }
    }
    return split;
}

bool DateTokens::take_token(std::string_view& rest) {
    token_begin_ = used_;
    if (is_digit(rest.front())) {
        return take_digits_token(rest);
    }
    if (is_alpha(rest.front())) {
        return take_letters_token(rest);
    }
    if (rest.front() == '.') {
        const bool fits = append_front(rest) && append_while(rest, is_digit);
        finish_token(TokenType::kNumber);
        return fits;
    }
    return take_signed_token(rest);
}

bool DateTokens::take_digits_token(std::string_view& rest) {
    if (!append_while(rest, is_digit)) {
        return false;
    }
    if (rest.starts_with(':')) {
        const bool fits = append_while(rest, is_time_letter);
        finish_token(TokenType::kTime);
        return fits;
    }
    if (!rest.empty() && is_date_delimiter(rest.front())) {
        return take_date_after_digits(rest);
    }
    finish_token(TokenType::kNumber);
    return true;
}

/// After "1999" at "-": three fields with one delimiter make a date, "99.5" stays a number.
bool DateTokens::take_date_after_digits(std::string_view& rest) {
    const char delimiter = rest.front();
    if (!append_front(rest)) {
        return false;
    }
    if (!starts_with_digit(rest)) {
        const bool fits = append_while(rest, [delimiter](char letter) {
            return is_alnum(letter) || letter == delimiter;
        });
        finish_token(TokenType::kDate);
        return fits;
    }
    if (!append_while(rest, is_digit)) {
        return false;
    }
    const bool has_third_field = rest.starts_with(delimiter);
    const bool fits = append_while(rest, [delimiter, has_third_field](char letter) {
        return has_third_field && (is_digit(letter) || letter == delimiter);
    });
    finish_token(has_third_field || delimiter != '.' ? TokenType::kDate : TokenType::kNumber);
    return fits;
}

/// Letters may go on as a date ("jan-8") or a zone name ("europe/athens", "gmt+3"); but a keyword
/// before a digit or plus ends there: "t040506".
bool DateTokens::take_letters_token(std::string_view& rest) {
    if (!append_while(rest, is_alpha)) {
        return false;
    }
    const bool goes_on =
        !rest.empty() &&
        (is_date_delimiter(rest.front()) ||
         ((rest.front() == '+' || is_digit(rest.front())) && !is_keyword(current_text())));
    if (!goes_on) {
        finish_token(TokenType::kWord);
        return true;
    }
    const bool fits = append_while(rest, is_zone_name_letter);
    finish_token(TokenType::kDate);
    return fits;
}

bool DateTokens::take_signed_token(std::string_view& rest) {
    if (!append_front(rest)) {
        return false;
    }
    while (!rest.empty() && is_space(rest.front())) {
        rest.remove_prefix(1);
    }
    if (starts_with_digit(rest)) {
        const bool fits = append_while(rest, is_offset_letter);
        finish_token(TokenType::kZoneOffset);
        return fits;
    }
    if (rest.empty() || !is_alpha(rest.front())) {
        return false;
    }
    const bool fits = append_while(rest, is_alpha);
    finish_token(TokenType::kSignedWord);
    return fits;
}

bool DateTokens::append_front(std::string_view& rest) {
    // One byte stays free, because PostgreSQL ends each token with a NUL in the same buffer.
    if (used_ + 1 >= capacity_) {
        return false;
    }
    const auto bytes = buffer_.reveal_mutable();
    bytes[used_] = static_cast<std::uint8_t>(to_lower(rest.front()));
    bytes[capacity_ + used_] = static_cast<std::uint8_t>(rest.front());
    ++used_;
    rest.remove_prefix(1);
    return true;
}

template <class Condition>
bool DateTokens::append_while(std::string_view& rest, Condition condition) {
    while (!rest.empty() && condition(rest.front())) {
        if (!append_front(rest)) {
            return false;
        }
    }
    return true;
}

void DateTokens::finish_token(TokenType type) {
    const auto written = buffer_.reveal().subspan(capacity_ + token_begin_, used_ - token_begin_);
    tokens_.at(count_++) = Token{type, current_text(), core::as_text(written)};
    ++used_;
}

std::string_view DateTokens::current_text() const {
    return core::as_text(buffer_.reveal().subspan(token_begin_, used_ - token_begin_));
}

}  // namespace pgveil::types
