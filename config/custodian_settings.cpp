#include "config/custodian_settings.hpp"

#include "config/embedded_schemas.hpp"
#include "config/json_document.hpp"
#include "config/text_file.hpp"

#include <filesystem>
#include <set>
#include <system_error>

namespace pgveil::config {

namespace {

/// Reads values of a document that already fits the schema.
class CustodianReader {
public:
    CustodianReader(std::filesystem::path folder, const Json& document)
        : folder_(std::move(folder)), document_(document) {}

    CustodianSettings read() const {
        CustodianSettings settings;
        settings.name = document_["name"].get<std::string>();
        settings.host = document_["listen"]["host"].get<std::string>();
        settings.port = document_["listen"].value("port", settings.port);
        const Json& tls = document_["tls"];
        settings.certificate = path_in(tls, "certificate");
        settings.key = path_in(tls, "key");
        settings.client_authority = path_in(tls, "client_ca");
        settings.store_folder = path_in(document_["store"], "folder");
        settings.seal_file = path_in(document_["store"], "seal");
        for (const Json& peer : document_.value("peers", Json::array())) {
            settings.peers.push_back(
                {peer["name"].get<std::string>(),
                 peer.value("url", std::string()),
                 peer["identity"].get<std::string>()}
            );
        }
        document_["administrators"].get_to(settings.administrators);
        const Json web = document_.value("web", Json::object());
        settings.web_folder = web.contains("folder") ? path_in(web, "folder") : std::string();
        settings.web_origins = web.value("origins", std::vector<std::string>());
        return settings;
    }

private:
    std::string path_in(const Json& object, const char* key) const {
        return (folder_ / object[key].get<std::string>()).lexically_normal().string();
    }

    std::filesystem::path folder_;
    const Json& document_;
};

/// The first name or identity that stands for two custodians; empty: none.
std::string repeated_in(const CustodianSettings& settings) {
    std::set<std::string> seen{settings.name};
    for (const PeerSettings& peer : settings.peers) {
        for (const std::string& each : {peer.name, peer.identity}) {
            if (!seen.insert(each).second) {
                return each;
            }
        }
    }
    return {};
}

}  // namespace

Result<CustodianSettings> parse_custodian_settings(std::string_view file, std::string_view text) {
    const Result<Json> document = parse_document(file, text, custodian_schema());
    if (!document.has_value()) {
        return document.error();
    }
    std::error_code failed;
    const std::filesystem::path path = std::filesystem::absolute(std::string(file), failed);
    if (failed) {
        return error_at(file, "", "has no absolute path: " + failed.message());
    }
    CustodianSettings settings = CustodianReader(path.parent_path(), *document).read();
    if (const std::string twice = repeated_in(settings); !twice.empty()) {
        return error_at(
            file, "/peers", "\"" + twice + "\" stands for two custodians; list each other one once"
        );
    }
    return settings;
}

Result<CustodianSettings> load_custodian_settings(const std::string& path) {
    const Result<std::string> text = read_text_file(path);
    if (!text.has_value()) {
        return text.error();
    }
    return parse_custodian_settings(path, *text);
}

}  // namespace pgveil::config
