#include "keyshare/core/random.hpp"
#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/delivery.hpp"
#include "keyshare/tenant/handouts.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/tenant/orders.hpp"
#include "keyshare/user/fresh_token.hpp"

#include <algorithm>
#include <functional>

namespace pgveil::tenant {

namespace {

constexpr std::int64_t kSecondsPerDay = 86400;

/// Whether the last order about this user is of this kind and still waits for its receipt.
bool is_waiting(const HomeState& state, share::Operation operation, const std::string& user_id) {
    const CommandRecord* last = state.last_command(user_id);
    return last != nullptr && last->fate == Fate::kPending && last->operation == operation;
}

/// An order about one user's shares, and whether it waits for its receipt already.
struct Order {
    std::function<Result<void>(HomeState&, share::CommandTimes)> make;
    std::function<bool(const HomeState&)> is_made;
};

Result<void> order_shares(HomeState& state, const Order& order, const HandoutArguments& arguments) {
    const std::int64_t now_s = user::seconds_now();
    return order.make(state, {now_s, now_s + arguments.valid_days * kSecondsPerDay});
}

/// Whether the user's newest triple covers the group that is granted or revoked.
bool has_group(const HomeState& state, const HandoutArguments& arguments) {
    const UserRecord* known = state.find_user(arguments.user_id);
    return known != nullptr &&
           std::ranges::find(known->groups, arguments.group) != known->groups.end();
}

/// The passphrase of the user's file, or nothing for --no-passphrase.
Result<core::SecretBytes> user_passphrase(const HandoutArguments& arguments) {
    if (!arguments.has_passphrase) {
        return core::SecretBytes();
    }
    return user::read_secret(
        arguments.user_passphrase,
        "passphrase of " + arguments.user_id + ".user",
        user::Asking::kNew
    );
}

user::UserFileLock lock_of(const core::SecretBytes& passphrase) {
    return {.passphrase = passphrase.empty() ? nullptr : &passphrase};
}

void say_user_file(const Context& context, const HandoutNames& names, bool has_passphrase) {
    context.console.note("wrote " + names.user + ": for the user only");
    if (!has_passphrase) {
        context.console.note(
            "WARNING: " + names.user +
            " has no passphrase: whoever reads the file holds the user's share"
        );
    }
}

/// Orders a fresh triple and hands it out; an order that still waits for its receipt is not made
/// again, its shares are.
Result<void> order_and_hand_out(
    Home& home, const Context& context, const Order& order, const HandoutArguments& arguments
) {
    const HandoutNames names = handout_names(arguments.out, arguments.user_id);
    const bool goes_on = order.is_made(home.state());
    if (goes_on) {
        context.console.note(
            arguments.user_id +
            " was ordered before and has no receipt: handing out the same shares"
        );
    } else if (auto ordered = order_shares(home.state(), order, arguments); !ordered) {
        return ordered;
    } else if (auto free = require_free({names.user, names.app}); !free) {
        return free;
    }
    const auto passphrase = user_passphrase(arguments);
    if (!passphrase) {
        return passphrase.error();
    }
    if (auto saved = goes_on ? Result<void>() : home.save(); !saved) {
        return saved;
    }
    const UserRecord* record = home.state().find_user(arguments.user_id);
    const auto written = write_handouts({record}, arguments.out, lock_of(*passphrase));
    if (!written) {
        return written;
    }
    say_user_file(context, names, arguments.has_passphrase);
    context.console.note("wrote " + names.app + ": for the application only");
    return deliver(home, context.console, {arguments.out, arguments.url});
}

/// The home and the directory for the files, both usable.
Result<Home> prepare(const Context& context, const HandoutArguments& arguments) {
    if (!is_user_id(arguments.user_id)) {
        return user::unusable(
            "a user id has 1 to 64 characters of A-Z a-z 0-9 . _ @ -: choose another"
        );
    }
    auto home = open_enrolled(context);
    if (!home) {
        return home.error();
    }
    if (auto made = make_out_directory(arguments.out); !made) {
        return made.error();
    }
    return home;
}

Result<void> order_and_hand_out(
    const Context& context, const HandoutArguments& arguments, const Order& order
) {
    auto home = prepare(context, arguments);
    return home ? order_and_hand_out(*home, context, order, arguments) : home.error();
}

}  // namespace

Result<void> user_add(const Context& context, const HandoutArguments& arguments) {
    return order_and_hand_out(
        context,
        arguments,
        {[&](HomeState& state, share::CommandTimes times) {
             const NewUser added{arguments.user_id, arguments.groups};
             return add_user(state, added, times, core::system_random());
         },
         [&](const HomeState& state) {
             return is_waiting(state, share::Operation::kAddUser, arguments.user_id);
         }}
    );
}

Result<void> user_change_key(const Context& context, const HandoutArguments& arguments) {
    return order_and_hand_out(
        context,
        arguments,
        {[&](HomeState& state, share::CommandTimes times) {
             return change_user_key(state, arguments.user_id, times, core::system_random());
         },
         [&](const HomeState& state) {
             return is_waiting(state, share::Operation::kChangeKey, arguments.user_id);
         }}
    );
}

Result<void> group_grant(const Context& context, const HandoutArguments& arguments) {
    return order_and_hand_out(
        context,
        arguments,
        {[&](HomeState& state, share::CommandTimes times) {
             const GroupOfUser grant{arguments.user_id, arguments.group};
             return grant_group(state, grant, times, core::system_random());
         },
         [&](const HomeState& state) {
             return is_waiting(state, share::Operation::kChangeKey, arguments.user_id) &&
                    has_group(state, arguments);
         }}
    );
}

Result<void> group_revoke(const Context& context, const HandoutArguments& arguments) {
    return order_and_hand_out(
        context,
        arguments,
        {[&](HomeState& state, share::CommandTimes times) {
             const GroupOfUser grant{arguments.user_id, arguments.group};
             return revoke_group(state, grant, times, core::system_random());
         },
         [&](const HomeState& state) {
             return is_waiting(state, share::Operation::kChangeKey, arguments.user_id) &&
                    !has_group(state, arguments);
         }}
    );
}

Result<void> user_copy(const Context& context, const HandoutArguments& arguments) {
    const auto home = prepare(context, arguments);
    if (!home) {
        return home.error();
    }
    const auto kept = kept_user(home->state(), arguments.user_id);
    if (!kept) {
        return kept.error();
    }
    const HandoutNames names = handout_names(arguments.out, arguments.user_id);
    if (auto free = require_free({names.user}); !free) {
        return free;
    }
    const auto passphrase = user_passphrase(arguments);
    if (!passphrase) {
        return passphrase.error();
    }
    if (auto written = write_user_file(**kept, names, lock_of(*passphrase)); !written) {
        return written;
    }
    say_user_file(context, names, arguments.has_passphrase);
    return {};
}

}  // namespace pgveil::tenant
