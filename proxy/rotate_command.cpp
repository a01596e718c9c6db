#include "proxy/rotate_command.hpp"

#include "proxy/mirror/database.hpp"
#include "proxy/start.hpp"
#include "sql/schema/keyring_mirror.hpp"

#include <vector>

namespace pgveil::proxy {

namespace {

migration::Result<std::vector<share::MirrorRow>> read_mirror(const config::Settings& settings) {
    auto home = mirror::Database::connect(settings);
    const auto rows =
        home ? home->run(schema::read_keyring()) : mirror::Result<mirror::Rows>(home.error());
    if (!rows) {
        return migration::unusable(rows.error().message);
    }
    std::vector<share::MirrorRow> keyring;
    for (const auto& row : *rows) {
        keyring.push_back(
            {row.at(0),
             static_cast<std::uint32_t>(std::stoul(row.at(1))),
             std::stoull(row.at(2)),
             row.at(3)}
        );
    }
    return keyring;
}

}  // namespace

int rotate_data(const std::string& settings_file, const rotation::Request& request) {
    const auto settings = start(settings_file);
    if (!settings) {
        return kExitConfiguration;
    }
    const auto policy = config::load_policy(settings->policy_path);
    if (!policy) {
        return refuse_to_start(policy.error().message);
    }
    rotation::Request complete = request;
    complete.catalog_ttl_ms = settings->limits.catalog_ttl_ms;
    return rotation::run(
        **policy, [&] { return read_mirror(*settings); }, complete
    );
}

}  // namespace pgveil::proxy
