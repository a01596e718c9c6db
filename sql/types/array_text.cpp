// The text form of arrays (PostgreSQL documentation section 8.15.6).
#include "sql/types/array_value.hpp"
#include "sql/types/secret_sink.hpp"
#include "sql/types/text.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace pgveil::types {

namespace {

/// Reads the braces of one array; `{a,{b}}` and rows of different length are errors.
class ArrayText {
public:
    ArrayText(Type element, std::string_view text, const TextStyle& style)
        : element_(element), text_(text), braces_(text), rest_(text), style_(style) {}

    Result<core::SecretBytes> read() {
        skip_blanks();
        const Result<void> bounds = read_bounds();
        if (!bounds.has_value()) {
            return bounds.error();
        }
        braces_ = rest_.starts_with('{') ? rest_ : text_;
        const Result<void> items = read_level(0);
        if (!items.has_value()) {
            return items.error();
        }
        skip_blanks();
        if (!rest_.empty()) {
            return malformed();
        }
        const Result<ArrayDimensions> dimensions = whole_dimensions();
        if (!dimensions.has_value()) {
            return dimensions.error();
        }
        const Result<void> values = read_values();
        return values.has_value()
                   ? Result<core::SecretBytes>(writer_.finish(element_.kind, *dimensions))
                   : values.error();
    }

private:
    struct Range {
        std::size_t begin = 0;
        std::size_t size = 0;
    };

    Error malformed() const {
        return invalid_value("22P02", "malformed array literal: \"" + std::string(braces_) + "\"");
    }

    static Error too_many_dimensions() {
        return invalid_value(
            "54000", "number of array dimensions (7) exceeds the maximum allowed (6)"
        );
    }

    void skip_blanks() {
        while (!rest_.empty() && is_space(rest_.front())) {
            rest_.remove_prefix(1);
        }
    }

    bool take(char letter) {
        const bool is_there = rest_.starts_with(letter);
        rest_.remove_prefix(is_there ? 1 : 0);
        return is_there;
    }

    /// "[2:3][0:1]=": lower and upper bounds.
    Result<void> read_bounds() {
        bool has_bounds = false;
        while (take('[')) {
            const std::size_t end = rest_.find(']');
            if (bounds_.size() == kArrayDimensionsMax) {
                return too_many_dimensions();
            }
            if (end == std::string_view::npos) {
                return malformed();
            }
            const Result<ArrayDimension> dimension = dimension_of(rest_.substr(0, end));
            if (!dimension.has_value()) {
                return dimension.error();
            }
            bounds_.push_back(*dimension);
            rest_.remove_prefix(end + 1);
            skip_blanks();
            has_bounds = true;
        }
        if (has_bounds && !take('=')) {
            return malformed();
        }
        skip_blanks();
        return {};
    }

    Result<ArrayDimension> dimension_of(std::string_view bounds) const {
        const std::size_t colon = bounds.find(':');
        const bool is_pair = colon != std::string_view::npos;
        const auto low = is_pair ? bound_of(bounds.substr(0, colon)) : std::optional(1);
        const auto high = bound_of(bounds.substr(is_pair ? colon + 1 : 0));
        if (!low || !high) {
            return malformed();
        }
        if (*high < *low) {
            return invalid_value("2202E", "upper bound cannot be less than lower bound");
        }
        return ArrayDimension{*high - *low + 1, *low};
    }

    /// A signed number of at most nine digits; more are refused as malformed.
    static std::optional<std::int32_t> bound_of(std::string_view text) {
        const bool is_negative = text.starts_with('-');
        text.remove_prefix(is_negative || text.starts_with('+') ? 1 : 0);
        const auto number = text.size() <= 9 ? parse_int32(text) : std::nullopt;
        return number && is_negative ? std::optional(-*number) : number;
    }

    Result<void> read_level(std::size_t depth) {
        if (!take('{')) {
            return malformed();
        }
        if (depth >= kArrayDimensionsMax) {
            return too_many_dimensions();
        }
        if (sizes_.size() == depth) {
            sizes_.push_back(-1);
        }
        std::int32_t count = 0;
        skip_blanks();
        if (depth == 0 && take('}')) {
            sizes_.at(0) = 0;
            return {};
        }
        do {
            skip_blanks();
            const Result<void> item = read_item(depth);
            if (!item.has_value()) {
                return item.error();
            }
            ++count;
            skip_blanks();
        } while (take(','));
        if (!take('}') || (sizes_[depth] != -1 && sizes_[depth] != count)) {
            return malformed();
        }
        sizes_[depth] = count;
        return {};
    }

    Result<void> read_item(std::size_t depth) {
        if (rest_.starts_with('{')) {
            const std::string_view inside = trim_spaces(rest_.substr(1));
            if (inside.starts_with('}')) {
                return unsupported_form(
                    "an array of empty arrays cannot be read", "Write the empty array as {}."
                );
            }
            return leaf_depth_ && *leaf_depth_ <= depth ? Result<void>(malformed())
                                                        : read_level(depth + 1);
        }
        if (leaf_depth_.value_or(depth) != depth || sizes_.size() > depth + 1) {
            return malformed();
        }
        leaf_depth_ = depth;
        return rest_.starts_with('"') ? read_quoted() : read_bare();
    }

    Result<void> read_quoted() {
        core::SecretBytes value;
        rest_.remove_prefix(1);
        while (!rest_.empty() && rest_.front() != '"') {
            if (rest_.front() == '\\') {
                rest_.remove_prefix(1);
            }
            if (rest_.empty()) {
                return malformed();
            }
            value.append(core::as_bytes(rest_.substr(0, 1)));
            rest_.remove_prefix(1);
        }
        return take('"') ? add(value) : Result<void>(malformed());
    }

    /// Up to a comma or brace; blanks at the end do not count unless escaped.
    Result<void> read_bare() {
        core::SecretBytes value;
        std::size_t kept = 0;
        bool has_escape = false;
        while (!rest_.empty() && rest_.front() != ',' && rest_.front() != '}') {
            bool is_blank = is_space(rest_.front());
            if (rest_.front() == '"' || rest_.front() == '{') {
                return malformed();
            }
            if (rest_.front() == '\\') {
                rest_.remove_prefix(1);
                has_escape = true;
                is_blank = false;
                if (rest_.empty()) {
                    return malformed();
                }
            }
            value.append(core::as_bytes(rest_.substr(0, 1)));
            rest_.remove_prefix(1);
            kept = is_blank ? kept : value.size();
        }
        value.resize_down(kept);
        if (value.empty()) {
            return malformed();
        }
        const bool is_null = style_.array_nulls && !has_escape &&
                             equals_ignoring_case(core::as_text(value.reveal()), "null");
        if (is_null) {
            items_.push_back(std::nullopt);
            return {};
        }
        return add(value);
    }

    Result<void> add(const core::SecretBytes& text) {
        items_.push_back(Range{texts_.size(), text.size()});
        texts_.append(text.reveal());
        return {};
    }

    /// After all of the braces: PostgreSQL, too, looks at them first.
    Result<void> read_values() {
        for (const std::optional<Range>& item : items_) {
            if (!item) {
                writer_.add_null();
                continue;
            }
            const core::ByteView text = texts_.reveal().subspan(item->begin, item->size);
            const Result<core::SecretBytes> value =
                from_text(element_, core::as_text(text), style_);
            if (!value.has_value()) {
                return value.error();
            }
            writer_.add(value->reveal());
        }
        return {};
    }

    Result<ArrayDimensions> whole_dimensions() const {
        ArrayDimensions dimensions;
        for (const std::int32_t size : sizes_) {
            dimensions.push_back({size, 1});
        }
        if (!bounds_.empty()) {
            const bool is_same = std::ranges::equal(
                bounds_,
                dimensions,
                [](const ArrayDimension& given, const ArrayDimension& found) {
                    return given.size == found.size;
                }
            );
            if (!is_same) {
                return invalid_value(
                    "22P02", "malformed array literal: \"" + std::string(text_) + "\""
                );
            }
            dimensions = bounds_;
        }
        return dimensions;
    }

    Type element_;
    std::string_view text_;
    std::string_view braces_;  // behind the bounds: what errors quote
    std::string_view rest_;
    const TextStyle& style_;
    ArrayDimensions bounds_;
    std::vector<std::int32_t> sizes_;  // of each level, -1 before its first end
    std::optional<std::size_t> leaf_depth_;
    core::SecretBytes texts_;  // of all elements, one behind the other
    std::vector<std::optional<Range>> items_;
    ArrayWriter writer_;
};

bool needs_quotes(std::string_view text) {
    return text.empty() || equals_ignoring_case(text, "null") ||
           std::ranges::any_of(text, [](char letter) {
               return is_space(letter) ||
                      std::string_view("\"\\{},").find(letter) != std::string_view::npos;
           });
}

void append_element(std::string_view text, TextSink& sink) {
    if (!needs_quotes(text)) {
        sink.append(text);
        return;
    }
    sink.append("\"");
    for (std::size_t index = 0; index < text.size(); ++index) {
        const bool is_escaped = text[index] == '"' || text[index] == '\\';
        sink.append(is_escaped ? "\\" : "");
        sink.append(text.substr(index, 1));
    }
    sink.append("\"");
}

void append_bounds(const ArrayDimensions& dimensions, TextSink& sink) {
    const bool is_usual = std::ranges::all_of(dimensions, [](const ArrayDimension& dimension) {
        return dimension.lower_bound == 1;
    });
    if (is_usual) {
        return;
    }
    for (const ArrayDimension& dimension : dimensions) {
        const std::int64_t last = std::int64_t{dimension.lower_bound} + dimension.size - 1;
        sink.append("[" + std::to_string(dimension.lower_bound) + ":" + std::to_string(last) + "]");
    }
    sink.append("=");
}

Result<void> append_next(
    Type element, ArrayReader& reader, const TextStyle& style, TextSink& sink
) {
    const auto value = reader.next();
    if (!value.has_value()) {
        return value.error();
    }
    if (!*value) {
        sink.append("NULL");
        return {};
    }
    SecretSink text;
    const Result<void> written = append_text(element, **value, style, text);
    if (written.has_value()) {
        append_element(text.text(), sink);
    }
    return written;
}

}  // namespace

Result<core::SecretBytes> array_from_text(
    Type type, std::string_view text, const TextStyle& style
) {
    return ArrayText({element_of(type.kind), type.typmod}, text, style).read();
}

Result<void> append_array(
    Type type, core::ByteView binary, const TextStyle& style, TextSink& sink
) {
    const Type element = {element_of(type.kind), type.typmod};
    Result<ArrayReader> reader = ArrayReader::open(element.kind, binary);
    if (!reader.has_value()) {
        return invalid_value("22P03", "incorrect binary data format");
    }
    if (reader->count() == 0) {
        sink.append("{}");
        return {};
    }
    const ArrayDimensions& dimensions = reader->dimensions();
    append_bounds(dimensions, sink);
    for (std::size_t index = 0; index < reader->count(); ++index) {
        // A brace for each dimension that begins here, and behind the element for each that ends.
        std::size_t stride = 1;
        std::string open;
        std::string close;
        for (auto dimension = dimensions.rbegin(); dimension != dimensions.rend(); ++dimension) {
            stride *= static_cast<std::size_t>(dimension->size);
            open += index % stride == 0 ? "{" : "";
            close += (index + 1) % stride == 0 ? "}" : "";
        }
        sink.append(index == 0 ? "" : ",");
        sink.append(open);
        const Result<void> written = append_next(element, *reader, style, sink);
        if (!written.has_value()) {
            return written;
        }
        sink.append(close);
    }
    return {};
}

}  // namespace pgveil::types
