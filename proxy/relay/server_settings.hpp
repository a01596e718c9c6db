#pragma once

#include "sql/types/style.hpp"
#include "sql/types/time_zone.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pgveil::relay {

/// The server's settings that decide how literals are read and values are written, as
/// ParameterStatus reports them. One per session; the style's zone points into this object.
class ServerSettings {
public:
    explicit ServerSettings(const types::TimeZoneSource& zones);
    ServerSettings(const ServerSettings&) = delete;
    ServerSettings& operator=(const ServerSettings&) = delete;
    ServerSettings(ServerSettings&&) = delete;
    ServerSettings& operator=(ServerSettings&&) = delete;
    ~ServerSettings() = default;

    /// A setting as the server reports it (ParameterStatus) or as it was read back. Others than
    /// those that matter are ignored.
    void set(std::string_view name, std::string_view value);

    /// What has to be said of a setting under which constants mean something else than we take them
    /// for: "SAT" or "IST" may be a zone. Empty: all is well.
    std::string_view misread() const;

    const types::TextStyle& style() const { return style_; }

    bool standard_conforming_strings() const { return standard_conforming_strings_; }

    const std::string& client_encoding() const { return client_encoding_; }

    const std::string& server_encoding() const { return server_encoding_; }

    /// Text that clients send is UTF-8 (or bytes that will be checked to be).
    bool is_utf8() const { return client_encoding_ == "UTF8" || client_encoding_ == "SQL_ASCII"; }

    /// 15 for "15.20 (Debian ...)"; 0: not reported.
    int server_major() const { return server_major_; }

private:
    void set_time_zone(std::string_view name);

    const types::TimeZoneSource* zones_;
    std::optional<types::TimeZone> own_zone_;
    types::TextStyle style_;
    bool standard_conforming_strings_ = true;
    bool has_known_abbreviations_ = true;
    int server_major_ = 0;
    std::string client_encoding_ = "UTF8";
    std::string server_encoding_ = "UTF8";
};

}  // namespace pgveil::relay
