#include "sql/analysis/readable.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace pgveil::analysis {

namespace {

/// Encodings with ASCII bytes inside characters, and the other names that SET takes for them
/// (documentation table 24.3), upper case, letters and digits only.
constexpr std::array<std::string_view, 17> kUnsafe = {
    "SJIS",
    "MSKANJI",
    "SHIFTJIS",
    "WIN932",
    "WINDOWS932",
    "SHIFTJIS2004",
    "BIG5",
    "WIN950",
    "WINDOWS950",
    "GBK",
    "WIN936",
    "WINDOWS936",
    "UHC",
    "WIN949",
    "WINDOWS949",
    "GB18030",
    "JOHAB",
};

std::string folded(std::string_view name) {
    std::string result;
    for (const char letter : name) {
        if (letter >= 'a' && letter <= 'z') {
            result.push_back(static_cast<char>(letter - 'a' + 'A'));
        } else if ((letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9')) {
            result.push_back(letter);
        }
    }
    return result;
}

bool is_unsafe(std::string_view encoding) {
    const std::string name = folded(encoding);
    return std::find(kUnsafe.begin(), kUnsafe.end(), name) != kUnsafe.end();
}

}  // namespace

bool reads_backslashes(std::string_view sql, const Context& context) {
    return !context.standard_conforming_strings && sql.find('\\') != std::string_view::npos;
}

bool reads_other_characters(std::string_view sql, const Context& context) {
    const bool is_ascii = std::all_of(sql.begin(), sql.end(), [](char letter) {
        return static_cast<unsigned char>(letter) < 0x80U;
    });
    return !is_ascii && is_unsafe(context.client_encoding);
}

}  // namespace pgveil::analysis
