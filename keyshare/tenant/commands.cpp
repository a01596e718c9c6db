#include "keyshare/tenant/commands.hpp"

#include "keyshare/core/random.hpp"
#include "keyshare/tenant/bootstrap_run.hpp"
#include "keyshare/tenant/delivery.hpp"
#include "keyshare/tenant/handouts.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/tenant/orders.hpp"
#include "keyshare/user/fresh_token.hpp"
#include "keyshare/user/private_file.hpp"

#include <string_view>

namespace pgveil::tenant {

namespace {

constexpr std::int64_t kSecondsPerDay = 86400;
constexpr std::size_t kReceiptsSizeMax = std::size_t{64} * 1024 * 1024;

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
    std::string text;
    for (const std::string& word : words) {
        text += text.empty() ? "" : separator;
        text += word;
    }
    return text;
}

/// Whether the last order about this user is an add that still waits for its receipt.
bool is_add_pending(const HomeState& state, const std::string& user_id) {
    const CommandRecord* last = state.last_command(user_id);
    return last != nullptr && last->fate == Fate::kPending &&
           last->operation == share::Operation::kAddUser;
}

Result<void> order_user(Home& home, const AddArguments& arguments) {
    const std::int64_t now_s = user::seconds_now();
    const share::CommandTimes times{now_s, now_s + arguments.valid_days * kSecondsPerDay};
    auto ordered =
        add_user(home.state(), {arguments.user_id, arguments.groups}, times, core::system_random());
    if (!ordered) {
        return ordered;
    }
    return home.save();
}

/// The passphrase of the user's file, or nothing for --no-passphrase.
Result<core::SecretBytes> user_passphrase(const AddArguments& arguments) {
    if (!arguments.has_passphrase) {
        return core::SecretBytes();
    }
    return user::read_secret(
        arguments.user_passphrase,
        "passphrase of " + arguments.user_id + ".user",
        user::Asking::kNew
    );
}

void say_handouts(const Context& context, const HandoutNames& names, bool has_passphrase) {
    context.console.note("wrote " + names.user + ": for the user only");
    if (!has_passphrase) {
        context.console.note(
            "WARNING: " + names.user +
            " has no passphrase: whoever reads the file holds the user's share"
        );
    }
    context.console.note("wrote " + names.app + ": for the application only");
}

Result<void> add_and_hand_out(Home& home, const Context& context, const AddArguments& arguments) {
    const HandoutNames names = handout_names(arguments.out, arguments.user_id);
    const bool goes_on = is_add_pending(home.state(), arguments.user_id);
    if (auto free = require_free(names); !goes_on && !free) {
        return free;
    }
    const auto passphrase = user_passphrase(arguments);
    if (!passphrase) {
        return passphrase.error();
    }
    if (goes_on) {
        context.console.note(
            arguments.user_id +
            " was ordered before and has no receipt: handing out the same shares"
        );
    } else if (auto ordered = order_user(home, arguments); !ordered) {
        return ordered;
    }
    const user::UserFileLock lock{.passphrase = passphrase->empty() ? nullptr : &*passphrase};
    const UserRecord* record = home.state().find_user(arguments.user_id);
    if (auto written = write_handouts(*record, names, lock); !written) {
        return written;
    }
    say_handouts(context, names, arguments.has_passphrase);
    return deliver(home, context.console, {arguments.out, arguments.url});
}

}  // namespace

Result<void> user_add(const Context& context, const AddArguments& arguments) {
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
        return made;
    }
    return add_and_hand_out(*home, context, arguments);
}

Result<void> user_withdraw(
    const Context& context, const std::string& user_id, const Delivery& delivery
) {
    if (delivery.out.empty() && delivery.url.empty()) {
        return user::unusable("say where the command goes: --out DIR, --apply URL, or both");
    }
    auto home = open_enrolled(context);
    if (!home) {
        return home.error();
    }
    if (!delivery.out.empty()) {
        if (auto made = make_out_directory(delivery.out); !made) {
            return made;
        }
    }
    auto ordered = withdraw_user(home->state(), user_id, user::seconds_now());
    if (!ordered) {
        return ordered;
    }
    if (auto saved = home->save(); !saved) {
        return saved;
    }
    return deliver(*home, context.console, delivery);
}

Result<void> pending_commands(const Context& context, const Delivery& delivery) {
    auto home = open_enrolled(context);
    if (!home) {
        return home.error();
    }
    const auto commands = pending(home->state());
    for (const CommandRecord* command : commands) {
        context.console.print(
            std::to_string(command->sequence) + "\t" +
            std::string(share::name_of(command->operation)) + "\t" + command->user_id + "\t" +
            time_text(command->made_at_s) + "\n"
        );
    }
    if (commands.empty()) {
        context.console.note("every command has its receipt");
        return {};
    }
    if (!delivery.out.empty()) {
        if (auto made = make_out_directory(delivery.out); !made) {
            return made;
        }
    }
    return deliver(*home, context.console, delivery);
}

Result<void> user_list(const Context& context) {
    const auto home = open_enrolled(context);
    if (!home) {
        return home.error();
    }
    for (const UserRecord& record : home->state().users) {
        context.console.print(
            record.user_id + "\t" + std::string(status_of(home->state(), record.user_id)) +
            "\tepoch " + std::to_string(record.epoch) + "\t" + joined(record.groups, ",") + "\n"
        );
    }
    return {};
}

Result<void> user_show(const Context& context, const std::string& user_id) {
    const auto home = open_enrolled(context);
    if (!home) {
        return home.error();
    }
    const UserRecord* record = home->state().find_user(user_id);
    if (record == nullptr) {
        return user::unusable("there is no user " + user_id + ": see `pgveil-tenant user list`");
    }
    std::string text = "user: " + record->user_id +
                       "\nstatus: " + std::string(status_of(home->state(), user_id)) +
                       "\nshare epoch: " + std::to_string(record->epoch) +
                       "\ngroups: " + joined(record->groups, ", ") + "\n";
    for (const CommandRecord& command : home->state().commands) {
        if (command.user_id == user_id) {
            text += "command " + std::to_string(command.sequence) + ": " +
                    std::string(share::name_of(command.operation)) + ", made " +
                    time_text(command.made_at_s) + ", " + std::string(name_of(command.fate)) +
                    (command.reason.empty() ? "" : ": " + command.reason) + "\n";
        }
    }
    context.console.print(text);
    return {};
}

Result<void> file_receipt_file(const Context& context, const std::string& path) {
    auto home = open_enrolled(context);
    if (!home) {
        return home.error();
    }
    auto text = user::read_public_file(path, kReceiptsSizeMax);
    if (!text) {
        return text.error();
    }
    const std::size_t begin = text->find_first_not_of(" \t\r\n");
    const std::size_t end = text->find_last_not_of(" \t\r\n");
    if (begin == std::string::npos) {
        return user::unusable(path + " is empty: it must hold what the SQL call returned");
    }
    return take_receipts(*home, context.console, text->substr(begin, end + 1 - begin));
}

}  // namespace pgveil::tenant
