#pragma once

#include "config/settings.hpp"
#include "keyshare/store/proxy_custody.hpp"
#include "proxy/mirror/version_note.hpp"

#include <cstdint>
#include <string>

namespace pgveil::proxy {

/// What is missing in a store at `found`, where `noted` was known: one sentence for people.
std::string missing_commands(const mirror::VersionNote& found, const mirror::VersionNote& noted);

/// Keeps the share store's version in the home database, and refuses a store that is older than
/// what stands there. Blocks for the time of a connection when there is something to write. Nothing
/// is noted before the bootstrap is closed. Main thread.
class VersionWatch {
public:
    /// At the start, before anybody is served. The error is for people.
    mirror::Result<void> check(
        const config::Settings& settings, const store::CustodyReport& report
    );

    /// Often: writes the version down if it has risen; tries again later if that fails.
    void keep(
        const config::Settings& settings, const store::CustodyReport& report, std::int64_t now_s
    );

private:
    mirror::VersionNote noted_;
    std::int64_t tried_s_ = 0;
};

}  // namespace pgveil::proxy
