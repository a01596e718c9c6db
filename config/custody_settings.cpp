#include "config/custody_settings.hpp"

#include "config/embedded_schemas.hpp"
#include "config/json_document.hpp"
#include "config/text_file.hpp"

#include <filesystem>

namespace pgveil::config {

Result<std::optional<CustodySettings>> load_custody_settings(const std::string& file) {
    const auto text = read_text_file(file);
    if (!text.has_value()) {
        return text.error();
    }
    const Result<Json> document = parse_document(file, *text, settings_schema());
    if (!document.has_value()) {
        return document.error();
    }
    const Json& seal = (*document)["seal"];
    if (!seal.contains("custodians")) {
        return std::optional<CustodySettings>();
    }
    const std::filesystem::path folder = std::filesystem::path(file).parent_path();
    const auto path_at = [&](const char* key) {
        return (folder / seal["custodians"][key].get<std::string>()).lexically_normal().string();
    };
    return std::optional(CustodySettings{path_at("file"), path_at("group")});
}

}  // namespace pgveil::config
