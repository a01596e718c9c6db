#include "sql/copy/line_splitter.hpp"

namespace pgveil::copy {

namespace {

constexpr const char* kBadFormat = "22P04";

/// How many bytes of text format say nothing about the line: most of them.
std::size_t quiet_prefix(std::string_view bytes) {
    std::size_t size = 0;
    while (size < bytes.size() && bytes[size] != '\n' && bytes[size] != '\r' && bytes[size] != '\\'
    ) {
        ++size;
    }
    return size;
}

}  // namespace

types::Error LineSplitter::bad_marker() const {
    return types::invalid_value(
        kBadFormat,
        is_new_wording_ ? "end-of-copy marker is not alone on its line"
                        : "end-of-copy marker corrupt"
    );
}

types::Error LineSplitter::stray_return() const {
    return is_csv() ? types::invalid_value(
                          kBadFormat,
                          "unquoted carriage return found in data",
                          "Use quoted CSV field to represent carriage return."
                      )
                    : types::invalid_value(
                          kBadFormat,
                          "literal carriage return found in data",
                          "Use \"\\r\" to represent carriage return."
                      );
}

types::Error LineSplitter::stray_newline() const {
    return is_csv() ? types::invalid_value(
                          kBadFormat,
                          "unquoted newline found in data",
                          "Use quoted CSV field to represent newline."
                      )
                    : types::invalid_value(
                          kBadFormat,
                          "literal newline found in data",
                          "Use \"\\n\" to represent newline."
                      );
}

void LineSplitter::begin_line() {
    if (!in_line_) {
        in_line_ = true;
        ++line_;
        size_ = 0;
        in_quotes_ = false;
        was_escape_ = false;
        is_escaped_ = false;
        is_marker_ = false;
    }
}

LineSplitter::Progress LineSplitter::complete(std::size_t used, std::size_t end_size) {
    in_line_ = false;
    has_return_ = false;
    end_size_ = end_size;
    return {used, true};
}

types::Result<LineSplitter::Progress> LineSplitter::take(std::string_view bytes) {
    begin_line();
    if (has_return_) {
        return after_return(0, bytes.front());
    }
    const std::size_t quiet = is_csv() || is_escaped_ || is_marker_ ? 0 : quiet_prefix(bytes);
    size_ += quiet;
    for (std::size_t i = quiet; i < bytes.size(); ++i) {
        const char letter = bytes[i];
        ++size_;
        if (is_escaped_) {
            if (auto noted = note_escaped(letter); !noted) {
                return noted.error();
            }
            continue;
        }
        if (is_csv()) {
            note_quotes(letter);
        }
        const bool may_end = (letter == '\n' || letter == '\r') && !in_quotes_;
        if (may_end) {
            const auto ends = ends_line(letter);
            if (!ends) {
                return ends.error();
            }
            if (*ends) {
                return complete(i + 1, 1);
            }
            return i + 1 < bytes.size() ? after_return(i + 1, bytes[i + 1])
                                        : types::Result<Progress>(Progress{i + 1, false});
        }
        if (is_marker_) {
            return bad_marker();
        }
        is_escaped_ = !is_csv() && letter == '\\';
    }
    return Progress{bytes.size(), false};
}

/// False: a \r whose next byte decides.
types::Result<bool> LineSplitter::ends_line(char letter) {
    if (letter == '\n') {
        if (line_end_ == LineEnd::kReturn || line_end_ == LineEnd::kBoth) {
            return stray_newline();
        }
        line_end_ = LineEnd::kNewline;
        return true;
    }
    if (line_end_ == LineEnd::kNewline) {
        return stray_return();
    }
    has_return_ = line_end_ != LineEnd::kReturn;
    return !has_return_;
}

types::Result<LineSplitter::Progress> LineSplitter::after_return(std::size_t used, char next) {
    if (next == '\n') {
        line_end_ = LineEnd::kBoth;
        return complete(used + 1, 2);
    }
    if (line_end_ == LineEnd::kBoth) {
        return stray_return();
    }
    line_end_ = LineEnd::kReturn;
    return complete(used, 1);
}

types::Result<void> LineSplitter::note_escaped(char letter) {
    is_escaped_ = false;
    if (letter == '.') {
        is_marker_ = size_ == 2;
        return is_marker_ ? types::Result<void>() : bad_marker();
    }
    return {};
}

/// A quote that is also the escape character toggles; else an escape counts inside quotes only, and
/// not behind another escape.
void LineSplitter::note_quotes(char letter) {
    const bool has_escape = options_.escape != options_.quote;
    if (has_escape && in_quotes_ && letter == options_.escape) {
        was_escape_ = !was_escape_;
    }
    if (letter == options_.quote && !was_escape_) {
        in_quotes_ = !in_quotes_;
    }
    if (!has_escape || letter != options_.escape) {
        was_escape_ = false;
    }
    const char counted = line_end_ == LineEnd::kNewline ? '\n' : '\r';
    line_ += in_quotes_ && letter == counted ? 1U : 0U;
}

types::Result<bool> LineSplitter::finish() {
    if (!has_return_) {
        in_line_ = false;
        end_size_ = 0;
        return false;
    }
    if (line_end_ == LineEnd::kBoth) {
        return stray_return();
    }
    line_end_ = LineEnd::kReturn;
    complete(0, 1);
    return true;
}

}  // namespace pgveil::copy
