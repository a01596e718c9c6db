#include "proxy/alarm/alarm.hpp"

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

namespace pgveil::alarm {

namespace {

std::string utc_text(std::int64_t unix_s) {
    const auto moment = static_cast<std::time_t>(unix_s);
    std::tm parts{};
    std::array<char, 32> text{};
    gmtime_r(&moment, &parts);
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace

std::string_view name_of(Kind kind) {
    switch (kind) {
        case Kind::kPoison: return "poison";
        case Kind::kFailedOpens: return "failed_opens";
        case Kind::kDenied: break;
    }
    return "denied";
}

std::string json_of(const Alarm& alarm, std::string_view tenant) {
    nlohmann::ordered_json object = {
        {"alarm", name_of(alarm.kind)},
        {"tenant", tenant},
        {"user", alarm.origin.user},
        {"role", alarm.origin.role},
        {"database", alarm.origin.database},
        {"application", alarm.origin.application},
        {"session", alarm.origin.session},
        {"column", alarm.column},
        {"count", alarm.count},
        {"time", utc_text(alarm.at_s)}};
    if (alarm.locked_until_s != 0) {
        object["locked_until"] = utc_text(alarm.locked_until_s);
    }
    return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace pgveil::alarm
