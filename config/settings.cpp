#include "config/settings.hpp"

#include "config/embedded_schemas.hpp"
#include "config/json_document.hpp"
#include "config/settings_checks.hpp"
#include "config/store_settings.hpp"
#include "config/text_file.hpp"
#include "keyshare/core/base64url.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>

namespace pgveil::config {

namespace {

// What one session takes of the arena at most: libssl with two TLS legs about 31 KB (measured),
// the rest for a request's keys and values.
constexpr std::uint64_t kArenaBytesPerSession = 49152;
constexpr std::uint64_t kArenaBytesShared = 1572864;

SessionAttrs session_attrs_of(std::string_view word) {
    constexpr std::array<std::pair<std::string_view, SessionAttrs>, 5> kWords{{
        {"read-write", SessionAttrs::kReadWrite},
        {"read-only", SessionAttrs::kReadOnly},
        {"primary", SessionAttrs::kPrimary},
        {"standby", SessionAttrs::kStandby},
        {"prefer-standby", SessionAttrs::kPreferStandby},
    }};
    for (const auto& [name, attrs] : kWords) {
        if (name == word) {
            return attrs;
        }
    }
    return SessionAttrs::kAny;
}

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
    void take_http(std::optional<HttpSettings>& http) const;
    void take_seal(Settings& settings) const;
    void take_upstream(UpstreamSettings& upstream) const;
    void take_hosts(UpstreamSettings& upstream) const;
    void take_auth_query(Settings& settings) const;
    void take_limits(LimitSettings& limits) const;
    void take_timeouts(TimeoutSettings& timeouts) const;
    void take_admission(AdmissionSettings& admission) const;
    void take_modes(Settings& settings) const;
    void take_log(LogSettings& log) const;
    void take_audit(AuditSettings& audit) const;
    void take_alarms(AlarmSettings& alarms) const;

    std::filesystem::path folder_;
    const Json& document_;
};

void SettingsReader::take_listen(ListenSettings& listen) const {
    take("/listen/host", listen.host);
    take("/listen/port", listen.port);
    take_path("/listen/tls/certificate", listen.certificate);
    take_path("/listen/tls/key", listen.key);
    take_path("/listen/unix_socket/directory", listen.unix_directory);
    if (const std::string digits = word("/listen/unix_socket/permissions"); !digits.empty()) {
        constexpr int kOctal = 8;
        std::from_chars(
            digits.data(), digits.data() + digits.size(), listen.unix_permissions, kOctal
        );
    }
    take_path("/listen/tls/client_ca", listen.client_ca);
    if (word("/listen/tls/client_certificates") == "accept") {
        listen.client_certificates = ClientCertificates::kAccept;
    }
    if (const Json* const entries = find("/listen/tls/certificate_users")) {
        for (const Json& each : *entries) {
            listen.certificate_users.push_back(
                {each["name"].get<std::string>(), each["user"].get<std::string>()}
            );
        }
    }
    const std::string mode = word("/listen/tls/mode");
    if (mode == "allow") {
        listen.tls = ListenTls::kAllow;
    } else if (mode == "disable") {
        listen.tls = ListenTls::kDisable;
    }
}

void SettingsReader::take_http(std::optional<HttpSettings>& http) const {
    if (find("/http") != nullptr) {
        http.emplace();
        take("/http/host", http->host);
        take("/http/port", http->port);
    }
}

void SettingsReader::take_upstream(UpstreamSettings& upstream) const {
    take_hosts(upstream);
    take_path("/upstream/tls/ca", upstream.ca);
    take_path("/upstream/passwords_file", upstream.passwords_file);
    take("/upstream/allow_cleartext_password", upstream.allow_cleartext_password);
    take("/upstream/connect_timeout_ms", upstream.connect_timeout_ms);
    if (word("/upstream/tls/mode") == "disable") {
        upstream.tls = UpstreamTls::kDisable;
    }
}

void SettingsReader::take_hosts(UpstreamSettings& upstream) const {
    take("/upstream/host", upstream.host);
    take("/upstream/port", upstream.port);
    if (const Json* const hosts = find("/upstream/hosts")) {
        for (const Json& each : *hosts) {
            UpstreamHost host;
            host.host = each["host"].get<std::string>();
            host.port = each.value("port", host.port);
            upstream.hosts.push_back(std::move(host));
        }
        upstream.host = upstream.hosts.front().host;
        upstream.port = upstream.hosts.front().port;
    } else if (!upstream.host.empty()) {
        upstream.hosts.push_back({upstream.host, upstream.port});
    }
    upstream.session_attrs = session_attrs_of(word("/upstream/target_session_attrs"));
}

/// After home, which gives the defaults.
void SettingsReader::take_auth_query(Settings& settings) const {
    AuthQuerySettings& asking = settings.auth_query;
    asking.database = settings.home.database;
    asking.user = settings.home.user;
    take("/auth_query/query", asking.query);
    take("/auth_query/database", asking.database);
    if (find("/auth_query/user") == nullptr) {
        asking.password_file = settings.home.password_file;
    }
    take("/auth_query/user", asking.user);
    take_path("/auth_query/password_file", asking.password_file);
    take("/auth_query/cache_ms", asking.cache_ms);
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

void SettingsReader::take_timeouts(TimeoutSettings& timeouts) const {
    take("/timeouts/idle_ms", timeouts.idle_ms);
    take("/timeouts/idle_in_transaction_ms", timeouts.idle_in_transaction_ms);
    take("/timeouts/statement_ms", timeouts.statement_ms);
    take("/timeouts/drain_ms", timeouts.drain_ms);
    take("/timeouts/drain_notice_ms", timeouts.drain_notice_ms);
    take("/timeouts/keepalive_ms", timeouts.keepalive_ms);
}

void SettingsReader::take_admission(AdmissionSettings& admission) const {
    take("/limits/sessions_per_user", admission.sessions_per_user);
    take("/limits/sessions_per_address", admission.sessions_per_address);
    take("/limits/pending_logins", admission.pending_logins);
}

void SettingsReader::take_modes(Settings& settings) const {
    if (word("/tokens/open") == "per_token") {
        settings.tokens.open = TokenOpening::kPerToken;
    }
    const Json* const demand = find("/tokens/require_challenge");
    if (demand != nullptr && demand->is_boolean()) {
        settings.tokens.require_challenge.of_all = demand->get<bool>();
    } else {
        take("/tokens/require_challenge", settings.tokens.require_challenge.users);
    }
    const std::string memory = word("/memory/mode");
    if (memory == "memfd_secret") {
        settings.memory.mode = MemoryMode::kMemfdSecret;
    } else if (memory == "mlock") {
        settings.memory.mode = MemoryMode::kMlock;
    } else if (memory == "unlocked") {
        settings.memory.mode = MemoryMode::kUnlocked;
    }
    take_log(settings.log);
}

void SettingsReader::take_log(LogSettings& log) const {
    take("/log/slow_statement_ms", log.slow_statement_ms);
    take("/log/connections", log.connections);
    take("/log/disconnections", log.disconnections);
    const std::string level = word("/log/level");
    if (level == "error") {
        log.level = LogLevel::kError;
    } else if (level == "warn") {
        log.level = LogLevel::kWarn;
    } else if (level == "debug") {
        log.level = LogLevel::kDebug;
    }
    if (word("/log/format") == "json") {
        log.format = LogFormat::kJson;
    }
}

void SettingsReader::take_audit(AuditSettings& audit) const {
    take_path("/audit/path", audit.path);
    take("/audit/rotate_bytes", audit.rotate_bytes);
    audit.refuses = word("/audit/on_failure") != "continue";
}

void SettingsReader::take_alarms(AlarmSettings& alarms) const {
    take("/alarms/webhook", alarms.webhook);
    take("/alarms/failed_opens", alarms.failed_opens);
    take("/alarms/window_s", alarms.window_s);
    take("/alarms/lock_user_s", alarms.lock_user_s);
}

void SettingsReader::take_seal(Settings& settings) const {
    take_path("/seal/path", settings.seal_path);
    TpmSettings tpm;
    take("/seal/tpm/tcti", tpm.tcti);
    take("/seal/tpm/approver", tpm.approver);
    take("/seal/tpm/pcrs", tpm.pcrs);
    take_path("/seal/tpm/approvals", tpm.approvals);
    if (tpm.approvals.empty()) {
        tpm.approvals = settings.seal_path + ".approvals";
    }
    if (!tpm.approver.empty()) {
        settings.tpm = std::move(tpm);
    }
}

Settings SettingsReader::read() const {
    Settings settings;
    take("/tenant", settings.tenant);
    take("/workers", settings.workers);
    take_listen(settings.listen);
    take_http(settings.http);
    take_upstream(settings.upstream);
    take_path("/users_file", settings.users_file);
    take("/home/database", settings.home.database);
    take("/home/user", settings.home.user);
    take_path("/home/password_file", settings.home.password_file);
    take_auth_query(settings);
    take_store(document_, folder_, settings);
    take_seal(settings);
    take_path("/policy", settings.policy_path);
    take("/tokens/max_validity_s", settings.tokens.max_validity_s);
    take("/tokens/clock_skew_s", settings.tokens.clock_skew_s);
    take("/tokens/key_epoch_s", settings.tokens.key_epoch_s);
    take("/tokens/grace_s", settings.tokens.grace_s);
    take_limits(settings.limits);
    take_timeouts(settings.timeouts);
    take("/admin_users", settings.console.admin_users);
    take("/stats_users", settings.console.stats_users);
    take_admission(settings.admission);
    take("/memory/arena_bytes", settings.memory.arena_bytes);
    take_modes(settings);
    take_audit(settings.audit);
    take_alarms(settings.alarms);
    return settings;
}

/// Without libcrypto, which must not allocate before the arena is there: whether the point lies on
/// the curve is seen when it is used.
bool looks_like_point(std::string_view text) {
    constexpr std::size_t kPointBytes = 65;
    constexpr std::uint8_t kUncompressed = 4;
    const auto bytes = core::base64url_decode(text);
    return bytes.has_value() && bytes->size() == kPointBytes && bytes->front() == kUncompressed;
}

std::optional<Problem> find_seal_problem(const Json& document) {
    const Json& seal = document["seal"];
    const std::string kind = seal["kind"].get<std::string>();
    const bool is_tpm = kind == "tpm" || kind == "tpm+custodians";
    const bool has_custodians = kind == "custodians" || kind == "tpm+custodians";
    if (is_tpm != seal.contains("tpm")) {
        return Problem{
            "/seal",
            is_tpm ? "needs \"tpm\" with the tenant's \"approver\" key (pgveil-tenant approver)"
                   : "has \"tpm\", but its kind is \"" + kind + "\""};
    }
    if (has_custodians != seal.contains("custodians")) {
        return Problem{
            "/seal",
            has_custodians
                ? "needs \"custodians\" with the \"file\" that says who they are and the "
                  "\"group\" that `pgveil-custodian group create` wrote"
                : "has \"custodians\", but its kind is \"" + kind + "\""};
    }
    if (is_tpm && !looks_like_point(seal["tpm"]["approver"].get<std::string>())) {
        return Problem{
            "/seal/tpm/approver", "is no key: copy what `pgveil-tenant approver` prints"};
    }
    return std::nullopt;
}

/// One server by host and port, or several by hosts.
std::optional<Problem> find_host_problem(const Json& document) {
    const Json& upstream = document["upstream"];
    const bool has_one = upstream.contains("host");
    if (!has_one && !upstream.contains("hosts")) {
        return Problem{"/upstream", "names no server; add \"host\", or \"hosts\" with several"};
    }
    if (upstream.contains("hosts") && (has_one || upstream.contains("port"))) {
        return Problem{
            "/upstream/hosts", "stands beside \"host\" or \"port\"; put that server into the list"};
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
    for (const auto& look : {find_seal_problem, find_host_problem, find_store_problem}) {
        if (const std::optional<Problem> problem = look(*document)) {
            return error_at(file, problem->pointer, problem->text);
        }
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
