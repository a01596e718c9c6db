#include "keyshare/core/bytes.hpp"
#include "sql/copy/binary.hpp"
#include "sql/copy/fields.hpp"
#include "sql/copy/line_splitter.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace pgveil;

class StringSink final : public types::TextSink {
public:
    void append(std::string_view text) override { text_ += text; }

    const std::string& text() const { return text_; }

private:
    std::string text_;
};

/// A value that was read is the same after it was written and read again.
void check_field(const copy::Options& options, const copy::Field& field) {
    StringSink value;
    copy::append_value(options, field, value);
    StringSink written;
    copy::append_field(options, value.text(), {.is_forced = true}, written);
    std::vector<copy::Field> again;
    if (!copy::split_line(options, written.text(), again).has_value() || again.size() != 1) {
        std::abort();
    }
    StringSink read;
    copy::append_value(options, again.front(), read);
    if (read.text() != value.text()) {
        std::abort();
    }
}

void check_line(const copy::Options& options, std::string_view line) {
    std::vector<copy::Field> fields;
    if (!copy::split_line(options, line, fields).has_value()) {
        return;
    }
    for (const copy::Field& field : fields) {
        check_field(options, field);
    }
}

/// Lines do not depend on how the bytes are cut into pieces.
std::string lines_of(const copy::Options& options, std::string_view bytes, std::size_t piece) {
    copy::LineSplitter splitter(options);
    std::string shown;
    std::string begun;
    while (!bytes.empty()) {
        const auto progress = splitter.take(bytes.substr(0, piece));
        if (!progress.has_value()) {
            return shown + progress.error().message;
        }
        begun += bytes.substr(0, progress->used);
        bytes.remove_prefix(progress->used);
        if (progress->is_complete) {
            shown += begun + std::to_string(splitter.end_size());
            begun.clear();
        }
    }
    return shown + begun;
}

void check_binary(core::ByteView bytes) {
    std::vector<copy::BinaryField> fields;
    for (bool expects_header = true; !bytes.empty(); expects_header = false) {
        const auto unit = copy::next_unit(bytes, expects_header, 3, fields);
        if (!unit.has_value() || !*unit) {
            return;
        }
        bytes = bytes.subspan((*unit)->size);
    }
}

}  // namespace

// The first byte picks the format and the size of the pieces, the rest is the data.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const core::ByteView data = core::ByteView(bytes, size).subspan(1);
    const std::string_view text = core::as_text(data);
    copy::Options options;
    if (bytes[0] % 2 == 1) {
        options.format = copy::Format::kCsv;
        options.delimiter = ',';
        options.escape = bytes[0] % 4 == 1 ? '"' : '\\';
    }
    check_line(options, text);
    if (lines_of(options, text, 1U + bytes[0] / 4U) != lines_of(options, text, size)) {
        std::abort();
    }
    check_binary(data);
    return 0;
}
