#pragma once

#include <cstdint>
#include <string>

namespace pgveil::envelope {

/// Unix seconds.
std::int64_t seconds_now();

/// Name of the account that this process runs as: who asks, where nothing else is said. A claim of
/// the asker's own machine, for logs and policies among people who do not forge it.
std::string login_name();

}  // namespace pgveil::envelope
