#pragma once

#include "keyshare/core/secret.hpp"
#include "sql/types/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgveil::types {

enum class JsonToken {
    kEnd,
    kString,
    kNumber,
    kTrue,
    kFalse,
    kNull,
    kObjectBegin,
    kObjectEnd,
    kArrayBegin,
    kArrayEnd,
    kComma,
    kColon,
};

/// Cuts a text into JSON tokens as PostgreSQL's lexer does, with its errors.
class JsonTokens {
public:
    /// With `decoded`, the characters of strings are appended to it, and \u escapes must stand for
    /// characters that text can hold. Borrowed.
    JsonTokens(std::string_view text, core::SecretBytes* decoded)
        : text_(text), decoded_(decoded) {}

    /// The error, or nothing; then kind() and written() say what was found.
    std::optional<Error> advance();

    JsonToken kind() const { return kind_; }

    std::string_view written() const { return text_.substr(begin_, end_ - begin_); }

    /// "Expected JSON value, but found ..."; `expected` is "JSON value".
    Error unexpected(const std::string& expected) const;

private:
    std::optional<Error> take_string();
    std::optional<Error> take_escape();
    std::optional<Error> take_unicode_escape();
    std::optional<Error> take_code_unit(std::uint32_t unit);
    std::optional<Error> take_number();
    std::optional<Error> take_word();
    bool take_digits();
    Error invalid_token();
    std::optional<Error> end_of_pair() const;
    void add_code_point(std::uint32_t code_point);
    void add(char letter);

    char at(std::size_t index) const { return index < text_.size() ? text_[index] : '\0'; }

    std::string_view text_;
    core::SecretBytes* decoded_;
    JsonToken kind_ = JsonToken::kEnd;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::uint32_t high_surrogate_ = 0;
};

}  // namespace pgveil::types
