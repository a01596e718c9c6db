#include "config/agent_settings.hpp"

#include "config/embedded_schemas.hpp"
#include "config/json_document.hpp"
#include "config/text_file.hpp"

#include <charconv>
#include <filesystem>
#include <system_error>

namespace pgveil::config {

namespace {

// What one session takes of the arena at most: libssl with one TLS leg about 16 KB, and shares.
constexpr std::size_t kAgentBytesPerSession = 40960;
constexpr std::size_t kAgentBytesShared = 2097152;

/// Reads values of a document that already fits the schema; absent keys keep their defaults.
class AgentReader {
public:
    AgentReader(std::filesystem::path folder, const Json& document)
        : folder_(std::move(folder)), document_(document) {}

    AgentSettings read() const {
        AgentSettings settings;
        read_listen(settings);
        take("/upstream/host", settings.upstream_host);
        take("/upstream/port", settings.upstream_port);
        take("/upstream/connect_timeout_ms", settings.connect_timeout_ms);
        settings.upstream_ca = path_at("/upstream/ca");
        settings.share_table = path_at("/share_table");
        take("/tokens/valid_s", settings.token_valid_s);
        take("/tokens/challenge", settings.token_challenges);
        take("/tokens/channel", settings.token_channel);
        take("/limits/sessions", settings.sessions);
        for (const auto& entry : document_["users"].items()) {
            settings.users.emplace(entry.key(), user_at(pointer_to("/users", entry.key())));
        }
        read_log(settings.log);
        return settings;
    }

private:
    const Json* find(const std::string& pointer) const {
        const Json::json_pointer at(pointer);
        return document_.contains(at) ? &document_[at] : nullptr;
    }

    template <class Value>
    void take(const std::string& pointer, Value& value) const {
        if (const Json* const found = find(pointer)) {
            value = found->get<Value>();
        }
    }

    std::string path_at(const std::string& pointer) const {
        const Json* const found = find(pointer);
        return found == nullptr ? std::string()
                                : (folder_ / found->get<std::string>()).lexically_normal().string();
    }

    void read_listen(AgentSettings& settings) const {
        settings.unix_directory = path_at("/listen/unix_socket/directory");
        if (!settings.unix_directory.empty()) {
            settings.host.clear();
        }
        take("/listen/host", settings.host);
        take("/listen/port", settings.port);
        std::string digits;
        take("/listen/unix_socket/permissions", digits);
        constexpr int kOctal = 8;
        std::from_chars(
            digits.data(), digits.data() + digits.size(), settings.unix_permissions, kOctal
        );
    }

    AgentUserSettings user_at(const std::string& pointer) const {
        AgentUserSettings user{
            path_at(pointer + "/key"),
            path_at(pointer + "/app_share"),
            path_at(pointer + "/passphrase_file")};
        take(pointer + "/read_only", user.read_only);
        take(pointer + "/tables", user.tables);
        return user;
    }

    void read_log(LogSettings& log) const {
        std::string word;
        take("/log/level", word);
        if (word == "error") {
            log.level = LogLevel::kError;
        } else if (word == "warn") {
            log.level = LogLevel::kWarn;
        } else if (word == "debug") {
            log.level = LogLevel::kDebug;
        }
        word.clear();
        take("/log/format", word);
        if (word == "json") {
            log.format = LogFormat::kJson;
        }
    }

    std::filesystem::path folder_;
    const Json& document_;
};

}  // namespace

std::size_t AgentSettings::arena_size() const {
    return kAgentBytesShared + kAgentBytesPerSession * sessions;
}

Result<AgentSettings> parse_agent_settings(std::string_view file, std::string_view text) {
    const Result<Json> document = parse_document(file, text, agent_schema());
    if (!document.has_value()) {
        return document.error();
    }
    std::error_code failed;
    const std::filesystem::path path = std::filesystem::absolute(std::string(file), failed);
    if (failed) {
        return error_at(file, "", "has no absolute path: " + failed.message());
    }
    AgentSettings settings = AgentReader(path.parent_path(), *document).read();
    settings.file = path.string();
    const bool is_local = settings.upstream_host.starts_with('/');
    if (!is_local && settings.upstream_ca.empty()) {
        return error_at(
            file,
            "/upstream",
            "has no \"ca\", so that shares would cross the network in the clear; add the "
            "authority of the proxy's certificate, or let \"host\" be the directory of its Unix "
            "socket"
        );
    }
    if (is_local && settings.token_channel) {
        return error_at(
            file,
            "/tokens/channel",
            "binds tokens to a TLS connection, but the way to a Unix socket has none; leave it out"
        );
    }
    for (const auto& [role, files] : settings.users) {
        if (files.app_share.empty() && settings.share_table.empty()) {
            return error_at(
                file, pointer_to("/users", role), "has no \"app_share\"; add it, or \"share_table\""
            );
        }
    }
    return settings;
}

Result<AgentSettings> load_agent_settings(const std::string& path) {
    const Result<std::string> text = read_text_file(path);
    if (!text.has_value()) {
        return text.error();
    }
    return parse_agent_settings(path, *text);
}

}  // namespace pgveil::config
