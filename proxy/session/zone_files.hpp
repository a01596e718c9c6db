#pragma once

#include "sql/types/time_zone.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace pgveil::session {

/// Time zones from the machine's zoneinfo folder, each file read once. Any thread.
///
/// A name is tried as it is written, then without regard to case against the names the folder had
/// at construction. Only zones that exist are remembered: names that clients invent cost one failed
/// open each and take no room from real ones.
class ZoneFiles final : public types::TimeZoneSource {
public:
    explicit ZoneFiles(std::string folder = "/usr/share/zoneinfo");

    /// Null also for names above 255 bytes, PostgreSQL's limit. The zone lives as long as this.
    const types::TimeZone* find(std::string_view name) const override;

private:
    using Zones = std::map<std::string, std::unique_ptr<const types::TimeZone>, std::less<>>;

    void index_folder();
    const types::TimeZone* find_as_written(std::string_view name) const;
    const types::TimeZone* known(std::string_view name) const;
    std::unique_ptr<const types::TimeZone> read(std::string_view name) const;

    std::string folder_;
    std::map<std::string, std::string, std::less<>> names_;  ///< in lower case, to as written
    mutable std::mutex mutex_;
    mutable Zones zones_;
};

}  // namespace pgveil::session
