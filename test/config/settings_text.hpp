#pragma once

#include "config/settings.hpp"

#include <string>
#include <string_view>

namespace pgveil::config::testing {

/// Settings with everything required, and `more` behind it.
inline std::string with(
    std::string_view more, std::string_view listen_tls = R"({"mode":"disable"})"
) {
    return R"({"tenant":"clinic","listen":{"tls":)" + std::string(listen_tls) +
           R"(},"upstream":{"host":"db"},"users_file":"users.txt",
              "home":{"database":"d","user":"u"},"store":{"path":"s.db"},
              "seal":{"kind":"file","path":"k"},"policy":"sub/../policy.json")" +
           std::string(more) + "}";
}

/// Empty: it was read.
inline std::string error_of(std::string_view text) {
    const auto settings = parse_settings("/etc/pgveil/pgveil.json", text);
    return settings.has_value() ? "" : settings.error().message;
}

}  // namespace pgveil::config::testing
