#include "sql/types/style.hpp"

#include "sql/types/error.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <string>

namespace pgveil::types {

namespace {

std::string lower_word(std::string_view word) {
    const std::size_t first = word.find_first_not_of(' ');
    if (first == std::string_view::npos) {
        return {};
    }
    std::string out(word.substr(first, word.find_last_not_of(' ') - first + 1));
    std::transform(out.begin(), out.end(), out.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return out;
}

bool apply_style_word(TextStyle& style, const std::string& word) {
    if (word == "iso") {
        style.date_style = DateStyle::kIso;
    } else if (word == "sql") {
        style.date_style = DateStyle::kSql;
    } else if (word == "postgres") {
        style.date_style = DateStyle::kPostgres;
    } else if (word == "german") {
        style.date_style = DateStyle::kGerman;
    } else {
        return false;
    }
    return true;
}

bool apply_order_word(TextStyle& style, const std::string& word) {
    if (word == "mdy" || word == "us" || word == "noneuro" || word == "noneuropean") {
        style.date_order = DateOrder::kMdy;
    } else if (word == "dmy" || word == "euro" || word == "european") {
        style.date_order = DateOrder::kDmy;
    } else if (word == "ymd") {
        style.date_order = DateOrder::kYmd;
    } else {
        return false;
    }
    return true;
}

}  // namespace

Result<void> set_date_style(TextStyle& style, std::string_view parameter_value) {
    TextStyle changed = style;
    std::string_view rest = parameter_value;
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        const std::string word = lower_word(rest.substr(0, comma));
        if (!apply_style_word(changed, word) && !apply_order_word(changed, word)) {
            return unsupported_form(
                "DateStyle \"" + std::string(parameter_value) + "\" is not known"
            );
        }
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    style = changed;
    return {};
}

Result<void> set_interval_style(TextStyle& style, std::string_view parameter_value) {
    const std::string word = lower_word(parameter_value);
    if (word == "postgres") {
        style.interval_style = IntervalStyle::kPostgres;
    } else if (word == "postgres_verbose") {
        style.interval_style = IntervalStyle::kPostgresVerbose;
    } else if (word == "sql_standard") {
        style.interval_style = IntervalStyle::kSqlStandard;
    } else if (word == "iso_8601") {
        style.interval_style = IntervalStyle::kIso8601;
    } else {
        return unsupported_form(
            "IntervalStyle \"" + std::string(parameter_value) + "\" is not known"
        );
    }
    return {};
}

Result<void> set_bytea_output(TextStyle& style, std::string_view parameter_value) {
    const std::string word = lower_word(parameter_value);
    if (word != "hex" && word != "escape") {
        return unsupported_form(
            "bytea_output \"" + std::string(parameter_value) + "\" is not known"
        );
    }
    style.bytea_output = word == "hex" ? ByteaOutput::kHex : ByteaOutput::kEscape;
    return {};
}

Result<void> set_extra_float_digits(TextStyle& style, std::string_view parameter_value) {
    constexpr int kLeast = -15;
    constexpr int kMost = 3;
    int digits = 0;
    const char* const end = std::to_address(parameter_value.end());
    const auto parsed = std::from_chars(std::to_address(parameter_value.begin()), end, digits);
    const bool is_number = parsed.ec == std::errc() && parsed.ptr == end;
    if (!is_number || digits < kLeast || digits > kMost) {
        return unsupported_form(
            "extra_float_digits \"" + std::string(parameter_value) + "\" is not known"
        );
    }
    style.extra_float_digits = digits;
    return {};
}

}  // namespace pgveil::types
