#include "sql/types/array_elements.hpp"

#include "keyshare/core/secret.hpp"

#include <string>

namespace pgveil::types {

namespace {

constexpr std::uint32_t kByteaOid = 17;
constexpr std::uint32_t kNull = 0xFFFFFFFF;

bool is_blank(char letter) {
    return letter == ' ' || (letter >= '\t' && letter <= '\r');
}

Error malformed(std::string_view text) {
    return invalid_value("22P02", "malformed array literal: \"" + std::string(text) + "\"");
}

Error several_dimensions() {
    return unsupported_form(
        "an array with bounds or more than one dimension beside an encrypted column",
        "Send a list of values."
    );
}

/// One array in text form, read from left to right.
class TextArray {
public:
    TextArray(std::string_view text, bool has_nulls, const ElementReader& reader)
        : text_(text), has_nulls_(has_nulls), reader_(reader) {}

    Result<void> read() {
        skip_blanks();
        if (next() == '[') {
            return several_dimensions();
        }
        if (!take('{')) {
            return malformed(text_);
        }
        skip_blanks();
        if (take('}')) {
            return at_end();
        }
        for (;;) {
            skip_blanks();
            if (next() == '{') {
                return several_dimensions();
            }
            if (!read_element()) {
                return malformed(text_);
            }
            if (is_stopped_) {
                return {};
            }
            skip_blanks();
            if (take('}')) {
                return at_end();
            }
            if (!take(',')) {
                return malformed(text_);
            }
        }
    }

private:
    char next() const { return place_ < text_.size() ? text_[place_] : '\0'; }

    bool take(char wanted) {
        const bool is_there = place_ < text_.size() && text_[place_] == wanted;
        place_ += is_there ? 1 : 0;
        return is_there;
    }

    void skip_blanks() {
        while (place_ < text_.size() && is_blank(text_[place_])) {
            ++place_;
        }
    }

    Result<void> at_end() {
        skip_blanks();
        return place_ == text_.size() ? Result<void>() : Result<void>(malformed(text_));
    }

    bool read_element() {
        core::SecretBytes value;
        const bool is_quoted = take('"');
        bool is_escaped = false;
        std::size_t kept = 0;  // without the blanks at the end
        for (;; ++place_) {
            const char c = next();
            if (place_ >= text_.size() || (!is_quoted && (c == '"' || c == '{'))) {
                return false;
            }
            if (is_quoted ? c == '"' : c == ',' || c == '}') {
                break;
            }
            const bool is_escape = c == '\\';
            place_ += is_escape ? 1 : 0;
            if (place_ >= text_.size()) {
                return false;
            }
            value.append(core::as_bytes(text_.substr(place_, 1)));
            is_escaped = is_escaped || is_escape;
            kept = is_quoted || is_escape || !is_blank(c) ? value.size() : kept;
        }
        place_ += is_quoted ? 1 : 0;
        value.resize_down(kept);
        return hand_on(value, has_nulls_ && !is_quoted && !is_escaped, is_quoted);
    }

    bool hand_on(const core::SecretBytes& value, bool may_be_null, bool may_be_empty) {
        if (value.empty() && !may_be_empty) {
            return false;
        }
        const std::string_view word = core::as_text(value.reveal());
        const bool is_null = may_be_null && word.size() == 4 && (word[0] | 0x20) == 'n' &&
                             (word[1] | 0x20) == 'u' && (word[2] | 0x20) == 'l' &&
                             (word[3] | 0x20) == 'l';
        is_stopped_ =
            !reader_(is_null ? std::nullopt : std::optional<core::ByteView>(value.reveal()));
        return true;
    }

    std::string_view text_;
    bool has_nulls_;
    const ElementReader& reader_;
    std::size_t place_ = 0;
    bool is_stopped_ = false;
};

std::optional<std::uint32_t> take_number(core::ByteView& bytes) {
    if (bytes.size() < 4) {
        return std::nullopt;
    }
    std::uint32_t number = 0;
    for (const std::uint8_t byte : bytes.first(4)) {
        number = (number << 8U) | byte;
    }
    bytes = bytes.subspan(4);
    return number;
}

void append_number(core::Bytes& bytes, std::uint32_t number) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
        bytes.push_back(static_cast<std::uint8_t>(number >> shift));
    }
}

Error not_binary() {
    return invalid_value("22P03", "incorrect binary data format in array");
}

/// False where the bytes end too early.
bool read_elements(core::ByteView& bytes, std::uint32_t count, const ElementReader& reader) {
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto size = take_number(bytes);
        if (!size || (*size != kNull && *size > bytes.size())) {
            return false;
        }
        if (!reader(*size == kNull ? std::nullopt : std::optional(bytes.first(*size)))) {
            bytes = {};
            return true;
        }
        bytes = bytes.subspan(*size == kNull ? 0 : *size);
    }
    return true;
}

}  // namespace

Result<void> read_array_text(
    std::string_view text, const TextStyle& style, const ElementReader& reader
) {
    return TextArray(text, style.array_nulls, reader).read();
}

Result<void> read_array_binary(core::ByteView binary, Kind element, const ElementReader& reader) {
    const auto dimensions = take_number(binary);
    const auto flags = take_number(binary);
    const auto type = take_number(binary);
    if (!dimensions || !flags || !type || *flags > 1) {
        return not_binary();
    }
    if (*type != oid_of(element)) {
        return invalid_value("42804", "wrong element type");
    }
    if (*dimensions > 1) {
        return several_dimensions();
    }
    const auto count = *dimensions == 0 ? std::optional(0U) : take_number(binary);
    const auto lower = *dimensions == 0 ? std::optional(1U) : take_number(binary);
    const bool is_read = count && lower && read_elements(binary, *count, reader);
    return is_read && binary.empty() ? Result<void>() : Result<void>(not_binary());
}

void ByteaArray::add(std::optional<core::ByteView> element) {
    append_number(elements_, element ? static_cast<std::uint32_t>(element->size()) : kNull);
    if (element) {
        elements_.insert(elements_.end(), element->begin(), element->end());
    }
    has_null_ = has_null_ || !element;
    ++count_;
}

core::Bytes ByteaArray::finish() const {
    core::Bytes bytes;
    append_number(bytes, count_ == 0 ? 0 : 1);
    append_number(bytes, has_null_ ? 1 : 0);
    append_number(bytes, kByteaOid);
    if (count_ != 0) {
        append_number(bytes, count_);
        append_number(bytes, 1);
    }
    bytes.insert(bytes.end(), elements_.begin(), elements_.end());
    return bytes;
}

}  // namespace pgveil::types
