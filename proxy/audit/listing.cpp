#include "proxy/audit/listing.hpp"

#include "proxy/audit/line.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::audit {
namespace {

bool is_time(std::string_view text) {
    constexpr std::string_view kForm = "0000-00-00T00:00:00.000";
    if (text.empty()) {
        return true;
    }
    constexpr std::size_t kDate = 10;
    constexpr std::size_t kMinutes = 16;
    if (text.size() > kForm.size() || (text.size() != kDate && text.size() < kMinutes)) {
        return false;
    }
    return std::equal(text.begin(), text.end(), kForm.begin(), [](char letter, char form) {
        return form == '0' ? letter >= '0' && letter <= '9' : letter == form;
    });
}

/// " label value", or nothing.
std::string labelled(const Line& line, const char* member, std::string_view label) {
    const std::string text = line.text(member);
    return text.empty() ? text : " " + std::string(label) + text;
}

std::string counted(const Line& line, const char* member, std::string_view label) {
    const auto found = line.fields.find(member);
    return found == line.fields.end() || !found->is_number_unsigned()
               ? std::string()
               : " " + std::string(label) + " " + std::to_string(found->get<std::uint64_t>());
}

std::string columns_of(const Line& line) {
    std::string text;
    const auto found = line.fields.find("columns");
    if (found == line.fields.end() || !found->is_array()) {
        return text;
    }
    for (const share::Json& column : *found) {
        if (column.is_string()) {
            text += (text.empty() ? " columns " : ", ") + column.get<std::string>();
        }
    }
    return text;
}

}  // namespace

Result<Filter> make_filter(std::string since, std::string until, std::string user) {
    for (std::string* const time : {&since, &until}) {
        if (time->ends_with('Z')) {
            time->pop_back();
        }
        if (!is_time(*time)) {
            return Error{*time, "is no time: write 2026-01-31 or 2026-01-31T12:00:00Z"};
        }
    }
    return Filter{std::move(since), std::move(until), std::move(user)};
}

bool fits(const Filter& filter, std::string_view text) {
    const auto line = parse_line(text);
    if (!line) {
        return false;
    }
    const std::string at = line->text("at");
    return at >= filter.since && (filter.until.empty() || at < filter.until) &&
           (filter.user.empty() || line->text("user") == filter.user);
}

std::optional<std::string> shown(std::string_view text) {
    const auto line = parse_line(text);
    if (!line) {
        return std::nullopt;
    }
    std::string words =
        std::to_string(line->sequence) + " " + line->text("at") + " " + line->text("event");
    words += labelled(*line, "what", "");
    words += labelled(*line, "user", "with the share of ");
    words += labelled(*line, "claimed", "claiming to be ");
    words += labelled(*line, "role", "role ");
    words += labelled(*line, "database", "in ");
    words += labelled(*line, "application", "by ");
    words += labelled(*line, "session", "session ");
    words += labelled(*line, "statement", "statement ");
    words += columns_of(*line);
    words += counted(*line, "opened", "opened");
    words += counted(*line, "affected", "affected");
    words += counted(*line, "records", "records");
    words += labelled(*line, "result", "-> ");
    return words;
}

}  // namespace pgveil::audit
