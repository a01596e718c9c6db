#pragma once

#include "config/settings.hpp"
#include "proxy/log/line.hpp"

#include <string_view>

// The proxy's log: lines on standard error, as text or as JSON objects, for people and for
// programs. The only includer of spdlog. Any thread.
namespace pgveil::log {

/// From now on the log looks like this; again after a reload. Before the first call: text, level
/// info.
void set_up(const config::LogSettings& settings);

/// `text` holds "{name}" where the value of a field belongs (line.hpp says what may be one).
void error(std::string_view text, Fields fields = {});
void warn(std::string_view text, Fields fields = {});
void info(std::string_view text, Fields fields = {});
void debug(std::string_view text, Fields fields = {});

}  // namespace pgveil::log
