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

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char letter) {
        return static_cast<unsigned char>(letter) < 0x80U;
    });
}

/// U&"...", also inside of a constant or comment: the server reads the name in its own encoding.
bool has_unicode_name(std::string_view sql) {
    for (std::size_t at = sql.find("&\""); at != std::string_view::npos;
         at = sql.find("&\"", at + 1)) {
        if (at > 0 && (sql[at - 1] == 'U' || sql[at - 1] == 'u')) {
            return true;
        }
    }
    return false;
}

/// Outside of UTF8 the server may fold other letters than A to Z, and it cuts names where they are
/// 63 bytes long in its own encoding: at most three times as long as in the client's (a Thai letter
/// is one byte in WIN874 and three in UTF-8).
bool has_other_name(const parse::Tokens& tokens, const Context& context) {
    constexpr std::size_t kShort = 21;
    return std::any_of(tokens.all().begin(), tokens.all().end(), [&](const parse::Token& token) {
        const bool is_word = token.kind == parse::TokenKind::kIdentifier;
        if ((!is_word && token.kind != parse::TokenKind::kQuotedIdentifier) ||
            is_ascii(tokens.text_of(token))) {
            return false;
        }
        return token.end - token.begin > kShort || (is_word && context.server_encoding != "UTF8");
    });
}

/// Names of the policy that look otherwise in other encodings.
bool names_differ_by_encoding(const config::Policy& policy) {
    return std::any_of(
        policy.tables().begin(),
        policy.tables().end(),
        [](const config::TablePolicy& table) {
            return !is_ascii(table.schema) || !is_ascii(table.name) ||
                   std::any_of(
                       table.columns.begin(),
                       table.columns.end(),
                       [](const config::ColumnPolicy& column) { return !is_ascii(column.name); }
                   );
        }
    );
}

}  // namespace

bool reads_backslashes(std::string_view sql, const Context& context) {
    return !context.standard_conforming_strings && sql.find('\\') != std::string_view::npos;
}

bool reads_other_characters(
    std::string_view sql, const parse::Tokens& tokens, const Context& context
) {
    const bool client_is_utf8 = folded(context.client_encoding) == "UTF8";
    if (client_is_utf8 && context.server_encoding == "UTF8") {
        return false;
    }
    if (has_unicode_name(sql) || has_other_name(tokens, context)) {
        return true;
    }
    return !client_is_utf8 && !is_ascii(sql) &&
           (is_unsafe(context.client_encoding) || names_differ_by_encoding(context.policy));
}

}  // namespace pgveil::analysis
