#include "proxy/relay/server_settings.hpp"

#include "sql/types/text.hpp"

namespace pgveil::relay {

ServerSettings::ServerSettings(const types::TimeZoneSource& zones) : zones_(&zones) {
    style_.zones = zones_;
}

void ServerSettings::set(std::string_view name, std::string_view value) {
    if (name == "client_encoding") {
        client_encoding_ = value;
    } else if (name == "server_encoding") {
        server_encoding_ = value;
    } else if (name == "standard_conforming_strings") {
        standard_conforming_strings_ = value == "on";
    } else if (name == "TimeZone") {
        set_time_zone(value);
    } else if (name == "DateStyle") {
        // An unknown style leaves the old one; no released server reports one.
        (void)types::set_date_style(style_, value);
    } else if (name == "IntervalStyle") {
        // Only the four styles exist.
        (void)types::set_interval_style(style_, value);
    } else if (name == "bytea_output") {
        // Only "hex" and "escape" exist.
        (void)types::set_bytea_output(style_, value);
    } else if (name == "extra_float_digits") {
        // Only -15 to 3 exist.
        (void)types::set_extra_float_digits(style_, value);
    } else if (name == "array_nulls") {
        style_.array_nulls = value == "on";
    } else if (name == "server_version") {
        server_major_ =
            types::parse_int32(value.substr(0, value.find_first_not_of("0123456789"))).value_or(0);
    } else if (name == "timezone_abbreviations") {
        has_known_abbreviations_ = value == "Default" || value == "India";
    }
}

std::string_view ServerSettings::misread() const {
    return has_known_abbreviations_ ? "" : "timezone_abbreviations must be Default or India";
}

void ServerSettings::set_time_zone(std::string_view name) {
    own_zone_.reset();
    style_.zone = zones_->find(name);
    if (style_.zone != nullptr) {
        return;
    }
    auto posix = types::TimeZone::parse_posix(name);
    if (posix.has_value()) {
        own_zone_ = std::move(*posix);
        style_.zone = &*own_zone_;
    }
}

}  // namespace pgveil::relay
