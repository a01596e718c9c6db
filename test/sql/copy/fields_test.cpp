#include "sql/copy/fields.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::copy {

namespace {

class StringSink final : public types::TextSink {
public:
    void append(std::string_view text) override { text_ += text; }

    const std::string& text() const { return text_; }

private:
    std::string text_;
};

Options csv() {
    Options options;
    options.format = Format::kCsv;
    options.delimiter = ',';
    options.null_text.clear();
    return options;
}

/// The values of a line: "null" as <>, others as [value]; an error as its text.
std::string values(const Options& options, std::string_view line) {
    std::vector<Field> fields;
    const auto split = split_line(options, line, fields);
    if (!split.has_value()) {
        return "!" + split.error().message;
    }
    std::string shown;
    for (const Field& field : fields) {
        StringSink sink;
        append_value(options, field, sink);
        if (stands_as_written(options, field)) {
            EXPECT_EQ(sink.text(), field.raw);
        }
        shown += field.is_null ? "<>" : "[" + sink.text() + "]";
    }
    return shown;
}

std::string written(const Options& options, std::string_view value, Quoting quoting = {}) {
    StringSink sink;
    append_field(options, value, quoting, sink);
    return sink.text();
}

TEST(CopyText, FieldsAndNulls) {
    const Options text;
    EXPECT_EQ(values(text, "1\tab\t\\N\t"), "[1][ab]<>[]");
    EXPECT_EQ(values(text, ""), "[]");
    EXPECT_EQ(values(text, "\\\\N\t\\N "), "[\\N][N ]");
    EXPECT_EQ(values(text, "a\\\tb\tc"), "[a\tb][c]");
    Options other;
    other.delimiter = '|';
    other.null_text = "-";
    EXPECT_EQ(values(other, "a|-|\\-|b\\|c"), "[a]<>[-][b|c]");
}

TEST(CopyText, WhatStandsAsWritten) {
    Options quoted = csv();
    EXPECT_TRUE(stands_as_written(Options(), {"a\"b"}));
    EXPECT_FALSE(stands_as_written(Options(), {"a\\tb"}));
    EXPECT_TRUE(stands_as_written(quoted, {"a\\tb"}));
    EXPECT_FALSE(stands_as_written(quoted, {"\"a\"", false, true}));
}

TEST(CopyText, Escapes) {
    const Options text;
    EXPECT_EQ(values(text, "\\b\\f\\n\\r\\t\\v\\q"), "[\b\f\n\r\t\vq]");
    EXPECT_EQ(
        values(text, "\\101\\7x\\1234\\377"),
        "[A\ax"
        "S4\xff]"
    );
    EXPECT_EQ(
        values(text, "\\x41\\x7g\\x414\\xg\\XA"),
        "[A\ag"
        "A4xgXA]"
    );
    EXPECT_EQ(values(text, "end\\"), "[end]");
    EXPECT_EQ(values(text, std::string_view("\\0", 2)), std::string("[\0]", 3));
}

TEST(CopyText, WrittenAsPostgresWrites) {
    const Options text;
    EXPECT_EQ(written(text, "a\b\f\n\r\t\v\\z\x01"), "a\\b\\f\\n\\r\\t\\v\\\\z\x01");
    Options other;
    other.delimiter = '|';
    EXPECT_EQ(written(other, "a|b\tc"), "a\\|b\\tc");
    EXPECT_EQ(written(text, "\\N"), "\\\\N");
    EXPECT_EQ(written(text, "\\."), "\\\\.");
}

TEST(CopyCsv, FieldsAndNulls) {
    EXPECT_EQ(values(csv(), "1,,\"\",a b"), "[1]<>[][a b]");
    EXPECT_EQ(values(csv(), "\"a,\"\"b\"\"\",x\"y,z\"w"), "[a,\"b\"][xy,zw]");
    EXPECT_EQ(values(csv(), ""), "<>");
    EXPECT_EQ(values(csv(), "a\\N,\"line\nbreak\""), "[a\\N][line\nbreak]");
    EXPECT_EQ(values(csv(), "\"open"), "!unterminated CSV quoted field");
    Options other = csv();
    other.quote = '\'';
    other.escape = '\\';
    other.null_text = "NIL";
    EXPECT_EQ(values(other, "'a\\'b\\\\c\\d',NIL,'NIL'"), "[a'b\\c\\d]<>[NIL]");
}

TEST(CopyCsv, WrittenAsPostgresWrites) {
    EXPECT_EQ(written(csv(), "plain text"), "plain text");
    EXPECT_EQ(written(csv(), "a,b"), "\"a,b\"");
    EXPECT_EQ(written(csv(), "a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(written(csv(), "a\nb"), "\"a\nb\"");
    EXPECT_EQ(written(csv(), "a\rb"), "\"a\rb\"");
    EXPECT_EQ(written(csv(), ""), "\"\"");
    EXPECT_EQ(written(csv(), "x", {.is_forced = true}), "\"x\"");
    EXPECT_EQ(written(csv(), "\\.", {.is_only_field = true}), "\"\\.\"");
    EXPECT_EQ(written(csv(), "\\."), "\\.");
    Options other = csv();
    other.quote = '\'';
    other.escape = '\\';
    EXPECT_EQ(written(other, "it's a \\"), "'it\\'s a \\\\'");
    EXPECT_EQ(written(other, "a\\b"), "a\\b");
}

TEST(CopyFields, WhatIsWrittenIsReadBack) {
    const std::string all = "a,|\t\"'\\\n\r.\\.\\N \x01\xc3\xa4";
    for (const Format format : {Format::kText, Format::kCsv}) {
        for (const char escape : {'"', '\\', '\''}) {
            Options options = csv();
            options.format = format;
            options.escape = escape;
            for (std::size_t begin = 0; begin < all.size(); ++begin) {
                for (std::size_t size = 0; begin + size <= all.size(); ++size) {
                    const std::string value = all.substr(begin, size);
                    EXPECT_EQ(
                        values(options, written(options, value, {.is_forced = true})),
                        format == Format::kText && value.empty() ? "<>" : "[" + value + "]"
                    );
                }
            }
        }
    }
}

}  // namespace

}  // namespace pgveil::copy
