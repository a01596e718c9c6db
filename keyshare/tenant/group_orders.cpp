#include "keyshare/share/names.hpp"
#include "keyshare/tenant/order_steps.hpp"
#include "keyshare/tenant/orders.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::tenant {

namespace {

bool is_group_of_tenant(const HomeState& state, std::string_view group) {
    const auto& groups = state.enrolment->groups;
    return std::ranges::find(groups, group, &share::GroupKey::group) != groups.end();
}

}  // namespace

std::uint32_t next_key_id(const HomeState& state) {
    std::uint32_t highest = 0;
    for (const share::KeyringRow& row : state.enrolment->keyring.rows) {
        highest = std::max(highest, row.key_id);
    }
    for (const CommandRecord* command : pending(state)) {
        if (const auto row = new_row_of(state, *command)) {
            highest = std::max(highest, row->key_id);
        }
    }
    return highest + 1;
}

Result<void> grant_group(
    HomeState& state,
    const GroupOfUser& grant,
    share::CommandTimes times,
    core::RandomSource& random
) {
    const auto known = kept_user(state, grant.user_id);
    if (!known) {
        return known.error();
    }
    std::vector<std::string> groups = (*known)->groups;
    if (std::ranges::find(groups, grant.group) != groups.end()) {
        return user::failed(grant.user_id + " has key group " + grant.group + " already");
    }
    if (!is_group_of_tenant(state, grant.group)) {
        return user::unusable(
            "there is no key group " + grant.group + ": see `pgveil-tenant group list`"
        );
    }
    groups.push_back(grant.group);
    return change_triple(state, **known, std::move(groups), times, random);
}

Result<void> revoke_group(
    HomeState& state,
    const GroupOfUser& grant,
    share::CommandTimes times,
    core::RandomSource& random
) {
    const auto known = kept_user(state, grant.user_id);
    if (!known) {
        return known.error();
    }
    std::vector<std::string> groups = (*known)->groups;
    if (std::erase(groups, grant.group) == 0) {
        return user::failed(
            grant.user_id + " does not have key group " + grant.group +
            ": see `pgveil-tenant user show " + grant.user_id + "`"
        );
    }
    if (groups.empty()) {
        return user::failed(
            grant.group + " is the last key group of " + grant.user_id +
            ": take all of the user's shares with `pgveil-tenant user withdraw`"
        );
    }
    return change_triple(state, **known, std::move(groups), times, random);
}

bool is_being_created(const HomeState& state, std::string_view group) {
    return std::ranges::any_of(pending(state), [&](const CommandRecord* command) {
        const auto row = command->operation == share::Operation::kCreateGroup
                             ? new_row_of(state, *command)
                             : std::nullopt;
        return row && row->group == group;
    });
}

Result<void> create_group(
    HomeState& state, const std::string& name, share::CommandTimes times, core::RandomSource& random
) {
    if (auto settled = require_reconciled(state); !settled) {
        return settled;
    }
    if (!share::is_group_name(name)) {
        return user::unusable(
            "a key group's name begins with a-z and has up to 63 of a-z 0-9 _: choose another"
        );
    }
    if (is_group_of_tenant(state, name)) {
        return user::failed(
            "there is a key group " + name + " already: see `pgveil-tenant group list`"
        );
    }
    if (state.enrolment->groups.size() >= share::kGroupsMax) {
        return user::failed(
            "this tenant has " + std::to_string(share::kGroupsMax) +
            " key groups, and there cannot be more"
        );
    }
    auto command = share::make_create_group(
        *state.enrolment, state.identity, {name, next_key_id(state)}, times, random
    );
    if (!command) {
        return user::failed(command.error().message);
    }
    append_command(
        state, share::Operation::kCreateGroup, {}, times.issued_at_s, std::move(*command)
    );
    return {};
}

}  // namespace pgveil::tenant
