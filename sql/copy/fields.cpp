#include "sql/copy/fields.hpp"

#include "sql/types/text.hpp"

#include <cstddef>
#include <string>

namespace pgveil::copy {

namespace {

bool is_octal(char letter) {
    return letter >= '0' && letter <= '7';
}

/// -1: not a hexadecimal digit.
int hex_value(char letter) {
    if (types::is_digit(letter)) {
        return letter - '0';
    }
    const char lower = types::to_lower(letter);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void append_byte(int value, types::TextSink& sink) {
    const char byte = static_cast<char>(value & 0xff);
    sink.append({&byte, 1});
}

void split_text(const Options& options, std::string_view line, std::vector<Field>& fields) {
    std::size_t start = 0;
    for (std::size_t i = 0;; ++i) {
        if (i < line.size() && line[i] == '\\') {
            ++i;  // what follows is part of the field, even a delimiter
            continue;
        }
        if (i < line.size() && line[i] != options.delimiter) {
            continue;
        }
        const std::string_view raw = line.substr(start, i - start);
        fields.push_back({raw, raw == options.null_text, false});
        if (i >= line.size()) {
            return;
        }
        start = i + 1;
    }
}

/// Walks through one csv field from `begin`, giving its bytes to `take`. Returns where it ends, or
/// npos when a quote is not closed.
template <class Take>
std::size_t walk_csv(
    const Options& options, std::string_view line, std::size_t begin, bool& is_quoted, Take take
) {
    bool in_quotes = false;
    for (std::size_t i = begin; i < line.size(); ++i) {
        const char letter = line[i];
        if (!in_quotes && letter == options.delimiter) {
            return i;
        }
        if (!in_quotes && letter == options.quote) {
            in_quotes = is_quoted = true;
            continue;
        }
        const bool may_escape = in_quotes && letter == options.escape && i + 1 < line.size();
        if (may_escape && (line[i + 1] == options.escape || line[i + 1] == options.quote)) {
            take(line[++i]);
        } else if (in_quotes && letter == options.quote) {
            in_quotes = false;
        } else {
            take(letter);
        }
    }
    return in_quotes ? std::string_view::npos : line.size();
}

types::Result<void> split_csv(
    const Options& options, std::string_view line, std::vector<Field>& fields
) {
    std::size_t begin = 0;
    for (;;) {
        Field field;
        const std::size_t end =
            walk_csv(options, line, begin, field.is_quoted, [](char /*letter*/) {});
        if (end == std::string_view::npos) {
            return types::invalid_value("22P04", "unterminated CSV quoted field");
        }
        field.raw = line.substr(begin, end - begin);
        field.is_null = !field.is_quoted && field.raw == options.null_text;
        fields.push_back(field);
        if (end == line.size()) {
            return {};
        }
        begin = end + 1;
    }
}

/// The escape behind the backslash at `i`: its value goes to the sink. Returns its last byte.
std::size_t append_escape(std::string_view raw, std::size_t i, types::TextSink& sink) {
    constexpr std::string_view kNames = "bfnrtv";
    constexpr std::string_view kValues = "\b\f\n\r\t\v";
    const char letter = raw[++i];
    if (is_octal(letter)) {
        int value = letter - '0';
        for (int digits = 1; digits < 3 && i + 1 < raw.size() && is_octal(raw[i + 1]); ++digits) {
            value = value * 8 + (raw[++i] - '0');
        }
        append_byte(value, sink);
        return i;
    }
    if (letter == 'x' && i + 1 < raw.size() && hex_value(raw[i + 1]) >= 0) {
        int value = hex_value(raw[++i]);
        if (i + 1 < raw.size() && hex_value(raw[i + 1]) >= 0) {
            value = value * 16 + hex_value(raw[++i]);
        }
        append_byte(value, sink);
        return i;
    }
    const std::size_t named = kNames.find(letter);
    append_byte(named == std::string_view::npos ? letter : kValues[named], sink);
    return i;
}

void append_text_value(std::string_view raw, types::TextSink& sink) {
    std::size_t start = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] == '\\') {
            sink.append(raw.substr(start, i - start));
            i = i + 1 < raw.size() ? append_escape(raw, i, sink) : i;
            start = i + 1;
        }
    }
    sink.append(raw.substr(start));
}

/// 0: the byte stands for itself.
char escape_of(char letter, char delimiter) {
    switch (letter) {
        case '\b': return 'b';
        case '\f': return 'f';
        case '\n': return 'n';
        case '\r': return 'r';
        case '\t': return 't';
        case '\v': return 'v';
        default: return letter == '\\' || letter == delimiter ? letter : '\0';
    }
}

void append_text_field(const Options& options, std::string_view value, types::TextSink& sink) {
    std::size_t start = 0;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char escape = escape_of(value[i], options.delimiter);
        if (escape != '\0') {
            sink.append(value.substr(start, i - start));
            const char pair[] = {'\\', escape};
            sink.append({pair, 2});
            start = i + 1;
        }
    }
    sink.append(value.substr(start));
}

void append_quoted(const Options& options, std::string_view value, types::TextSink& sink) {
    sink.append({&options.quote, 1});
    std::size_t start = 0;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] == options.quote || value[i] == options.escape) {
            sink.append(value.substr(start, i - start));
            sink.append({&options.escape, 1});
            start = i;
        }
    }
    sink.append(value.substr(start));
    sink.append({&options.quote, 1});
}

}  // namespace

types::Result<void> split_line(
    const Options& options, std::string_view line, std::vector<Field>& fields
) {
    fields.clear();
    if (options.format == Format::kCsv) {
        return split_csv(options, line, fields);
    }
    split_text(options, line, fields);
    return {};
}

bool stands_as_written(const Options& options, const Field& field) {
    return options.format == Format::kCsv ? !field.is_quoted
                                          : field.raw.find('\\') == std::string_view::npos;
}

void append_value(const Options& options, const Field& field, types::TextSink& sink) {
    if (options.format != Format::kCsv) {
        append_text_value(field.raw, sink);
    } else if (!field.is_quoted) {
        sink.append(field.raw);
    } else {
        bool is_quoted = false;
        walk_csv(options, field.raw, 0, is_quoted, [&sink](char letter) {
            sink.append({&letter, 1});
        });
    }
}

bool needs_quotes(const Options& options, std::string_view value, Quoting quoting) {
    if (quoting.is_forced || value == options.null_text) {
        return true;
    }
    if (quoting.is_only_field && value == "\\.") {
        return true;
    }
    const std::string special = {options.delimiter, options.quote, '\n', '\r'};
    return value.find_first_of(special) != std::string_view::npos;
}

void append_field(
    const Options& options, std::string_view value, Quoting quoting, types::TextSink& sink
) {
    if (options.format != Format::kCsv) {
        append_text_field(options, value, sink);
    } else if (needs_quotes(options, value, quoting)) {
        append_quoted(options, value, sink);
    } else {
        sink.append(value);
    }
}

}  // namespace pgveil::copy
