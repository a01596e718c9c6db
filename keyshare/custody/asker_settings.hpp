#pragma once

#include "keyshare/core/p256.hpp"
#include "keyshare/custody/error.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::custody {

/// A custodian as an asker knows it.
struct Custodian {
    std::string name;
    std::string url;             ///< https://HOST:PORT, without a path
    core::PublicPoint identity;  ///< what it signs its member keys with; pinned
};

/// Files in PEM: whom to believe, and how to say who asks.
struct TlsFiles {
    std::string ca;
    std::string certificate;
    std::string key;
};

/// What somebody needs to reach custodians. A value.
struct AskerSettings {
    std::vector<Custodian> custodians;
    TlsFiles tls;
};

/// {"custodians": [{"name", "url", "identity"}], "tls": {"ca", "certificate", "key"}}, as JSON with
/// comments. Paths are relative to the folder of `file`. kSettings, naming file and member, for
/// unknown or missing members, names or URLs that stand there twice, and URLs that are not HTTPS.
Result<AskerSettings> parse_asker_settings(const std::string& file, std::string_view text);
Result<AskerSettings> load_asker_settings(const std::string& file);

/// A key as settings and command lines have it: base64url of the compressed point (SEC 1).
Result<core::PublicPoint> parse_identity(std::string_view text);
std::string identity_text(const core::PublicPoint& identity);

/// The name that custodians know the asker by: the common name of the certificate, else the first
/// e-mail address or DNS name among its alternative names.
Result<std::string> requester_of(const std::string& certificate_file);

/// The content of a small file (at most 1 MiB); kSettings if it cannot be read.
Result<std::string> read_file(const std::string& file);

}  // namespace pgveil::custody
