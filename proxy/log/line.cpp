#include "proxy/log/line.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace pgveil::log {

namespace {

bool is_control(char byte) {
    const auto code = static_cast<unsigned char>(byte);
    return code < 0x20 || code == 0x7f;
}

void append_escaped(std::string& line, std::string_view value) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const char byte : value) {
        if (is_control(byte)) {
            const auto code = static_cast<unsigned char>(byte);
            line += "\\x";
            line += kDigits[code >> 4U];
            line += kDigits[code & 15U];
        } else {
            line += byte;
        }
    }
}

const Field* find(Fields fields, std::string_view name) {
    const auto* const found = std::find_if(
        fields.begin(), fields.end(), [name](const Field& field) { return field.name() == name; }
    );
    return found == fields.end() ? nullptr : found;
}

nlohmann::ordered_json json_of(const Field& field) {
    std::int64_t number = 0;
    const char* const end = field.value().data() + field.value().size();
    if (field.is_number() && std::from_chars(field.value().data(), end, number).ec == std::errc()) {
        return number;
    }
    return field.value();
}

}  // namespace

std::string as_text(std::string_view text, Fields fields) {
    std::string line;
    while (!text.empty()) {
        const std::size_t open = text.find('{');
        const std::size_t close = text.find('}', open);
        if (close == std::string_view::npos) {
            break;
        }
        line += text.substr(0, open);
        const Field* const field = find(fields, text.substr(open + 1, close - open - 1));
        if (field == nullptr) {
            line += text.substr(open, close - open + 1);
        } else {
            append_escaped(line, field->value());
        }
        text.remove_prefix(close + 1);
    }
    return line.append(text);
}

std::string as_json(std::string_view text, Fields fields) {
    nlohmann::ordered_json object;
    object["message"] = as_text(text, fields);
    for (const Field& field : fields) {
        object[std::string(field.name())] = json_of(field);
    }
    return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace pgveil::log
