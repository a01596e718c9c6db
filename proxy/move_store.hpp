#pragma once

#include <string>

namespace pgveil::proxy {

/// `pgveil move-store`: moves the share store of the settings in `from_file` to where those in
/// `settings_file` say, of a proxy that is stopped. Returns the exit code; what went wrong stands
/// on standard error.
int move_store(const std::string& settings_file, const std::string& from_file);

}  // namespace pgveil::proxy
