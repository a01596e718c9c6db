#include "keyshare/core/invariant.hpp"
#include "keyshare/share/data_key.hpp"
#include "keyshare/share/rewrap.hpp"
#include "keyshare/share/tenant_steps.hpp"

#include <algorithm>
#include <utility>

// The tenant's side of renew_shares, renew_tk, new_data_key and retire_data_key.
namespace pgveil::share {
namespace {

Result<UserShares> renew(
    const Enrolment& enrolment,
    const GroupKey* renewed,
    const UserKey& kept,
    std::uint32_t epoch,
    core::RandomSource& random
) {
    if (epoch <= kept.epoch) {
        return Error{ErrorCode::kInvalidArgument, "renewed shares need a higher share epoch"};
    }
    UserShares shares{kept.user_id, epoch, kept.epoch, {}};
    for (const auto& [group, part] : kept.groups) {
        const bool is_renewed = renewed != nullptr && renewed->group == group;
        const GroupKey* known = is_renewed ? renewed : find_group(enrolment, group);
        if (known == nullptr) {
            return Error{ErrorCode::kUnknownGroup, "this tenant has no key group " + group};
        }
        shares.groups.push_back({group, split_keeping(known->key, part, random)});
    }
    return shares;
}

Result<std::string> make_data_key_command(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    Operation operation,
    KeyringRow row,
    CommandTimes times
) {
    if (times.expires_at_s <= times.issued_at_s || times.issued_at_s < 0) {
        return Error{ErrorCode::kInvalidArgument, "a command must expire after it was made"};
    }
    Command command = next_command(enrolment, operation, {});
    command.issued_at_s = times.issued_at_s;
    command.expires_at_s = times.expires_at_s;
    command.wraps.push_back(std::move(row));
    return sign_and_advance(enrolment, identity, command);
}

}  // namespace

Result<UserShares> renew_user(
    const Enrolment& enrolment, const UserKey& kept, std::uint32_t epoch, core::RandomSource& random
) {
    return renew(enrolment, nullptr, kept, epoch, random);
}

Result<UserShares> renew_user(
    const Enrolment& enrolment,
    const GroupKey& renewed,
    const UserKey& kept,
    std::uint32_t epoch,
    core::RandomSource& random
) {
    return renew(enrolment, &renewed, kept, epoch, random);
}

Result<GroupKey> next_key(
    const Enrolment& enrolment, std::string_view group, core::RandomSource& random
) {
    const GroupKey* held = find_group(enrolment, group);
    if (held == nullptr) {
        return Error{
            ErrorCode::kUnknownGroup, "this tenant has no key group " + std::string(group)};
    }
    return GroupKey{held->group, held->tk_epoch + 1, core::random_secret<TenantKey>(random)};
}

RenewedUser renewed_user(const Enrolment& enrolment, const UserShares& shares) {
    RenewedUser user{{shares.user_id, shares.epoch, {}}, {}};
    for (const UserShares::GroupTriple& one : shares.groups) {
        user.renewal.commitments.push_back(commit_group(enrolment, shares, one));
        user.parts.push_back({one.group, one.triple.proxy.duplicate()});
    }
    return user;
}

Result<std::string> make_renew_tk(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    const GroupKey& renewed,
    std::vector<RenewedUser> users,
    CommandTimes times,
    core::RandomSource& random
) {
    const GroupKey* held = find_group(enrolment, renewed.group);
    const bool follows = held != nullptr && renewed.tk_epoch == held->tk_epoch + 1;
    if (!follows || times.expires_at_s <= times.issued_at_s || times.issued_at_s < 0) {
        return Error{
            ErrorCode::kInvalidArgument,
            "a renewed TK is of the next epoch, and a command must expire after it was made"};
    }
    auto rows = rewrapped_rows(
        enrolment.keyring,
        enrolment.tenant,
        {held->group, held->key.duplicate()},
        renewed.key,
        random
    );
    if (!rows.has_value()) {
        return rows.error();
    }
    Command command = next_command(enrolment, Operation::kRenewTk, {});
    command.issued_at_s = times.issued_at_s;
    command.expires_at_s = times.expires_at_s;
    command.command_key_id = enrolment.command_key.key_id;
    command.wraps = *std::move(rows);
    std::ranges::sort(users, {}, [](const RenewedUser& one) -> const std::string& {
        return one.renewal.user_id;
    });
    PartsOfUsers parts;
    for (RenewedUser& one : users) {
        command.users.push_back(std::move(one.renewal));
        parts.push_back(std::move(one.parts));
    }
    command.sealed_parts = seal_parts_of_users(parts, command, enrolment.command_key);
    return sign_and_advance(enrolment, identity, command);
}

Result<std::string> make_new_data_key(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    const NewGroup& key,
    CommandTimes times,
    core::RandomSource& random
) {
    const GroupKey* held = find_group(enrolment, key.name);
    if (held == nullptr) {
        return Error{ErrorCode::kUnknownGroup, "this tenant has no key group " + key.name};
    }
    auto row = next_row(
        enrolment.keyring,
        enrolment.tenant,
        {held->group, held->key.duplicate()},
        key.key_id,
        random
    );
    if (!row.has_value()) {
        return row.error();
    }
    std::string objection = objection_to_next(enrolment.keyring, *row);
    if (!objection.empty()) {
        return Error{ErrorCode::kInvalidArgument, std::move(objection)};
    }
    return make_data_key_command(
        enrolment, identity, Operation::kNewDataKey, *std::move(row), times
    );
}

Result<std::string> make_retire_data_key(
    Enrolment& enrolment, const TenantIdentity& identity, std::string_view group, CommandTimes times
) {
    auto row = successor(enrolment.keyring, group);
    if (!row.has_value()) {
        return row.error();
    }
    return make_data_key_command(
        enrolment, identity, Operation::kRetireDataKey, *std::move(row), times
    );
}

void take_over(Enrolment& enrolment, GroupKey renewed) {
    const auto held = std::ranges::find(enrolment.groups, renewed.group, &GroupKey::group);
    core::invariant(held != enrolment.groups.end(), "a TK that is renewed was there before");
    *held = std::move(renewed);
}

}  // namespace pgveil::share
