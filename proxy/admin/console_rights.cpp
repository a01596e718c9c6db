#include "proxy/admin/console_rights.hpp"

#include <algorithm>

namespace pgveil::admin {

namespace {

bool lists(const std::vector<std::string>& names, std::string_view user) {
    return std::find(names.begin(), names.end(), user) != names.end();
}

Rights needed_for(const Command& command) {
    const bool only_looks =
        std::holds_alternative<Show>(command) || std::holds_alternative<NoCommand>(command);
    return only_looks ? Rights::kShow : Rights::kAll;
}

}  // namespace

Rights rights_of(std::string_view user, const config::ConsoleSettings& settings) {
    if (lists(settings.admin_users, user)) {
        return Rights::kAll;
    }
    return lists(settings.stats_users, user) ? Rights::kShow : Rights::kNone;
}

std::string_view name_of(Rights rights) {
    switch (rights) {
        case Rights::kAll: return "admin";
        case Rights::kShow: return "stats";
        case Rights::kNone: break;
    }
    return "client";
}

std::optional<CommandError> objection_to(
    const Command& command, std::string_view user, const config::ConsoleSettings& settings
) {
    const Rights rights = rights_of(user, settings);
    const Rights needed = needed_for(command);
    if (rights >= needed) {
        return std::nullopt;
    }
    return CommandError(
        "42501",
        needed == Rights::kAll ? std::string(tag_of(command)) + " is for admin users only"
                               : "the admin console is for admin users and stats users only",
        "Names of admin users stand in \"admin_users\" of the proxy's settings, those who may use "
        "SHOW in \"stats_users\"."
    );
}

}  // namespace pgveil::admin
