#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace pgveil::log {

/// One named value of a line: an id, a name, a size, a time, a SQLSTATE. Never a constant of a
/// statement, a value of a row or a share. Owns a copy.
class Field {
public:
    Field(std::string_view name, std::string_view value) : name_(name), value_(value) {}

    template <std::integral Number>
    Field(std::string_view name, Number value)
        : name_(name), value_(std::to_string(value)), is_number_(true) {}

    /// Must not be "time", "level" or "message", which every line has.
    std::string_view name() const { return name_; }

    const std::string& value() const { return value_; }

    bool is_number() const { return is_number_; }

private:
    std::string_view name_;
    std::string value_;
    bool is_number_ = false;
};

using Fields = std::initializer_list<Field>;

/// `text` with each "{name}" replaced by the field of that name; others stay. One line whatever the
/// values hold: control characters become \xNN.
std::string as_text(std::string_view text, Fields fields);

/// A JSON object (RFC 8259) in one line: "message" is the line as people read it, and every field
/// has a member of its own. What is not UTF-8 becomes U+FFFD.
std::string as_json(std::string_view text, Fields fields);

}  // namespace pgveil::log
