#pragma once

#include "config/settings.hpp"
#include "proxy/mirror/keyring_mirror.hpp"
#include "proxy/session/service.hpp"
#include "proxy/version_watch.hpp"

#include <cstdint>
#include <string>

namespace pgveil::proxy {

/// Looks after the share store of a running proxy: its upkeep, its keyring in the home database,
/// and the version that is noted there. Blocks for the time of a connection when there is something
/// to write. `service` outlives it. Main thread.
class CustodyWatch {
public:
    explicit CustodyWatch(session::Service& service) : service_(&service) {}

    /// At the start. A store that is older than the one that last ran is not served.
    mirror::Result<void> check_version(const config::Settings& settings);

    /// At the start, before anybody can connect: no client meets a proxy that knows its shares and
    /// cannot serve them yet.
    mirror::Result<void> publish(const config::Settings& settings);

    /// Often. Trouble goes to the log, and is tried again later.
    void look(const config::Settings& settings, std::int64_t now_s);

private:
    void report(const std::string& trouble);
    bool must_publish() const;
    void mirror(const config::Settings& settings, std::int64_t now_s);

    session::Service* service_;
    VersionWatch versions_;
    std::int64_t maintained_s_ = 0;
    std::string trouble_;
    std::int64_t mirror_tried_s_ = 0;
};

}  // namespace pgveil::proxy
