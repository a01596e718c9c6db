#pragma once

#include "keyshare/user/error.hpp"
#include "keyshare/user/terminal.hpp"

#include <functional>

namespace CLI {
class App;
}

namespace pgveil::custodian {

/// What the command line asked for.
using GroupAction = std::function<user::Result<void>(const user::Console&)>;

/// Adds `group create | list | show | shred` to the program; `action` is set
/// when the line that is parsed is one of them, and outlives the parsing.
void add_group_commands(CLI::App& app, GroupAction& action);

}  // namespace pgveil::custodian
