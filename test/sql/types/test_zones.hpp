#pragma once

#include "sql/types/time_zone.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace pgveil::types {

/// The TZif files beside this test, so that no test depends on the machine's tzdata.
class TestZones : public TimeZoneSource {
public:
    TestZones();

    const TimeZone* find(std::string_view name) const override;

private:
    std::map<std::string, TimeZone> by_lower_name_;
};

}  // namespace pgveil::types
