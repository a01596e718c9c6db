#include "keyshare/tenant/order_steps.hpp"
#include "keyshare/tenant/orders.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::tenant {

namespace {

/// Why TK of the group cannot be renewed now.
Result<void> require_renewable(const HomeState& state, const std::string& group) {
    if (state.next_key) {
        return user::failed(
            "the renewal of TK of key group " + state.next_key->group +
            " has no receipt yet: send it with `pgveil-tenant pending --apply URL`, or file its "
            "receipt with `pgveil-tenant receipt FILE`"
        );
    }
    const auto& groups = state.enrolment->groups;
    if (std::ranges::find(groups, group, &share::GroupKey::group) == groups.end()) {
        return user::unusable(
            "there is no key group " + group + ": see `pgveil-tenant group list`"
        );
    }
    if (is_being_created(state, group)) {
        return user::failed(
            "the command that makes key group " + group +
            " has no receipt yet: send it with `pgveil-tenant pending --apply URL`"
        );
    }
    return require_keys_settled(state, group);
}

/// Whether the user will have shares of the group when the command comes to P. A user whose
/// withdrawal is on its way will not.
Result<bool> has_it(const HomeState& state, const UserRecord& user, const std::string& group) {
    const auto names_it = [&](const std::vector<std::string>& groups) {
        return std::ranges::find(groups, group) != groups.end();
    };
    if (!names_it(user.groups) && !names_it(groups_of(user.former_key.reveal()))) {
        return false;
    }
    const CommandRecord* last = state.last_command(user.user_id);
    if (last != nullptr && last->fate == Fate::kPending) {
        return last->operation == share::Operation::kWithdrawUser ? Result<bool>(false)
                                                                  : waits_for_receipt(user.user_id);
    }
    return state.is_active(user.user_id);
}

/// One user's part of it: the kept TKu stays as it is.
Result<share::RenewedUser> renew_one_under(
    const HomeState& state,
    const share::GroupKey& renewed,
    UserRecord& user,
    core::RandomSource& random
) {
    const auto kept = share::parse_user_key(user.user_key.reveal());
    if (!kept) {
        return user::failed(kept.error().message);
    }
    const auto shares = share::renew_user(*state.enrolment, renewed, *kept, user.epoch + 1, random);
    if (!shares) {
        return user::failed(shares.error().message);
    }
    user.epoch = shares->epoch;
    user.app_share = share::serialize(share::app_share_of(*shares, *state.enrolment));
    return share::renewed_user(*state.enrolment, *shares);
}

bool holds_as_ordered(const share::Keyring& keyring, const share::KeyringRow& ordered) {
    const share::KeyringRow* held = keyring.find(ordered.group, ordered.key_id);
    return held != nullptr && held->tk_epoch == ordered.tk_epoch && held->wrap == ordered.wrap &&
           held->key_check == ordered.key_check && held->zero == ordered.zero;
}

}  // namespace

Result<void> require_settled(const HomeState& state, const std::vector<std::string>& groups) {
    return is_renewed(state, groups) ? require_renewable(state, state.next_key->group)
                                     : Result<void>();
}

Result<std::size_t> renew_tk(
    HomeState& state,
    const std::string& group,
    share::CommandTimes times,
    core::RandomSource& random
) {
    if (auto settled = require_reconciled(state); !settled) {
        return settled.error();
    }
    if (auto fits = require_renewable(state, group); !fits) {
        return fits.error();
    }
    auto renewed = share::next_key(*state.enrolment, group, random);
    if (!renewed) {
        return user::failed(renewed.error().message);
    }
    std::vector<share::RenewedUser> users;
    for (UserRecord& user : state.users) {
        const auto takes_part = has_it(state, user, group);
        if (!takes_part) {
            return takes_part.error();
        }
        if (!*takes_part) {
            continue;
        }
        auto one = renew_one_under(state, *renewed, user, random);
        if (!one) {
            return one.error();
        }
        users.push_back(std::move(*one));
    }
    const std::size_t count = users.size();
    auto command = share::make_renew_tk(
        *state.enrolment, state.identity, *renewed, std::move(users), times, random
    );
    if (!command) {
        return user::failed(command.error().message);
    }
    state.next_key = std::move(*renewed);
    append_command(state, share::Operation::kRenewTk, {}, times.issued_at_s, std::move(*command));
    return count;
}

std::vector<const UserRecord*> users_of_renewed_tk(const HomeState& state) {
    std::vector<const UserRecord*> users;
    for (const CommandRecord* command : pending(state)) {
        const auto known = command->operation == share::Operation::kRenewTk
                               ? read_command(state, *command)
                               : std::nullopt;
        if (!known) {
            continue;
        }
        for (const share::UserRenewal& one : known->users) {
            users.push_back(state.find_user(one.user_id));
        }
    }
    return users;
}

Result<void> settle_tk(HomeState& state, const CommandRecord& command) {
    const auto ordered = read_command(state, command);
    if (!ordered || !state.next_key) {
        return user::failed("a command of this home does not read: is it of another version?");
    }
    for (const share::UserRenewal& one : ordered->users) {
        if (UserRecord* user = state.find_user(one.user_id)) {
            user->app_share.wipe();  // A has it, or it was never in force
        }
    }
    share::GroupKey renewed = std::move(*state.next_key);
    state.next_key.reset();
    if (command.fate != Fate::kApplied) {
        return {};
    }
    const bool is_as_ordered = std::ranges::all_of(ordered->wraps, [&](const auto& row) {
        return holds_as_ordered(state.enrolment->keyring, row);
    });
    if (!is_as_ordered) {
        return user::failed(
            "the proxy's keyring does not hold the keys of key group " + renewed.group +
            " as this home wrapped them: ask whoever runs the proxy"
        );
    }
    share::take_over(*state.enrolment, std::move(renewed));
    return {};
}

}  // namespace pgveil::tenant
