#pragma once

#include <string>

namespace pgveil::copy {

enum class Format { kText, kCsv, kBinary };

enum class Header { kNone, kPresent, kMatch };

/// The options of a COPY that say what its bytes mean (PostgreSQL, "COPY"). The defaults are those
/// of the text format; csv has others for `delimiter` and `null_text`.
struct Options {
    Format format = Format::kText;
    Header header = Header::kNone;
    char delimiter = '\t';
    char quote = '"';
    char escape = '"';
    std::string null_text = "\\N";
};

}  // namespace pgveil::copy
