#include "config/pins.hpp"

#include "config/json_document.hpp"
#include "config/text_file.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace pgveil::config {

namespace {

constexpr std::string_view kSchema = R"json({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "description": "an object: pinned shapes by schema and table, written by pgveil check --pin",
  "type": "object",
  "additionalProperties": {
    "description": "an object: one entry per table of the schema",
    "type": "object",
    "additionalProperties": {
      "description": "a list of shapes",
      "type": "array",
      "items": { "description": "a shape", "type": "string" }
    }
  }
})json";

Error not_written(const std::string& path) {
    return Error{
        ErrorKind::kUnreadable,
        path + ": cannot be written: " + std::generic_category().message(errno)};
}

}  // namespace

std::string pins_path(const std::string& policy_path) {
    return std::filesystem::path(policy_path).replace_extension(".pins.json").string();
}

Result<Pins> parse_pins(std::string_view file, std::string_view text) {
    const Result<Json> document = parse_document(file, text, kSchema);
    if (!document.has_value()) {
        return document.error();
    }
    Pins pins;
    for (const auto& [schema, tables] : document->items()) {
        for (const auto& [table, shapes] : tables.items()) {
            pins[PolicyName{schema, table}] = shapes.get<std::set<std::string>>();
        }
    }
    return pins;
}

Result<Pins> load_pins(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::exists(path, error) && !error) {
        return Pins();
    }
    const Result<std::string> text = read_text_file(path);
    if (!text.has_value()) {
        return text.error();
    }
    return parse_pins(path, *text);
}

Result<void> save_pins(const std::string& path, const Pins& pins) {
    Json document = Json::object();
    for (const auto& [name, shapes] : pins) {
        document[name.schema][name.name] = shapes;
    }
    constexpr int kIndent = 2;
    const std::string next = path + ".new";
    {
        std::ofstream file(next, std::ios::binary | std::ios::trunc);
        file << document.dump(kIndent, ' ', false, Json::error_handler_t::replace) << '\n';
        file.close();
        if (!file) {
            return not_written(next);
        }
    }
    if (std::rename(next.c_str(), path.c_str()) != 0) {
        return not_written(path);
    }
    return {};
}

}  // namespace pgveil::config
