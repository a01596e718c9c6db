#pragma once

#include "config/settings.hpp"
#include "proxy/alarm/watch.hpp"

#include <memory>

namespace pgveil::proxy {

/// The alarms of the running proxy: raised into the log, and to the webhook of the settings, if
/// there is one.
std::unique_ptr<alarm::Watch> start_alarms(const config::Settings& settings);

}  // namespace pgveil::proxy
