#include "keyshare/tenant/commands.hpp"

#include "keyshare/tenant/delivery.hpp"
#include "keyshare/tenant/handouts.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/tenant/orders.hpp"
#include "keyshare/user/fresh_token.hpp"
#include "keyshare/user/private_file.hpp"

#include <string_view>

namespace pgveil::tenant {

namespace {

constexpr std::size_t kReceiptsSizeMax = std::size_t{64} * 1024 * 1024;

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
    std::string text;
    for (const std::string& word : words) {
        text += text.empty() ? "" : separator;
        text += word;
    }
    return text;
}

}  // namespace

Result<void> user_withdraw(
    const Context& context, const std::string& user_id, const Delivery& delivery
) {
    auto home = open_to_send(context, delivery);
    if (!home) {
        return home.error();
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
            std::string(share::name_of(command->operation)) + "\t" +
            subject_of(home->state(), *command) + "\t" + time_text(command->made_at_s) + "\n"
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
            record.user_id + "\t" + status_of(home->state(), record.user_id) + "\tepoch " +
            std::to_string(share_epoch(record)) + "\t" + joined(record.groups, ",") + "\n"
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
                       "\nstatus: " + status_of(home->state(), user_id) +
                       "\nshare epoch: " + std::to_string(share_epoch(*record)) +
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
