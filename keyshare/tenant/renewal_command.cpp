#include "keyshare/core/random.hpp"
#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/delivery.hpp"
#include "keyshare/tenant/handouts.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/tenant/orders.hpp"
#include "keyshare/user/fresh_token.hpp"

#include <algorithm>

namespace pgveil::tenant {

namespace {

constexpr std::int64_t kSecondsPerDay = 86400;

/// Orders the renewal of everybody and saves it, before any file is written.
Result<void> order_renewal(Home& home, const RenewalArguments& arguments) {
    std::vector<std::string> files;
    for (const UserRecord& user : home.state().users) {
        if (home.state().is_active(user.user_id)) {
            files.push_back(handout_names(arguments.out, user.user_id).app);
        }
    }
    if (files.empty()) {
        return user::failed("no user has shares in force: there is nothing to renew");
    }
    if (auto free = require_free(files); !free) {
        return free;
    }
    const std::int64_t now_s = user::seconds_now();
    const auto renewed = renew_shares(
        home.state(), {now_s, now_s + arguments.valid_days * kSecondsPerDay}, core::system_random()
    );
    return renewed ? home.save() : renewed.error();
}

/// Files that are there already are of somebody else, or of an order that has its receipt.
Result<void> require_free_of_users(
    const HomeState& state, const std::string& group, const std::string& out
) {
    std::vector<std::string> files;
    for (const UserRecord& user : state.users) {
        const bool has_group = std::ranges::find(user.groups, group) != user.groups.end();
        if (has_group && state.is_active(user.user_id)) {
            files.push_back(handout_names(out, user.user_id).app);
        }
    }
    return require_free(files);
}

/// Orders another TK and saves it, before any file is written.
Result<void> order_tk(Home& home, const TkRenewalArguments& arguments) {
    const RenewalArguments& to = arguments.renewal;
    if (auto free = require_free_of_users(home.state(), arguments.group, to.out); !free) {
        return free;
    }
    const std::int64_t now_s = user::seconds_now();
    const auto renewed = renew_tk(
        home.state(),
        arguments.group,
        {now_s, now_s + to.valid_days * kSecondsPerDay},
        core::system_random()
    );
    return renewed ? home.save() : renewed.error();
}

void say_apps(const Context& context, std::size_t count, const std::string& out) {
    context.console.note(
        "wrote " + std::to_string(count) + " application shares to " + out +
        ": for the application only"
    );
}

}  // namespace

Result<void> renew_tk_of_group(const Context& context, const TkRenewalArguments& arguments) {
    const RenewalArguments& to = arguments.renewal;
    auto home = open_attested(context);
    if (!home) {
        return home.error();
    }
    if (auto made = make_out_directory(to.out); !made) {
        return made;
    }
    if (is_renewed(home->state(), {arguments.group})) {
        context.console.note(
            "the renewal of TK of key group " + arguments.group +
            " was ordered before and has no receipt: handing out the same shares"
        );
    } else if (auto ordered = order_tk(*home, arguments); !ordered) {
        return ordered;
    }
    const auto users = users_of_renewed_tk(home->state());
    if (auto written = write_app_files(users, to.out); !written) {
        return written;
    }
    say_apps(context, users.size(), to.out);
    return deliver(*home, context.console, {to.out, to.url});
}

Result<void> renew_shares_of_all(const Context& context, const RenewalArguments& arguments) {
    auto home = open_attested(context);
    if (!home) {
        return home.error();
    }
    if (auto made = make_out_directory(arguments.out); !made) {
        return made;
    }
    if (!renewed_users(home->state()).empty()) {
        context.console.note(
            "a renewal was ordered before and has no receipt: handing out the same shares"
        );
    } else if (auto ordered = order_renewal(*home, arguments); !ordered) {
        return ordered;
    }
    const auto users = renewed_users(home->state());
    if (auto written = write_app_files(users, arguments.out); !written) {
        return written;
    }
    say_apps(context, users.size(), arguments.out);
    return deliver(*home, context.console, {arguments.out, arguments.url});
}

}  // namespace pgveil::tenant
