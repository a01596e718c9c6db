#pragma once

#include "keyshare/core/secret.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

// Splitting a date or timestamp into tokens, as PostgreSQL's ParseDateTime does (its documentation,
// appendix B.1 "Date/Time Input Interpretation").
namespace pgveil::types {

enum class TokenType {
    kNumber,      // digits, at most one point
    kDate,        // digits or letters with - / . between; also zone names such as europe/athens
    kTime,        // digits with colons, a fraction
    kZoneOffset,  // sign and digits
    kWord,        // letters
    kSignedWord,  // sign and letters
};

struct Token {
    TokenType type = TokenType::kNumber;
    std::string_view text;     // lower case
    std::string_view written;  // as in the input
};

/// Owns the copies of the tokens, lower-case and as written, in secret memory: they are parts of a
/// plaintext.
class DateTokens {
public:
    static constexpr std::size_t kMaxTokens = 25;

    /// Nullopt: not a date or time at all (PostgreSQL's DTERR_BAD_FORMAT). `capacity` is the size
    /// of PostgreSQL's work buffer, which bounds the input: 129 for date, 153 for timestamps.
    static std::optional<DateTokens> split(std::string_view text, std::size_t capacity);

    std::span<const Token> tokens() const { return std::span(tokens_).first(count_); }

private:
    explicit DateTokens(std::size_t capacity);

    bool take_token(std::string_view& rest);
    bool take_digits_token(std::string_view& rest);
    bool take_date_after_digits(std::string_view& rest);
    bool take_letters_token(std::string_view& rest);
    bool take_signed_token(std::string_view& rest);

    bool append_front(std::string_view& rest);
    template <class Condition>
    bool append_while(std::string_view& rest, Condition condition);
    void finish_token(TokenType type);
    std::string_view current_text() const;

    std::size_t capacity_;
    core::SecretBytes buffer_;  // twice the capacity: lower case, then as written
    std::size_t used_ = 0;
    std::size_t token_begin_ = 0;
    std::array<Token, kMaxTokens> tokens_{};
    std::size_t count_ = 0;
};

}  // namespace pgveil::types
