#include "proxy/admin/console_config.hpp"

#include <array>
#include <sstream>
#include <utility>

namespace pgveil::admin {

namespace {

constexpr std::array kConfig{
    Column{"key"}, Column{"value"}, Column{"default"}, Column{"changeable"}};

struct Setting {
    std::string key;
    std::string value;
    bool is_changeable = true;
};

std::string word(config::ListenTls tls) {
    switch (tls) {
        case config::ListenTls::kAllow: return "allow";
        case config::ListenTls::kDisable: return "disable";
        case config::ListenTls::kRequire: break;
    }
    return "require";
}

std::string word(config::UpstreamTls tls) {
    return tls == config::UpstreamTls::kDisable ? "disable" : "verify-full";
}

std::string word(config::MemoryMode mode) {
    switch (mode) {
        case config::MemoryMode::kMemfdSecret: return "memfd_secret";
        case config::MemoryMode::kMlock: return "mlock";
        case config::MemoryMode::kUnlocked: return "unlocked";
        case config::MemoryMode::kAuto: break;
    }
    return "auto";
}

std::string word(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::kError: return "error";
        case config::LogLevel::kWarn: return "warn";
        case config::LogLevel::kDebug: return "debug";
        case config::LogLevel::kInfo: break;
    }
    return "info";
}

std::string word(config::LogFormat format) {
    return format == config::LogFormat::kJson ? "json" : "text";
}

std::string word(config::TokenOpening opening) {
    return opening == config::TokenOpening::kPerToken ? "per_token" : "per_request";
}

std::string word(config::ClientCertificates use) {
    return use == config::ClientCertificates::kAccept ? "accept" : "require";
}

std::string word(config::SessionAttrs attrs) {
    switch (attrs) {
        case config::SessionAttrs::kReadWrite: return "read-write";
        case config::SessionAttrs::kReadOnly: return "read-only";
        case config::SessionAttrs::kPrimary: return "primary";
        case config::SessionAttrs::kStandby: return "standby";
        case config::SessionAttrs::kPreferStandby: return "prefer-standby";
        case config::SessionAttrs::kAny: break;
    }
    return "any";
}

std::string word(bool value) {
    return value ? "true" : "false";
}

/// As the settings have it: "0770".
std::string octal(std::uint32_t permissions) {
    std::ostringstream text;
    text << '0' << std::oct << permissions;
    return text.str();
}

std::string joined(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) {
        list += (list.empty() ? "" : ", ") + name;
    }
    return list;
}

std::string joined(const std::vector<config::UpstreamHost>& hosts) {
    std::vector<std::string> names;
    for (const config::UpstreamHost& each : hosts) {
        names.push_back(each.host + ":" + std::to_string(each.port));
    }
    return joined(names);
}

std::string joined(const std::vector<config::CertificateUser>& users) {
    std::vector<std::string> names;
    for (const config::CertificateUser& each : users) {
        names.push_back(each.name + "=" + each.user);
    }
    return joined(names);
}

class Listing {
public:
    template <class Value>
    void add(std::string key, const Value& value) {
        settings_.push_back({std::move(key), text(value), true});
    }

    /// Only a start takes it up.
    template <class Value>
    void add_fixed(std::string key, const Value& value) {
        settings_.push_back({std::move(key), text(value), false});
    }

    std::vector<Setting> take() { return std::move(settings_); }

private:
    static std::string text(const std::string& value) { return value; }

    static std::string text(std::uint64_t value) { return std::to_string(value); }

    std::vector<Setting> settings_;
};

void list_limits(const config::LimitSettings& limits, Listing& listing) {
    listing.add("limits.sessions", limits.sessions);
    listing.add("limits.message_bytes", limits.message_bytes);
    listing.add("limits.startup_bytes", limits.startup_bytes);
    listing.add("limits.login_timeout_ms", limits.login_timeout_ms);
    listing.add("limits.plan_cache_bytes", limits.plan_cache_bytes);
    listing.add("limits.pending_replies", limits.pending_replies);
    listing.add("limits.statements_per_session", limits.statements_per_session);
    listing.add("limits.catalog_ttl_ms", limits.catalog_ttl_ms);
    listing.add("limits.statement_bytes", limits.statement_bytes);
    listing.add("limits.statement_tokens", limits.statement_tokens);
    listing.add("limits.plan_bytes_per_session", limits.plan_bytes_per_session);
}

void list_operation(const config::Settings& settings, Listing& listing) {
    listing.add("timeouts.idle_ms", settings.timeouts.idle_ms);
    listing.add("timeouts.idle_in_transaction_ms", settings.timeouts.idle_in_transaction_ms);
    listing.add("timeouts.statement_ms", settings.timeouts.statement_ms);
    listing.add("timeouts.drain_ms", settings.timeouts.drain_ms);
    listing.add("timeouts.drain_notice_ms", settings.timeouts.drain_notice_ms);
    listing.add("timeouts.keepalive_ms", settings.timeouts.keepalive_ms);
    listing.add("admin_users", joined(settings.console.admin_users));
    listing.add("stats_users", joined(settings.console.stats_users));
    listing.add_fixed("memory.mode", word(settings.memory.mode));
    listing.add_fixed("memory.arena_bytes", settings.memory.arena_bytes);
    listing.add("log.level", word(settings.log.level));
    listing.add("log.format", word(settings.log.format));
    listing.add("log.slow_statement_ms", settings.log.slow_statement_ms);
    listing.add("log.connections", word(settings.log.connections));
    listing.add("log.disconnections", word(settings.log.disconnections));
    listing.add_fixed("audit.path", settings.audit.path);
    listing.add_fixed("audit.rotate_bytes", settings.audit.rotate_bytes);
    listing.add_fixed(
        "audit.on_failure", std::string(settings.audit.refuses ? "refuse" : "continue")
    );
}

void list_listen(const config::ListenSettings& listen, Listing& listing) {
    listing.add_fixed("listen.host", listen.host);
    listing.add_fixed("listen.port", listen.port);
    listing.add("listen.tls.mode", word(listen.tls));
    listing.add("listen.tls.certificate", listen.certificate);
    listing.add("listen.tls.key", listen.key);
    listing.add("listen.tls.client_ca", listen.client_ca);
    listing.add("listen.tls.client_certificates", word(listen.client_certificates));
    listing.add("listen.tls.certificate_users", joined(listen.certificate_users));
    listing.add_fixed("listen.unix_socket.directory", listen.unix_directory);
    listing.add_fixed("listen.unix_socket.permissions", octal(listen.unix_permissions));
}

void list_upstream(const config::UpstreamSettings& upstream, Listing& listing) {
    listing.add("upstream.host", upstream.host);
    listing.add("upstream.port", upstream.port);
    listing.add("upstream.hosts", joined(upstream.hosts));
    listing.add("upstream.target_session_attrs", word(upstream.session_attrs));
    listing.add("upstream.tls.mode", word(upstream.tls));
    listing.add("upstream.tls.ca", upstream.ca);
    listing.add("upstream.passwords_file", upstream.passwords_file);
    listing.add("upstream.allow_cleartext_password", word(upstream.allow_cleartext_password));
    listing.add("upstream.connect_timeout_ms", upstream.connect_timeout_ms);
}

void list_auth_query(const config::AuthQuerySettings& asking, Listing& listing) {
    listing.add("auth_query.query", asking.query);
    listing.add("auth_query.database", asking.database);
    listing.add("auth_query.user", asking.user);
    listing.add("auth_query.password_file", asking.password_file);
    listing.add("auth_query.cache_ms", asking.cache_ms);
}

void list_admission(const config::AdmissionSettings& admission, Listing& listing) {
    listing.add("limits.sessions_per_user", admission.sessions_per_user);
    listing.add("limits.sessions_per_address", admission.sessions_per_address);
    listing.add("limits.pending_logins", admission.pending_logins);
}

void list_store(const config::Settings& settings, Listing& listing) {
    const config::StoreDatabaseSettings store =
        settings.store_database.value_or(config::StoreDatabaseSettings{});
    std::string hosts;
    for (const config::StoreHost& each : store.hosts) {
        hosts += (hosts.empty() ? "" : ",") + each.host + ":" + std::to_string(each.port);
    }
    listing.add_fixed("store.kind", settings.store_database ? "postgresql" : "sqlite");
    listing.add_fixed("store.path", settings.store_path);
    listing.add_fixed("store.hosts", hosts);
    listing.add_fixed("store.database", settings.store_database ? store.database : std::string());
    listing.add_fixed("store.user", settings.store_database ? store.user : std::string());
    listing.add_fixed("store.password_file", store.password_file);
    listing.add_fixed("store.tls.ca", store.ca);
    listing.add_fixed("store.timeout_ms", store.timeout_ms);
    listing.add_fixed("store.max_age_ms", store.max_age_ms);
}

void list_seal(const config::Settings& settings, Listing& listing) {
    const config::TpmSettings tpm = settings.tpm.value_or(config::TpmSettings{});
    listing.add_fixed("seal.kind", settings.tpm ? "tpm" : "file");
    listing.add_fixed("seal.path", settings.seal_path);
    listing.add_fixed("seal.tpm.tcti", settings.tpm ? tpm.tcti : std::string());
    listing.add_fixed("seal.tpm.approver", tpm.approver);
    std::string pcrs;
    for (const std::uint32_t pcr : settings.tpm ? tpm.pcrs : std::vector<std::uint32_t>()) {
        pcrs += (pcrs.empty() ? "" : ",") + std::to_string(pcr);
    }
    listing.add_fixed("seal.tpm.pcrs", pcrs);
    listing.add_fixed("seal.tpm.approvals", tpm.approvals);
}

std::vector<Setting> settings_of(const config::Settings& settings) {
    Listing listing;
    listing.add_fixed("tenant", settings.tenant);
    list_listen(settings.listen, listing);
    listing.add_fixed("http.host", settings.http ? settings.http->host : std::string());
    listing.add_fixed("http.port", settings.http ? std::to_string(settings.http->port) : "");
    listing.add_fixed("workers", settings.workers);
    list_upstream(settings.upstream, listing);
    listing.add("users_file", settings.users_file);
    list_auth_query(settings.auth_query, listing);
    listing.add("home.database", settings.home.database);
    listing.add("home.user", settings.home.user);
    listing.add("home.password_file", settings.home.password_file);
    list_store(settings, listing);
    list_seal(settings, listing);
    listing.add("policy", settings.policy_path);
    listing.add_fixed("tokens.max_validity_s", settings.tokens.max_validity_s);
    listing.add_fixed("tokens.clock_skew_s", settings.tokens.clock_skew_s);
    listing.add_fixed("tokens.key_epoch_s", settings.tokens.key_epoch_s);
    listing.add_fixed("tokens.grace_s", settings.tokens.grace_s);
    listing.add_fixed("tokens.open", word(settings.tokens.open));
    const config::ChallengeSettings& challenge = settings.tokens.require_challenge;
    listing.add_fixed(
        "tokens.require_challenge",
        challenge.users.empty() ? word(challenge.of_all) : joined(challenge.users)
    );
    list_limits(settings.limits, listing);
    list_admission(settings.admission, listing);
    list_operation(settings, listing);
    return listing.take();
}

Cell text_or_null(const std::string& text) {
    return text.empty() ? Cell() : Cell(text);
}

}  // namespace

std::span<const Column> config_columns() {
    return kConfig;
}

Table show_config(const config::Settings& settings) {
    const std::vector<Setting> values = settings_of(settings);
    const std::vector<Setting> defaults = settings_of(config::Settings{});
    Table table{kConfig, {}};
    for (std::size_t at = 0; at < values.size(); ++at) {
        table.rows.push_back(
            {values[at].key,
             text_or_null(values[at].value),
             text_or_null(defaults[at].value),
             std::string(values[at].is_changeable ? "yes" : "no")}
        );
    }
    return table;
}

std::vector<std::string> changes_for_restart(
    const config::Settings& running, const config::Settings& fresh
) {
    const std::vector<Setting> before = settings_of(running);
    const std::vector<Setting> after = settings_of(fresh);
    std::vector<std::string> keys;
    for (std::size_t at = 0; at < before.size(); ++at) {
        if (!before[at].is_changeable && before[at].value != after[at].value) {
            keys.push_back(before[at].key);
        }
    }
    return keys;
}

void keep_until_restart(const config::Settings& running, config::Settings& fresh) {
    fresh.tenant = running.tenant;
    fresh.listen.host = running.listen.host;
    fresh.listen.port = running.listen.port;
    fresh.listen.unix_directory = running.listen.unix_directory;
    fresh.listen.unix_permissions = running.listen.unix_permissions;
    fresh.http = running.http;
    fresh.workers = running.workers;
    fresh.store_path = running.store_path;
    fresh.store_database = running.store_database;
    fresh.seal_path = running.seal_path;
    fresh.tpm = running.tpm;
    fresh.tokens = running.tokens;
    fresh.memory = running.memory;
}

}  // namespace pgveil::admin
