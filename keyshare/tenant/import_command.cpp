#include "keyshare/core/random.hpp"
#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/delivery.hpp"
#include "keyshare/tenant/handouts.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/tenant/orders.hpp"
#include "keyshare/tenant/user_list.hpp"
#include "keyshare/user/fresh_token.hpp"
#include "keyshare/user/private_file.hpp"

namespace pgveil::tenant {

namespace {

using UserIds = std::vector<std::string>;

constexpr std::size_t kListSizeMax = std::size_t{16} * 1024 * 1024;
constexpr std::int64_t kSecondsPerDay = 86400;

Result<UserIds> listed_users(const std::string& file) {
    const auto text = user::read_public_file(file, kListSizeMax);
    if (!text) {
        return text.error();
    }
    auto user_ids = read_user_list(*text, file);
    if (user_ids && user_ids->empty()) {
        return user::unusable(file + " lists no user: write one user id a line");
    }
    return user_ids;
}

/// Those whose add_user was not ordered before, or has its receipt.
UserIds not_yet_ordered(const HomeState& state, const UserIds& user_ids) {
    UserIds fresh;
    for (const std::string& user_id : user_ids) {
        const CommandRecord* last = state.last_command(user_id);
        const bool waits = last != nullptr && last->fate == Fate::kPending &&
                           last->operation == share::Operation::kAddUser;
        if (!waits) {
            fresh.push_back(user_id);
        }
    }
    return fresh;
}

/// All of them in one save, before any file is written.
Result<void> order_users(Home& home, const UserIds& user_ids, const HandoutArguments& arguments) {
    UserIds files;
    for (const std::string& user_id : user_ids) {
        const HandoutNames names = handout_names(arguments.out, user_id);
        files.insert(files.end(), {names.user, names.app});
    }
    if (auto free = require_free(files); !free) {
        return free;
    }
    const std::int64_t now_s = user::seconds_now();
    const share::CommandTimes times{now_s, now_s + arguments.valid_days * kSecondsPerDay};
    for (const std::string& user_id : user_ids) {
        const NewUser added{user_id, arguments.groups};
        if (auto ordered = add_user(home.state(), added, times, core::system_random()); !ordered) {
            return ordered;
        }
    }
    return user_ids.empty() ? Result<void>() : home.save();
}

std::vector<const UserRecord*> records_of(const HomeState& state, const UserIds& user_ids) {
    std::vector<const UserRecord*> records;
    for (const std::string& user_id : user_ids) {
        records.push_back(state.find_user(user_id));
    }
    return records;
}

void say(const user::Console& console, std::size_t count, const HandoutArguments& arguments) {
    console.note(
        "wrote " + std::to_string(count) +
        " files UID.user (each for its user only) and UID.app "
        "(for the application only) to " +
        arguments.out
    );
    if (!arguments.has_passphrase) {
        console.note(
            "WARNING: the files UID.user have no passphrase: whoever reads one holds the user's "
            "share"
        );
    }
}

}  // namespace

Result<void> user_import(const Context& context, const HandoutArguments& arguments) {
    const auto user_ids = listed_users(arguments.list);
    if (!user_ids) {
        return user_ids.error();
    }
    auto home = open_enrolled(context);
    if (!home) {
        return home.error();
    }
    if (auto made = make_out_directory(arguments.out); !made) {
        return made;
    }
    const auto passphrase = passphrase_of_all(arguments);
    if (!passphrase) {
        return passphrase.error();
    }
    const UserIds fresh = not_yet_ordered(home->state(), *user_ids);
    if (fresh.size() < user_ids->size()) {
        context.console.note(
            std::to_string(user_ids->size() - fresh.size()) +
            " users were ordered before and have no receipt: handing out the same shares"
        );
    }
    if (auto ordered = order_users(*home, fresh, arguments); !ordered) {
        return ordered;
    }
    const user::UserFileLock lock{.passphrase = passphrase->empty() ? nullptr : &*passphrase};
    const auto written = write_handouts(records_of(home->state(), *user_ids), arguments.out, lock);
    if (!written) {
        return written;
    }
    say(context.console, user_ids->size(), arguments);
    return deliver(*home, context.console, {arguments.out, arguments.url});
}

}  // namespace pgveil::tenant
