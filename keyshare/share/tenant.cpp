#include "keyshare/share/tenant.hpp"

#include "keyshare/core/lp.hpp"
#include "keyshare/share/binary_fields.hpp"
#include "keyshare/share/first_row.hpp"
#include "keyshare/share/hierarchy.hpp"
#include "keyshare/share/names.hpp"
#include "keyshare/share/tenant_steps.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace pgveil::share {
namespace {

constexpr std::string_view kIdentityFormat = "pgveil/1 tenant identity";
constexpr std::string_view kEnrolmentFormat = "pgveil/1 enrolment";

// A signed command that gives P its parts of fresh shares.
Result<std::string> make_shares_command(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    Operation operation,
    const UserShares& shares,
    CommandTimes times
) {
    if (times.expires_at_s <= times.issued_at_s || times.issued_at_s < 0) {
        return Error{ErrorCode::kInvalidArgument, "a command must expire after it was made"};
    }
    Command command = next_command(enrolment, operation, shares.user_id);
    command.epoch = shares.epoch;
    command.issued_at_s = times.issued_at_s;
    command.expires_at_s = times.expires_at_s;
    command.command_key_id = enrolment.command_key.key_id;
    GroupParts<ProxyPart> parts;
    for (const UserShares::GroupTriple& one : shares.groups) {
        command.commitments.push_back(commit_group(enrolment, shares, one));
        parts.push_back({one.group, one.triple.proxy.duplicate()});
    }
    command.sealed_parts = seal_parts(parts, command, enrolment.command_key);
    return sign_and_advance(enrolment, identity, command);
}

Result<std::vector<GroupKey>> read_group_keys(FieldReader& reader) {
    std::vector<GroupKey> groups;
    for (std::uint32_t left = reader.group_count(); left > 0 && !reader.failed(); --left) {
        std::string group = reader.group_name();
        const std::uint32_t epoch = reader.u32();
        groups.push_back({std::move(group), epoch, reader.secret<TenantKey>()});
    }
    return groups;
}

Result<void> check_row(std::string_view tenant, const GroupKey& one, const KeyringRow* row) {
    const TenantKeyPlace place{tenant, one.group, one.tk_epoch};
    const bool fits = row != nullptr && row->tk_epoch == one.tk_epoch &&
                      core::equal_in_constant_time(key_check_of(one.key, place), row->key_check) &&
                      opens_to_zero(zero_key_of(one.key, place), place, row->zero);
    if (!fits) {
        return Error{
            ErrorCode::kForged,
            "the proxy's keyring does not fit the tenant key of group " + one.group};
    }
    const auto data_key = unwrap_data_key(
        wrapping_key_of(one.key, place), {place, row->dek_epoch, row->key_id}, row->wrap
    );
    return data_key.has_value() ? Result<void>() : data_key.error();
}

}  // namespace

const GroupKey* find_group(const Enrolment& enrolment, std::string_view group) {
    const auto found = std::ranges::find(enrolment.groups, group, &GroupKey::group);
    return found == enrolment.groups.end() ? nullptr : &*found;
}

// The place of the next command in the chain.
Command next_command(const Enrolment& enrolment, Operation operation, std::string_view user_id) {
    Command command;
    command.tenant = enrolment.tenant;
    command.operation = operation;
    command.user_id = user_id;
    command.sequence = enrolment.head.sequence + 1;
    command.previous = enrolment.head.hash;
    return command;
}

std::string sign_and_advance(
    Enrolment& enrolment, const TenantIdentity& identity, const Command& command
) {
    std::string jws = sign_command(command, identity.signing);
    const auto hash = core::jws_hash(jws);
    core::invariant(hash.has_value(), "what was just signed is a JWS");
    enrolment.head = {command.sequence, *hash};
    return jws;
}

GroupCommitment commit_group(
    const Enrolment& enrolment, const UserShares& shares, const UserShares::GroupTriple& one
) {
    const SharePlace user{enrolment.tenant, shares.user_id, one.group, shares.user_epoch};
    const SharePlace app{enrolment.tenant, shares.user_id, one.group, shares.epoch};
    return {
        one.group,
        shares.user_epoch,
        commitment_of(one.triple.user, user),
        shares.epoch,
        commitment_of(one.triple.app, app)};
}

TenantIdentity TenantIdentity::generate() {
    return {core::SigningKey::generate(), core::HpkeKeyPair::generate()};
}

core::SecretBytes serialize(const TenantIdentity& identity) {
    FieldWriter writer(kIdentityFormat);
    writer.bytes(identity.signing.scalar().reveal()).bytes(identity.sealing.scalar.reveal());
    return std::move(writer).finish();
}

Result<TenantIdentity> parse_tenant_identity(core::ByteView bytes) {
    FieldReader reader(bytes, kIdentityFormat);
    const auto signing_scalar = reader.secret<core::Scalar>();
    auto sealing_scalar = reader.secret<core::Scalar>();
    if (reader.ok()) {
        auto signing = core::SigningKey::from_scalar(signing_scalar);
        auto sealing = core::HpkeKeyPair::from_scalar(std::move(sealing_scalar));
        if (signing.has_value() && sealing.has_value()) {
            return TenantIdentity{*std::move(signing), *std::move(sealing)};
        }
    }
    return Error{ErrorCode::kMalformed, "not a tenant identity of a version this program knows"};
}

core::SecretBytes serialize(const Enrolment& enrolment) {
    FieldWriter writer(kEnrolmentFormat);
    writer.text(enrolment.tenant).point(enrolment.proxy_identity);
    writer.u32(static_cast<std::uint32_t>(enrolment.groups.size()));
    for (const GroupKey& one : enrolment.groups) {
        writer.text(one.group).u32(one.tk_epoch).bytes(one.key.reveal());
    }
    writer.text(serialize(enrolment.keyring))
        .u32(enrolment.command_key.key_id)
        .point(enrolment.command_key.point)
        .u64(enrolment.head.sequence)
        .bytes(enrolment.head.hash)
        .u64(enrolment.store_version);
    return std::move(writer).finish();
}

Result<Enrolment> parse_enrolment(core::ByteView bytes) {
    FieldReader reader(bytes, kEnrolmentFormat);
    std::string tenant = reader.plain_name();
    const auto identity = reader.point();
    auto groups = read_group_keys(reader);
    auto keyring = parse_keyring(reader.text());
    const std::uint32_t command_key_id = reader.u32();
    const auto command_point = reader.point();
    const ChainHead head{reader.u64(), reader.digest()};
    const std::uint64_t store_version = reader.u64();
    if (!reader.ok() || !groups.has_value() || !keyring.has_value() || !identity ||
        !command_point) {
        return Error{ErrorCode::kMalformed, "not an enrolment of a version this program knows"};
    }
    return Enrolment{
        std::move(tenant),
        *identity,
        *std::move(groups),
        *std::move(keyring),
        {command_key_id, *command_point},
        head,
        store_version};
}

Result<void> check_keys(const Enrolment& enrolment) {
    for (const GroupKey& one : enrolment.groups) {
        const KeyringRow* next = enrolment.keyring.next(one.group);
        auto fits = check_row(enrolment.tenant, one, enrolment.keyring.live(one.group));
        if (fits.has_value() && next != nullptr) {
            fits = check_row(enrolment.tenant, one, next);
        }
        if (!fits.has_value()) {
            return fits;
        }
    }
    return {};
}

Result<void> absorb(Enrolment& enrolment, const Receipt& receipt) {
    if (receipt.sequence > enrolment.head.sequence) {
        return Error{
            ErrorCode::kOutOfOrder,
            "the receipt answers command " + std::to_string(receipt.sequence) +
                ", which this home has not made"};
    }
    if (receipt.store_version < enrolment.store_version) {
        return {};
    }
    if (receipt.keyring.version < enrolment.keyring.version ||
        (receipt.keyring.version == enrolment.keyring.version &&
         receipt.keyring != enrolment.keyring)) {
        return Error{
            ErrorCode::kOutOfOrder,
            "the receipt carries another keyring than the proxy gave before: its store may have "
            "been put back"};
    }
    enrolment.keyring = receipt.keyring;
    enrolment.command_key = receipt.next_command_key;
    enrolment.store_version = receipt.store_version;
    return {};
}

Result<UserShares> make_user(
    const Enrolment& enrolment,
    std::string_view user_id,
    const std::vector<std::string>& groups,
    std::uint32_t epoch,
    core::RandomSource& random
) {
    if (!is_plain_name(user_id) || groups.empty() || epoch == 0) {
        return Error{
            ErrorCode::kInvalidArgument,
            "a user needs an id of 1 to 255 bytes without control characters, and at least one key "
            "group"};
    }
    const std::set<std::string> ordered(groups.begin(), groups.end());
    UserShares shares{std::string(user_id), epoch, epoch, {}};
    for (const std::string& group : ordered) {
        const GroupKey* known = find_group(enrolment, group);
        if (known == nullptr) {
            return Error{ErrorCode::kUnknownGroup, "this tenant has no key group " + group};
        }
        shares.groups.push_back({group, split(known->key, random)});
    }
    return shares;
}

UserKey user_key_of(const UserShares& shares, const Enrolment& enrolment) {
    UserKey key{enrolment.tenant, shares.user_id, shares.user_epoch, enrolment.proxy_identity, {}};
    for (const UserShares::GroupTriple& one : shares.groups) {
        key.groups.push_back({one.group, one.triple.user.duplicate()});
    }
    return key;
}

AppShare app_share_of(const UserShares& shares, const Enrolment& enrolment) {
    AppShare share{enrolment.tenant, shares.user_id, shares.epoch, {}};
    for (const UserShares::GroupTriple& one : shares.groups) {
        share.groups.push_back({one.group, one.triple.app.duplicate()});
    }
    return share;
}

Result<std::string> make_add_user(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    const UserShares& shares,
    CommandTimes times
) {
    return make_shares_command(enrolment, identity, Operation::kAddUser, shares, times);
}

Result<std::string> make_change_key(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    const UserShares& shares,
    CommandTimes times
) {
    return make_shares_command(enrolment, identity, Operation::kChangeKey, shares, times);
}

Result<std::string> make_renew_shares(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    const UserShares& shares,
    CommandTimes times
) {
    return make_shares_command(enrolment, identity, Operation::kRenewShares, shares, times);
}

Result<std::string> make_create_group(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    const NewGroup& group,
    CommandTimes times,
    core::RandomSource& random
) {
    const bool is_free = find_group(enrolment, group.name) == nullptr;
    if (!is_group_name(group.name) || !is_free || enrolment.groups.size() >= kGroupsMax) {
        return Error{
            ErrorCode::kInvalidArgument,
            "a new key group needs a name of its own, [a-z][a-z0-9_]*, and there can be " +
                std::to_string(kGroupsMax)};
    }
    if (times.expires_at_s <= times.issued_at_s || times.issued_at_s < 0 || group.key_id == 0) {
        return Error{
            ErrorCode::kInvalidArgument,
            "a command must expire after it was made, and key ids start at 1"};
    }
    const GroupPart<TenantKey> key{group.name, core::random_secret<TenantKey>(random)};
    Command command = next_command(enrolment, Operation::kCreateGroup, {});
    command.issued_at_s = times.issued_at_s;
    command.expires_at_s = times.expires_at_s;
    command.wraps.push_back(first_row(enrolment.tenant, key, group.key_id, random));
    enrolment.groups.push_back({group.name, kFirstEpoch, key.part.duplicate()});
    return sign_and_advance(enrolment, identity, command);
}

Result<std::string> make_withdraw_user(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    std::string_view user_id,
    std::int64_t issued_at_s
) {
    if (!is_plain_name(user_id) || issued_at_s < 0) {
        return Error{
            ErrorCode::kInvalidArgument, "the user id or the time of the command is not valid"};
    }
    Command command = next_command(enrolment, Operation::kWithdrawUser, user_id);
    command.issued_at_s = issued_at_s;
    return sign_and_advance(enrolment, identity, command);
}

}  // namespace pgveil::share
