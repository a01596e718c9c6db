#pragma once

#include "config/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::config {

/// Another custodian.
struct PeerSettings {
    std::string name;
    std::string url;       // for people
    std::string identity;  // compressed point, base64url; the form is checked, the point is not
};

/// custodian.json after load. A plain value; every path in it is absolute.
struct CustodianSettings {
    std::string name;
    std::string host;
    std::uint16_t port = 7643;
    std::string certificate, key, client_authority;
    std::string store_folder, seal_file;
    std::vector<PeerSettings> peers;
    std::vector<std::string> administrators;
    std::string web_folder;  // empty: none
    std::vector<std::string> web_origins;

    std::string store_file() const { return store_folder + "/custodian.db"; }

    std::string log_file() const { return store_folder + "/log.jsonl"; }
};

/// Reads settings of pgveil-custodian (JSON with comments), as parse_settings does those of pgveil.
Result<CustodianSettings> parse_custodian_settings(std::string_view file, std::string_view text);

/// parse_custodian_settings on the content of a file.
Result<CustodianSettings> load_custodian_settings(const std::string& path);

}  // namespace pgveil::config
