#include "keyshare/store/tk_renewal.hpp"

#include "keyshare/share/rewrap.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::store {
namespace {

bool has_group(const User& user, std::string_view group) {
    const auto& held = user.record.commitments;
    return user.record.active &&
           std::ranges::find(held, group, &share::GroupCommitment::group) != held.end();
}

// Why this user's shares cannot become those of the command; empty if they can.
std::string objection_to_user(const CommandContext& context, const share::UserRenewal& renewal) {
    const auto found = context.snapshot.users.find(renewal.user_id);
    if (found == context.snapshot.users.end() || !found->second->record.active) {
        return "it renews the shares of user " + renewal.user_id + ", who has none";
    }
    const UserRecord& known = found->second->record;
    if (renewal.epoch <= known.epoch) {
        return "user " + renewal.user_id + " had share epoch " + std::to_string(known.epoch) +
               " before: new shares need a higher one";
    }
    const bool keeps_user_parts = std::ranges::equal(
        known.commitments,
        renewal.commitments,
        [&](const share::GroupCommitment& held, const share::GroupCommitment& given) {
            return held.group == given.group && held.user_epoch == given.user_epoch &&
                   held.user == given.user && given.app_epoch == renewal.epoch;
        }
    );
    return keeps_user_parts ? std::string()
                            : "renew_tk keeps the share that user " + renewal.user_id +
                                  " holds, and this one is of another: was it made from an older "
                                  "home?";
}

std::string objection_to_users(const CommandContext& context, const share::Command& command) {
    for (const share::UserRenewal& renewal : command.users) {
        std::string objection = objection_to_user(context, renewal);
        if (!objection.empty()) {
            return objection;
        }
    }
    const std::string& group = command.wraps.front().group;
    for (const auto& [user_id, user] : context.snapshot.users) {
        const bool is_renewed =
            std::ranges::binary_search(command.users, user_id, {}, &share::UserRenewal::user_id);
        if (has_group(*user, group) && !is_renewed) {
            return std::string("it leaves out user ")
                .append(user_id)
                .append(", who has key group ")
                .append(group);
        }
    }
    return {};
}

}  // namespace

Result<std::vector<UserChange>> renewed_users(
    const CommandContext& context, const share::Command& command
) {
    std::string objection = share::objection_to_rewrap(context.state.keyring, command.wraps);
    if (objection.empty()) {
        objection = objection_to_users(context, command);
    }
    if (!objection.empty()) {
        return Error{ErrorCode::kRefused, std::move(objection)};
    }
    const CommandKey* key = find_command_key(context.state, command.command_key_id);
    if (key == nullptr) {
        return command_key_destroyed();
    }
    auto parts = share::open_parts_of_users(command, *key->pair);
    if (!parts.has_value()) {
        return Error{ErrorCode::kRefused, parts.error().message};
    }
    std::vector<UserChange> users;
    for (std::size_t at = 0; at < command.users.size(); ++at) {
        const share::UserRenewal& renewal = command.users[at];
        users.push_back(
            {renewal.user_id,
             {true, renewal.epoch, context.now_s, renewal.commitments},
             std::move((*parts)[at]),
             {}}
        );
    }
    return users;
}

}  // namespace pgveil::store
