#include "sql/copy/line_splitter.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgveil::copy {

namespace {

Options text() {
    return {};
}

Options csv(char escape = '"') {
    Options options;
    options.format = Format::kCsv;
    options.delimiter = ',';
    options.escape = escape;
    return options;
}

/// The lines in [], a line end shown as its size; an error as its text and line. `piece`: how many
/// bytes come at a time.
std::string lines(const Options& options, std::string_view bytes, std::size_t piece) {
    LineSplitter splitter(options);
    std::string shown;
    std::string begun;
    const auto failed = [&](const types::Error& error) {
        return shown + "!" + error.message + " " + std::to_string(splitter.line());
    };
    const auto complete = [&] {
        const std::size_t end = splitter.end_size();
        shown += "[" + begun.substr(0, begun.size() - end) + "]" + std::to_string(end);
        begun.clear();
    };
    while (!bytes.empty()) {
        const auto progress = splitter.take(bytes.substr(0, piece));
        if (!progress.has_value()) {
            return failed(progress.error());
        }
        begun += bytes.substr(0, progress->used);
        bytes.remove_prefix(progress->used);
        if (progress->is_complete) {
            complete();
        }
    }
    const auto ended = splitter.finish();
    if (!ended.has_value()) {
        return failed(ended.error());
    }
    if (!begun.empty()) {
        complete();
    }
    return shown;
}

void expect_lines(const Options& options, std::string_view bytes, std::string_view expected) {
    for (const std::size_t piece : {1U, 2U, 3U, 100U}) {
        EXPECT_EQ(lines(options, bytes, piece), expected) << bytes << " in pieces of " << piece;
    }
}

TEST(LineSplitter, EveryLineEndWhateverThePieces) {
    expect_lines(text(), "a\tb\n\nc\n", "[a\tb]1[]1[c]1");
    expect_lines(text(), "a\r\n\r\nc\r\n", "[a]2[]2[c]2");
    expect_lines(text(), "a\r\rc\r", "[a]1[]1[c]1");
    expect_lines(text(), "a\nlast", "[a]1[last]0");
    expect_lines(text(), "", "");
    expect_lines(csv(), "a,b\r\nc", "[a,b]2[c]0");
}

TEST(LineSplitter, BackslashKeepsALineEndInText) {
    expect_lines(text(), "a\\\nb\nc\\\\\nd\n", "[a\\\nb]1[c\\\\]1[d]1");
    expect_lines(csv(), "a\\\nb\n", "[a\\]1[b]1");
}

TEST(LineSplitter, QuotesKeepALineEndInCsv) {
    expect_lines(csv(), "\"a\nb\",1\nc\n", "[\"a\nb\",1]1[c]1");
    expect_lines(csv(), "\"a\"\"\nb\"\nc\n", "[\"a\"\"\nb\"]1[c]1");
    expect_lines(csv('\\'), "\"a\\\"\nb\"\nc\n", "[\"a\\\"\nb\"]1[c]1");
    expect_lines(csv('\\'), "\"a\\\\\"\nc\n", "[\"a\\\\\"]1[c]1");
    expect_lines(csv(), "a\r\n\"b\nc\"\r\n", "[a]2[\"b\nc\"]2");
}

TEST(LineSplitter, AnotherLineEndIsAnErrorWithItsLine) {
    expect_lines(text(), "a\nb\rc\n", "[a]1!literal carriage return found in data 2");
    expect_lines(text(), "a\r\nb\nc", "[a]2!literal newline found in data 2");
    expect_lines(text(), "a\rb\nc", "[a]1!literal newline found in data 2");
    expect_lines(text(), "a\r\nb\rc", "[a]2!literal carriage return found in data 2");
    expect_lines(csv(), "a\nb\rc\n", "[a]1!unquoted carriage return found in data 2");
    expect_lines(
        csv(), "a\n\"1\n2\"\nb\rc\n", "[a]1[\"1\n2\"]1!unquoted carriage return found in data 4"
    );
    expect_lines(csv(), "a\r\nb\n", "[a]2!unquoted newline found in data 2");
}

TEST(LineSplitter, TheEndMarkerStandsAlone) {
    expect_lines(text(), "a\n\\.\nb\n", "[a]1[\\.]1[b]1");
    expect_lines(text(), "\\.", "[\\.]0");
    expect_lines(text(), "a\n\\.b\n", "[a]1!end-of-copy marker corrupt 2");
    expect_lines(text(), "a\\.\n", "!end-of-copy marker corrupt 1");
    expect_lines(csv(), "a\\.\n\\.\n", "[a\\.]1[\\.]1");
}

TEST(LineSplitter, NewerServersWordTheEndMarkerAnew) {
    LineSplitter lines(text(), 18);
    EXPECT_EQ(lines.take("\\.b\n").error().message, "end-of-copy marker is not alone on its line");
}

}  // namespace

}  // namespace pgveil::copy
