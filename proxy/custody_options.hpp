#pragma once

#include "config/settings.hpp"
#include "keyshare/store/proxy_custody.hpp"

namespace pgveil::proxy {

inline store::StorePlace store_place(const config::Settings& settings) {
    store::StorePlace place{settings.store_path, std::nullopt};
    if (!settings.store_database) {
        return place;
    }
    const config::StoreDatabaseSettings& database = *settings.store_database;
    store::PostgresqlPlace& shared = place.postgresql.emplace();
    for (const config::StoreHost& host : database.hosts) {
        shared.servers.push_back({host.host, host.port});
    }
    shared.database = database.database;
    shared.user = database.user;
    shared.password_file = database.password_file;
    shared.ca = database.ca;
    shared.timeout_ms = database.timeout_ms;
    shared.max_age_ms = database.max_age_ms;
    shared.mark = settings.seal_path + ".mark";
    return place;
}

inline store::CustodyOptions custody_options(const config::Settings& settings) {
    store::CustodyOptions options;
    options.path = settings.store_path;
    options.postgresql = store_place(settings).postgresql;
    options.tenant = settings.tenant;
    options.limits.max_validity_s = settings.tokens.max_validity_s;
    options.limits.clock_skew_s = settings.tokens.clock_skew_s;
    options.limits.key_epoch_s = settings.tokens.key_epoch_s;
    options.limits.grace_s = settings.tokens.grace_s;
    options.limits.challenge.of_all = settings.tokens.require_challenge.of_all;
    options.limits.challenge.users = settings.tokens.require_challenge.users;
    options.opening = settings.tokens.open == config::TokenOpening::kPerToken
                          ? store::TokenOpening::kPerToken
                          : store::TokenOpening::kPerRequest;
    return options;
}

}  // namespace pgveil::proxy
