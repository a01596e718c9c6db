#include "config/settings.hpp"

#include "config/embedded_schemas.hpp"
#include "config/json_document.hpp"
#include "config/text_file.hpp"

#include <filesystem>
#include <optional>
#include <utility>

namespace pgveil::config {

namespace {

// What one session takes of the arena at most: libssl with two TLS legs about 31 KB (measured),
// the rest for a request's keys and values.
constexpr std::uint64_t kArenaBytesPerSession = 49152;
constexpr std::uint64_t kArenaBytesShared = 1572864;
constexpr std::uint64_t kArenaBytesMin = 1048576;

/// Reads values of a document that already fits the schema; absent keys keep their defaults.
class SettingsReader {
public:
    SettingsReader(std::filesystem::path folder, const Json& document)
        : folder_(std::move(folder)), document_(document) {}

    Settings read() const;

private:
    const Json* find(std::string_view pointer) const {
        const Json::json_pointer at{std::string(pointer)};
        return document_.contains(at) ? &document_[at] : nullptr;
    }

    template <class Value>
    void take(std::string_view pointer, Value& value) const {
        if (const Json* const found = find(pointer)) {
            value = found->get<Value>();
        }
    }

    void take_path(std::string_view pointer, std::string& path) const {
        if (const Json* const found = find(pointer)) {
            path = (folder_ / found->get<std::string>()).lexically_normal().string();
        }
    }

    std::string word(std::string_view pointer) const {
        const Json* const found = find(pointer);
        return found == nullptr ? std::string() : found->get<std::string>();
    }

    void take_listen(ListenSettings& listen) const;
    void take_upstream(UpstreamSettings& upstream) const;
    void take_limits(LimitSettings& limits) const;
    void take_modes(Settings& settings) const;

    std::filesystem::path folder_;
    const Json& document_;
};

void SettingsReader::take_listen(ListenSettings& listen) const {
    take("/listen/host", listen.host);
    take("/listen/port", listen.port);
    take_path("/listen/tls/certificate", listen.certificate);
    take_path("/listen/tls/key", listen.key);
    const std::string mode = word("/listen/tls/mode");
    if (mode == "allow") {
        listen.tls = ListenTls::kAllow;
    } else if (mode == "disable") {
        listen.tls = ListenTls::kDisable;
    }
}

void SettingsReader::take_upstream(UpstreamSettings& upstream) const {
    take("/upstream/host", upstream.host);
    take("/upstream/port", upstream.port);
    take_path("/upstream/tls/ca", upstream.ca);
    take("/upstream/connect_timeout_ms", upstream.connect_timeout_ms);
    if (word("/upstream/tls/mode") == "disable") {
        upstream.tls = UpstreamTls::kDisable;
    }
}

void SettingsReader::take_limits(LimitSettings& limits) const {
    take("/limits/sessions", limits.sessions);
    take("/limits/message_bytes", limits.message_bytes);
    take("/limits/startup_bytes", limits.startup_bytes);
    take("/limits/login_timeout_ms", limits.login_timeout_ms);
    take("/limits/plan_cache_bytes", limits.plan_cache_bytes);
    take("/limits/pending_replies", limits.pending_replies);
    take("/limits/statements_per_session", limits.statements_per_session);
    take("/limits/catalog_ttl_ms", limits.catalog_ttl_ms);
    take("/limits/statement_bytes", limits.statement_bytes);
    take("/limits/statement_tokens", limits.statement_tokens);
    take("/limits/plan_bytes_per_session", limits.plan_bytes_per_session);
}

void SettingsReader::take_modes(Settings& settings) const {
    const std::string memory = word("/memory/mode");
    if (memory == "memfd_secret") {
        settings.memory.mode = MemoryMode::kMemfdSecret;
    } else if (memory == "mlock") {
        settings.memory.mode = MemoryMode::kMlock;
    } else if (memory == "unlocked") {
        settings.memory.mode = MemoryMode::kUnlocked;
    }
    const std::string level = word("/log/level");
    if (level == "error") {
        settings.log_level = LogLevel::kError;
    } else if (level == "warn") {
        settings.log_level = LogLevel::kWarn;
    } else if (level == "debug") {
        settings.log_level = LogLevel::kDebug;
    }
}

Settings SettingsReader::read() const {
    Settings settings;
    take("/tenant", settings.tenant);
    take("/workers", settings.workers);
    take_listen(settings.listen);
    take_upstream(settings.upstream);
    take_path("/users_file", settings.users_file);
    take("/home/database", settings.home.database);
    take("/home/user", settings.home.user);
    take_path("/home/password_file", settings.home.password_file);
    take_path("/store/path", settings.store_path);
    take_path("/seal/path", settings.seal_path);
    take_path("/policy", settings.policy_path);
    take("/tokens/max_validity_s", settings.tokens.max_validity_s);
    take("/tokens/clock_skew_s", settings.tokens.clock_skew_s);
    take("/tokens/key_epoch_s", settings.tokens.key_epoch_s);
    take("/tokens/grace_s", settings.tokens.grace_s);
    take_limits(settings.limits);
    take("/memory/arena_bytes", settings.memory.arena_bytes);
    take_modes(settings);
    return settings;
}

/// What the schema cannot say: the pointer and the problem.
struct Problem {
    std::string pointer;
    std::string text;
};

std::optional<Problem> find_later_option(const Json& document) {
    const std::string seal = document["seal"]["kind"].get<std::string>();
    if (seal != "file") {
        return Problem{
            "/seal/kind", "\"" + seal + "\" is not available yet in this version; use \"file\""};
    }
    const Json::json_pointer format("/log/format");
    if (document.contains(format) && document[format] != "text") {
        return Problem{
            "/log/format", "\"json\" is not available yet in this version; use \"text\""};
    }
    return std::nullopt;
}

std::optional<Problem> find_contradiction(const Settings& settings) {
    const ListenSettings& listen = settings.listen;
    if (listen.tls != ListenTls::kDisable && (listen.certificate.empty() || listen.key.empty())) {
        return Problem{
            "/listen/tls",
            "needs \"certificate\" and \"key\"; add them, or set \"mode\" to \"disable\" where "
            "clients reach the proxy only over the loopback interface"};
    }
    if (settings.memory.arena_bytes != 0 && settings.memory.arena_bytes < kArenaBytesMin) {
        return Problem{
            "/memory/arena_bytes",
            "is too small; use 0 (computed from limits.sessions) or at least 1048576"};
    }
    if (settings.tokens.key_epoch_s <= settings.tokens.max_validity_s) {
        return Problem{
            "/tokens/key_epoch_s",
            "is not longer than max_validity_s, so that tokens would outlive their key; make it "
            "longer"};
    }
    return std::nullopt;
}

}  // namespace

std::uint64_t MemorySettings::arena_size(std::uint32_t sessions) const {
    return arena_bytes != 0 ? arena_bytes : kArenaBytesShared + kArenaBytesPerSession * sessions;
}

Result<Settings> parse_settings(std::string_view file, std::string_view text) {
    const Result<Json> document = parse_document(file, text, settings_schema());
    if (!document.has_value()) {
        return document.error();
    }
    if (const std::optional<Problem> problem = find_later_option(*document)) {
        return error_at(file, problem->pointer, problem->text);
    }
    std::error_code failed;
    const std::filesystem::path path = std::filesystem::absolute(std::string(file), failed);
    if (failed) {
        return error_at(file, "", "has no absolute path: " + failed.message());
    }
    Settings settings = SettingsReader(path.parent_path(), *document).read();
    settings.file = path.lexically_normal().string();
    if (const std::optional<Problem> problem = find_contradiction(settings)) {
        return error_at(file, problem->pointer, problem->text);
    }
    return settings;
}

Result<Settings> load_settings(const std::string& path) {
    const Result<std::string> text = read_text_file(path);
    if (!text.has_value()) {
        return text.error();
    }
    return parse_settings(path, *text);
}

}  // namespace pgveil::config
