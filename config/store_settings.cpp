#include "config/store_settings.hpp"

#include <utility>

namespace pgveil::config {
namespace {

std::string absolute_path(const Json& at, const char* key, const std::filesystem::path& folder) {
    return at.contains(key) ? (folder / at[key].get<std::string>()).lexically_normal().string()
                            : std::string();
}

bool is_postgresql(const Json& store) {
    return store.value("kind", "sqlite") == "postgresql";
}

bool has_certificates(const Json& store) {
    return store.contains("tls") && store["tls"].value("mode", "verify-full") != "disable";
}

std::optional<Problem> find_file_problem(const Json& store) {
    if (!store.contains("path") || store.contains("hosts")) {
        return Problem{
            "/store",
            "needs \"path\" and has no \"hosts\"; for a store of several proxies add \"kind\": "
            "\"postgresql\""};
    }
    const std::size_t known = store.contains("kind") ? 2 : 1;
    return store.size() > known
               ? std::optional(Problem{
                     "/store", "is a file, so it has no other keys than \"kind\" and \"path\""})
               : std::nullopt;
}

}  // namespace

std::optional<Problem> find_store_problem(const Json& document) {
    const Json& store = document["store"];
    if (!is_postgresql(store)) {
        return find_file_problem(store);
    }
    if (!store.contains("hosts") || store.contains("path")) {
        return Problem{"/store", "of kind \"postgresql\" needs \"hosts\" and has no \"path\""};
    }
    if (document.contains("seal") && document["seal"]["kind"] != "file") {
        return Problem{
            "/seal/kind",
            "must be \"file\" for a store in PostgreSQL: its proxies share the key of the store, "
            "and a TPM or custodians release a key to one proxy only"};
    }
    if (!store.contains("tls")) {
        return Problem{
            "/store",
            "needs \"tls\" with \"ca\", or with \"mode\" \"disable\" where nobody else is on the "
            "wire"};
    }
    if (has_certificates(store) && !store["tls"].contains("ca")) {
        return Problem{
            "/store/tls", "needs \"ca\", the certificate authority of the store's servers"};
    }
    return std::nullopt;
}

void take_store(const Json& document, const std::filesystem::path& folder, Settings& settings) {
    const Json& store = document["store"];
    settings.store_path = absolute_path(store, "path", folder);
    if (!is_postgresql(store)) {
        return;
    }
    StoreDatabaseSettings& database = settings.store_database.emplace();
    for (const Json& each : store["hosts"]) {
        StoreHost host;
        host.host = each["host"].get<std::string>();
        host.port = each.value("port", host.port);
        database.hosts.push_back(std::move(host));
    }
    database.database = store.value("database", database.database);
    database.user = store.value("user", database.user);
    database.password_file = absolute_path(store, "password_file", folder);
    database.ca = has_certificates(store) ? absolute_path(store["tls"], "ca", folder) : "";
    database.timeout_ms = store.value("timeout_ms", database.timeout_ms);
    database.max_age_ms = store.value("max_age_ms", database.max_age_ms);
}

}  // namespace pgveil::config
