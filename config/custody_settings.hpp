#pragma once

#include "config/error.hpp"

#include <optional>
#include <string>

namespace pgveil::config {

/// The custodians that the store key is sealed to.
struct CustodySettings {
    std::string file;   ///< absolute path: who they are, and the proxy's certificate
    std::string group;  ///< absolute path: the group they made
};

/// "custodians" of the seal in a settings file (Settings::file); nothing if the seal has none. They
/// are needed when a seal is made and at no other time, so no snapshot of settings carries them.
/// The file has to be good settings otherwise, too: parse_settings() looks at the whole.
Result<std::optional<CustodySettings>> load_custody_settings(const std::string& file);

}  // namespace pgveil::config
