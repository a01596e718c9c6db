#include "keyshare/share/command.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/share/data_key.hpp"
#include "keyshare/share/first_row.hpp"
#include "keyshare/share/json_fields.hpp"
#include "keyshare/share/keyring_json.hpp"
#include "keyshare/share/names.hpp"
#include "keyshare/share/rewrap.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pgveil::share {
namespace {

constexpr std::string_view kType = "pgveil-command";
constexpr char kSeparator = ',';

struct OperationName {
    Operation operation;
    std::string_view name;
};

constexpr std::array kOperations{
    OperationName{Operation::kAddUser, "add_user"},
    OperationName{Operation::kChangeKey, "change_key"},
    OperationName{Operation::kRenewShares, "renew_shares"},
    OperationName{Operation::kWithdrawUser, "withdraw_user"},
    OperationName{Operation::kCreateGroup, "create_group"},
    OperationName{Operation::kRenewTk, "renew_tk"},
    OperationName{Operation::kNewDataKey, "new_data_key"},
    OperationName{Operation::kRetireDataKey, "retire_data_key"}};

Json commitment_to_json(const GroupCommitment& one) {
    return Json{
        {"group", one.group},
        {"user_epoch", one.user_epoch},
        {"user", json_digest(one.user)},
        {"app_epoch", one.app_epoch},
        {"app", json_digest(one.app)}};
}

std::vector<GroupCommitment> commitments_from_json(JsonReader& reader) {
    std::vector<GroupCommitment> commitments;
    for (const Json& value : reader.part("commitments")) {
        JsonReader one(value);
        commitments.push_back(
            {one.group_name("group"),
             one.u32("user_epoch"),
             one.digest("user"),
             one.u32("app_epoch"),
             one.digest("app")}
        );
        if (!one.ok()) {
            reader.fail();
        }
    }
    return commitments;
}

std::vector<KeyringRow> wraps_from_json(JsonReader& reader) {
    std::vector<KeyringRow> wraps;
    for (const Json& value : reader.part("wraps")) {
        auto row = row_from_json(value);
        if (!row.has_value()) {
            reader.fail();
            break;
        }
        wraps.push_back(*std::move(row));
    }
    return wraps;
}

Json commitments_to_json(const std::vector<GroupCommitment>& commitments) {
    Json out = Json::array();
    for (const GroupCommitment& one : commitments) {
        out.push_back(commitment_to_json(one));
    }
    return out;
}

Json users_to_json(const std::vector<UserRenewal>& users) {
    Json out = Json::array();
    for (const UserRenewal& one : users) {
        out.push_back(Json{
            {"uid", one.user_id},
            {"epoch", one.epoch},
            {"commitments", commitments_to_json(one.commitments)}});
    }
    return out;
}

std::vector<UserRenewal> users_from_json(JsonReader& reader) {
    std::vector<UserRenewal> users;
    for (const Json& value : reader.part("users")) {
        JsonReader one(value);
        UserRenewal user{one.plain_name("uid"), one.u32("epoch"), commitments_from_json(one)};
        if (!one.ok()) {
            reader.fail();
            break;
        }
        users.push_back(std::move(user));
    }
    return users;
}

/// Names of the groups that the command is about.
Json groups_to_json(const Command& command) {
    Json groups = Json::array();
    for (const GroupCommitment& one : command.commitments) {
        groups.push_back(one.group);
    }
    if (!command.wraps.empty()) {
        groups.push_back(command.wraps.front().group);
    }
    return groups;
}

std::string payload_of(const Command& command) {
    Json payload{
        {"tenant", command.tenant},
        {"op", name_of(command.operation)},
        {"uid", command.user_id},
        {"groups", groups_to_json(command)},
        {"epoch", command.epoch},
        {"seq", command.sequence},
        {"prev", json_digest(command.previous)},
        {"iat", command.issued_at_s},
        {"exp", command.expires_at_s},
        {"command_key", command.command_key_id},
        {"sealed", json_bytes(command.sealed_parts)},
        {"commitments", commitments_to_json(command.commitments)}};
    if (brings_rows(command.operation)) {
        Json& wraps = payload["wraps"] = Json::array();
        for (const KeyringRow& row : command.wraps) {
            wraps.push_back(row_to_json(row));
        }
    }
    if (command.operation == Operation::kRenewTk) {
        payload["users"] = users_to_json(command.users);
    }
    return write_json(payload);
}

Command read_fields(JsonReader& reader, Operation operation) {
    Command command;
    command.tenant = reader.plain_name("tenant");
    command.operation = operation;
    command.user_id = brings_rows(operation) ? reader.text("uid") : reader.plain_name("uid");
    command.epoch = reader.u32("epoch");
    command.sequence = reader.u64("seq");
    command.previous = reader.digest("prev");
    command.issued_at_s = reader.time("iat");
    command.expires_at_s = reader.time("exp");
    command.command_key_id = reader.u32("command_key");
    command.sealed_parts = reader.bytes("sealed");
    command.commitments = commitments_from_json(reader);
    if (brings_rows(operation)) {
        command.wraps = wraps_from_json(reader);
    }
    if (operation == Operation::kRenewTk) {
        command.users = users_from_json(reader);
    }
    return command;
}

bool ascending(const std::vector<GroupCommitment>& commitments) {
    for (std::size_t at = 1; at < commitments.size(); ++at) {
        if (commitments[at - 1].group >= commitments[at].group) {
            return false;
        }
    }
    return true;
}

bool carries_no_parts(const Command& command) {
    return command.epoch == 0 && command.command_key_id == 0 && command.sealed_parts.empty() &&
           command.commitments.empty();
}

bool gives_shares(std::uint32_t epoch, const std::vector<GroupCommitment>& commitments) {
    return epoch >= 1 && !commitments.empty() && commitments.size() <= kGroupsMax &&
           ascending(commitments);
}

bool are_users_of(const std::vector<UserRenewal>& users, std::string_view group) {
    for (std::size_t at = 1; at < users.size(); ++at) {
        if (users[at - 1].user_id >= users[at].user_id) {
            return false;
        }
    }
    return std::ranges::all_of(users, [&](const UserRenewal& one) {
        const auto& held = one.commitments;
        return gives_shares(one.epoch, held) &&
               std::ranges::find(held, group, &GroupCommitment::group) != held.end();
    });
}

bool brings_one_row(const Command& command) {
    return carries_no_parts(command) && command.user_id.empty() &&
           command.expires_at_s > command.issued_at_s && command.wraps.size() == 1;
}

// What each operation must carry and must leave empty.
bool fits_operation(const Command& command) {
    switch (command.operation) {
        case Operation::kAddUser:
        case Operation::kChangeKey:
        case Operation::kRenewShares:
            return command.expires_at_s > command.issued_at_s && !command.sealed_parts.empty() &&
                   gives_shares(command.epoch, command.commitments);
        case Operation::kWithdrawUser:
            return carries_no_parts(command) && command.expires_at_s == 0;
        case Operation::kCreateGroup:
            return brings_one_row(command) && has_first_row_form(command.wraps.front());
        case Operation::kNewDataKey:
            return brings_one_row(command) &&
                   has_later_row_form(command.wraps.front(), KeyState::kNext);
        case Operation::kRetireDataKey:
            return brings_one_row(command) &&
                   has_later_row_form(command.wraps.front(), KeyState::kLive);
        case Operation::kRenewTk:
            return command.user_id.empty() && command.epoch == 0 && command.commitments.empty() &&
                   command.expires_at_s > command.issued_at_s && !command.sealed_parts.empty() &&
                   has_rewrapped_form(command.wraps) &&
                   are_users_of(command.users, command.wraps.front().group);
    }
    return false;
}

Result<Command> parse(std::string_view payload) {
    JsonReader reader(payload);
    const std::string name = reader.text("op");
    if (!reader.ok()) {
        return Error{ErrorCode::kMalformed, "the command has a form this program does not know"};
    }
    const auto operation = operation_named(name);
    if (!operation) {
        return Error{
            ErrorCode::kUnsupported,
            "this version does not know the command \"" + name + "\": update the proxy first"};
    }
    Command command = read_fields(reader, *operation);
    if (!reader.ok() || command.sequence == 0 || !fits_operation(command) ||
        payload_of(command) != payload) {
        return Error{ErrorCode::kMalformed, "the command has a form this program does not know"};
    }
    return command;
}

}  // namespace

std::string_view name_of(Operation operation) {
    for (const OperationName& one : kOperations) {
        if (one.operation == operation) {
            return one.name;
        }
    }
    core::invariant(false, "every operation has a name");
    return {};
}

std::optional<Operation> operation_named(std::string_view name) {
    for (const OperationName& one : kOperations) {
        if (one.name == name) {
            return one.operation;
        }
    }
    return std::nullopt;
}

bool brings_rows(Operation operation) {
    switch (operation) {
        case Operation::kCreateGroup:
        case Operation::kRenewTk:
        case Operation::kNewDataKey:
        case Operation::kRetireDataKey: return true;
        case Operation::kAddUser:
        case Operation::kChangeKey:
        case Operation::kRenewShares:
        case Operation::kWithdrawUser: return false;
    }
    return false;
}

bool makes_shares(Operation operation) {
    return operation != Operation::kWithdrawUser && !brings_rows(operation);
}

std::string sign_command(const Command& command, const core::SigningKey& tenant_key) {
    core::invariant(
        command.sequence > 0 && fits_operation(command),
        "a command carries what its operation needs"
    );
    return core::sign_jws(tenant_key, kType, core::as_bytes(payload_of(command)));
}

Result<Command> verify_command(
    std::string_view jws, const core::VerifyingKey& tenant_key, std::string_view tenant
) {
    const auto payload = core::verify_jws(tenant_key, kType, jws);
    if (!payload.has_value()) {
        return Error{
            ErrorCode::kForged,
            "the command does not carry the signature of this proxy's tenant: it was altered, cut, "
            "or made by "
            "another tenant"};
    }
    auto command = parse(core::as_text(*payload));
    if (command.has_value() && command->tenant != tenant) {
        return Error{ErrorCode::kForeign, "the command is for tenant " + command->tenant};
    }
    return command;
}

Result<std::vector<std::string_view>> split_commands(std::string_view argument) {
    std::vector<std::string_view> commands;
    for (;;) {
        const std::size_t end = argument.find(kSeparator);
        const std::string_view one = argument.substr(0, end);
        if (one.empty() || commands.size() == kCommandsMax) {
            return Error{
                ErrorCode::kMalformed,
                "the command argument must hold 1 to 1000 signed commands, separated by one comma "
                "each"};
        }
        commands.push_back(one);
        if (end == std::string_view::npos) {
            return commands;
        }
        argument.remove_prefix(end + 1);
    }
}

std::string join_commands(const std::vector<std::string>& commands) {
    std::string joined;
    for (const std::string& one : commands) {
        if (!joined.empty()) {
            joined += kSeparator;
        }
        joined += one;
    }
    return joined;
}

}  // namespace pgveil::share
