#include "config/policy_name.hpp"

#include "config/policy.hpp"

#include <algorithm>

namespace pgveil::config {

namespace {

constexpr std::size_t kIdentifierBytesMax = 63;

bool is_lower_or_underscore(char letter) {
    return (letter >= 'a' && letter <= 'z') || letter == '_';
}

bool is_identifier_letter(char letter) {
    return is_lower_or_underscore(letter) || (letter >= '0' && letter <= '9') || letter == '$';
}

/// Takes `"..."` from the front; nullopt if the quote does not end.
std::optional<std::string> take_quoted(std::string_view& rest) {
    std::string name;
    rest.remove_prefix(1);
    while (!rest.empty()) {
        const char letter = rest.front();
        rest.remove_prefix(1);
        if (letter != '"') {
            name += letter;
        } else if (rest.starts_with('"')) {
            name += '"';
            rest.remove_prefix(1);
        } else {
            return name;
        }
    }
    return std::nullopt;
}

std::string problem_of_part(const std::string& part, bool is_quoted) {
    if (part.empty()) {
        return "has an empty name";
    }
    if (part.size() > kIdentifierBytesMax) {
        return "has a name of more than 63 bytes, which PostgreSQL would cut";
    }
    if (part.find('\0') != std::string::npos) {
        return "has a name with a NUL character";
    }
    if (!is_quoted && part != "*" && !is_plain_identifier(part)) {
        return "has a name that SQL would fold or not accept; write it in lower case, or exactly "
               "as it is inside double quotes (\\\"" +
               part + "\\\")";
    }
    return {};
}

}  // namespace

bool is_plain_identifier(std::string_view name) {
    return !name.empty() && is_lower_or_underscore(name.front()) &&
           std::all_of(name.begin(), name.end(), is_identifier_letter);
}

ParsedName parse_name(std::string_view text) {
    ParsedName parsed;
    std::string_view rest = text;
    bool is_open = true;
    while (is_open && parsed.problem.empty()) {
        const bool is_quoted = rest.starts_with('"');
        const std::size_t end = std::min(rest.find('.'), rest.size());
        std::optional<std::string> part =
            is_quoted ? take_quoted(rest) : std::string(rest.substr(0, end));
        rest.remove_prefix(is_quoted ? 0 : end);
        is_open = rest.starts_with('.');
        if (!part || (!is_open && !rest.empty())) {
            parsed.problem = "has a double quote that does not end, or something behind it";
            break;
        }
        parsed.problem = problem_of_part(*part, is_quoted);
        parsed.parts.push_back(std::move(*part));
        rest.remove_prefix(is_open ? 1 : 0);
    }
    return parsed;
}

std::string default_context(
    std::string_view schema, std::string_view table, std::string_view column
) {
    std::string context;
    for (const std::string_view part : {schema, table, column}) {
        context += context.empty() ? "" : ".";
        if (is_plain_identifier(part)) {
            context += part;
            continue;
        }
        context += '"';
        for (const char letter : part) {
            context += letter == '"' ? "\"\"" : std::string(1, letter);
        }
        context += '"';
    }
    return context;
}

}  // namespace pgveil::config
