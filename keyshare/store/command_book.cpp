#include "keyshare/store/command_book.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/share/data_key.hpp"
#include "keyshare/share/rewrap.hpp"
#include "keyshare/store/tk_renewal.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::store {
namespace {

using share::Command;
using share::Outcome;

// What came of it, before it is written down.
struct Judgement {
    Outcome outcome;
    std::string reason;
    std::vector<UserChange> users;
    bool forgets;
    std::optional<share::Keyring> keyring = {};  // the next one
};

Judgement refuse(std::string reason) {
    return {Outcome::kRefused, std::move(reason), {}, false};
}

Judgement change(UserChange user, bool forgets) {
    Judgement judgement{Outcome::kApplied, {}, {}, forgets};
    judgement.users.push_back(std::move(user));
    return judgement;
}

const User* find_user(const CommandContext& context, const Command& command) {
    const auto found = context.snapshot.users.find(command.user_id);
    return found == context.snapshot.users.end() ? nullptr : found->second.get();
}

Result<share::GroupParts<share::ProxyPart>> open_parts(
    const CommandContext& context, const Command& command
) {
    const CommandKey* key = find_command_key(context.state, command.command_key_id);
    if (key == nullptr) {
        return command_key_destroyed();
    }
    auto parts = share::open_parts(command, *key->pair);
    if (!parts.has_value()) {
        return Error{ErrorCode::kRefused, parts.error().message};
    }
    return *std::move(parts);
}

// Why the user cannot be added, as far as the user goes; empty if he can.
std::string objection_to_add(const User* known, const Command& command) {
    return known != nullptr && known->record.active ? "user " + command.user_id + " exists already"
                                                    : std::string();
}

// Why the shares of a user cannot be replaced, as far as the user goes; empty if they can.
std::string objection_to_change(const User* known, const Command& command) {
    if (known == nullptr) {
        return "this proxy knows no user " + command.user_id;
    }
    return known->record.active ? std::string()
                                : "user " + command.user_id + " was withdrawn: add the user again";
}

// Why a renewal cannot keep what the user holds; empty if it does. A proxy that was adopted in the
// place of a lost one meets the tenant's users this way: what they hold is the command's word.
std::string objection_to_renewal(
    const CommandContext& context, const User* known, const Command& command
) {
    if (known == nullptr && context.snapshot.bootstrap.adopted) {
        return {};
    }
    std::string objection = objection_to_change(known, command);
    if (!objection.empty()) {
        return objection;
    }
    const bool keeps_user_part = std::ranges::equal(
        known->record.commitments,
        command.commitments,
        [](const share::GroupCommitment& held, const share::GroupCommitment& given) {
            return held.group == given.group && held.user_epoch == given.user_epoch &&
                   held.user == given.user;
        }
    );
    return keeps_user_part ? std::string()
                           : "renew_shares keeps the share that the user holds, and this one is of "
                             "another: was it made from an older home?";
}

// Why fresh parts cannot be taken over; empty if they can.
std::string objection_to_parts(
    const CommandContext& context, const User* known, const Command& command
) {
    if (known != nullptr && command.epoch <= known->record.epoch) {
        return "user " + command.user_id + " had share epoch " +
               std::to_string(known->record.epoch) + " before: a new triple needs a higher one";
    }
    for (const share::GroupCommitment& one : command.commitments) {
        if (context.state.keyring.live(one.group) == nullptr) {
            return "this proxy has no key group " + one.group;
        }
        const bool is_of_command =
            one.app_epoch == command.epoch && (one.user_epoch == command.epoch ||
                                               command.operation == share::Operation::kRenewShares);
        if (!is_of_command) {
            return "its commitments are of another share epoch than the command";
        }
    }
    return {};
}

// The parts that P is to hold, unless something speaks against the command, `objection` first.
Result<share::GroupParts<share::ProxyPart>> accepted_parts(
    const CommandContext& context, const User* known, const Command& command, std::string objection
) {
    if (objection.empty()) {
        objection = objection_to_parts(context, known, command);
    }
    if (!objection.empty()) {
        return Error{ErrorCode::kRefused, std::move(objection)};
    }
    return open_parts(context, command);
}

// add_user and change_key: the user's record and parts become those of the command. The key groups
// of a change may be others than before: the tenant grants and revokes.
Judgement judge_triple(const CommandContext& context, const Command& command) {
    const User* known = find_user(context, command);
    std::string objection = command.operation == share::Operation::kAddUser
                                ? objection_to_add(known, command)
                                : objection_to_change(known, command);
    auto parts = accepted_parts(context, known, command, std::move(objection));
    if (!parts.has_value()) {
        return refuse(parts.error().message);
    }
    UserRecord record{true, command.epoch, context.now_s, command.commitments};
    const bool forgets = known != nullptr && known->record.active;
    return change({command.user_id, std::move(record), *std::move(parts), {}}, forgets);
}

bool has_former(const User& user, std::int64_t now_s) {
    return user.former && now_s <= user.former->shares.until_s;
}

// What stays in force beside the renewed shares: those that the application is known to use. Shares
// of a renewal that never succeeded are not. Nothing, if what P holds does not open.
std::optional<FormerParts> former_of(
    const CommandContext& context, const User& known, const Command& command
) {
    const bool goes_on = has_former(known, context.now_s);
    const RowName row = goes_on ? former_part_row(command.user_id) : part_row(command.user_id);
    const auto opened =
        context.snapshot.seal->open(row, goes_on ? known.former->parts : known.parts);
    auto parts = opened.has_value() ? parse_parts(opened->reveal()) : opened.error();
    if (!parts.has_value()) {
        return std::nullopt;
    }
    return FormerParts{
        {command.expires_at_s,
         goes_on ? known.former->shares.commitments : known.record.commitments},
        *std::move(parts)};
}

// renew_shares: the user's record and parts become those of the command, and the former ones are
// kept beside them.
Judgement judge_renewal(const CommandContext& context, const Command& command) {
    const User* known = find_user(context, command);
    auto parts =
        accepted_parts(context, known, command, objection_to_renewal(context, known, command));
    if (!parts.has_value()) {
        return refuse(parts.error().message);
    }
    UserRecord record{true, command.epoch, context.now_s, command.commitments};
    if (known == nullptr) {
        return change({command.user_id, std::move(record), *std::move(parts), {}}, false);
    }
    const bool forgets = known->former.has_value();
    return change(
        {command.user_id,
         std::move(record),
         *std::move(parts),
         former_of(context, *known, command)},
        forgets
    );
}

Judgement judge_withdraw(const CommandContext& context, const Command& command) {
    const User* known = find_user(context, command);
    if (known == nullptr) {
        return refuse("this proxy knows no user " + command.user_id);
    }
    if (!known->record.active) {
        return {Outcome::kApplied, {}, {}, false};
    }
    UserRecord record = known->record;
    record.active = false;
    record.changed_at_s = context.now_s;
    return change({command.user_id, std::move(record), {}, {}}, true);
}

// Why the keyring cannot take the row of a new group; empty if it can. Whether the row fits the
// group's TK shows when the first user's shares give that: P never holds the TK of a group that it
// did not make.
std::string objection_to_group(const share::Keyring& keyring, const share::KeyringRow& row) {
    if (keyring.live(row.group) != nullptr) {
        return "key group " + row.group + " exists already";
    }
    const bool is_taken = std::ranges::find(keyring.rows, row.key_id, &share::KeyringRow::key_id) !=
                          keyring.rows.end();
    if (is_taken) {
        return "key id " + std::to_string(row.key_id) +
               " is in the keyring already: was the command made from an older home?";
    }
    return share::check_rows(share::with_rows(keyring, {row})).has_value()
               ? std::string()
               : "the keyring cannot take one more key group";
}

// create_group: the keyring gets one row more.
Judgement judge_group(const CommandContext& context, const Command& command) {
    const share::KeyringRow& row = command.wraps.front();
    std::string objection = objection_to_group(context.state.keyring, row);
    if (!objection.empty()) {
        return refuse(std::move(objection));
    }
    return {Outcome::kApplied, {}, {}, false, share::with_rows(context.state.keyring, {row})};
}

// renew_tk: the keyring's rows of the group and the shares of everybody who has it, at once.
Judgement judge_tk(const CommandContext& context, const Command& command) {
    auto users = renewed_users(context, command);
    if (!users.has_value()) {
        return refuse(users.error().message);
    }
    return {
        Outcome::kApplied,
        {},
        *std::move(users),
        true,
        share::with_rewrapped(context.state.keyring, command.wraps)};
}

// new_data_key: the keyring gets one row more, beside the live one.
Judgement judge_new_data_key(const CommandContext& context, const Command& command) {
    const share::Keyring& keyring = context.state.keyring;
    std::string objection = share::objection_to_next(keyring, command.wraps.front());
    return objection.empty()
               ? Judgement{Outcome::kApplied, {}, {}, false, share::with_rows(keyring, command.wraps)}
               : refuse(std::move(objection));
}

// retire_data_key: the next row is the live one, and the wraps of the others are forgotten.
Judgement judge_retirement(const CommandContext& context, const Command& command) {
    const share::Keyring& keyring = context.state.keyring;
    const share::KeyringRow& row = command.wraps.front();
    std::string objection = share::objection_to_successor(keyring, row);
    return objection.empty()
               ? Judgement{Outcome::kApplied, {}, {}, true, share::with_successor(keyring, row)}
               : refuse(std::move(objection));
}

Judgement judge(const CommandContext& context, const Command& command) {
    if (command.expires_at_s != 0 && context.now_s > command.expires_at_s) {
        return {Outcome::kExpired, {}, {}, false};
    }
    switch (command.operation) {
        case share::Operation::kAddUser:
        case share::Operation::kChangeKey: return judge_triple(context, command);
        case share::Operation::kRenewShares: return judge_renewal(context, command);
        case share::Operation::kWithdrawUser: return judge_withdraw(context, command);
        case share::Operation::kCreateGroup: return judge_group(context, command);
        case share::Operation::kRenewTk: return judge_tk(context, command);
        case share::Operation::kNewDataKey: return judge_new_data_key(context, command);
        case share::Operation::kRetireDataKey: return judge_retirement(context, command);
    }
    core::invariant(false, "every operation is judged");
    return refuse({});
}

// A command sealed to the key that receipts name proves that the tenant knows it: the older key has
// done its service.
void roll_command_keys(CustodyState& state, const Command& command) {
    if (!command.sealed_parts.empty() &&
        state.command_keys.back().key_id == command.command_key_id) {
        state.command_keys.erase(state.command_keys.begin(), std::prev(state.command_keys.end()));
        add_command_key(state);
    }
}

bool changes_user(const CommandEffect& effect, const std::string& user_id) {
    return std::ranges::find(effect.users, user_id, &UserChange::user_id) != effect.users.end();
}

}  // namespace

const CommandKey* find_command_key(const CustodyState& state, std::uint32_t key_id) {
    const auto found = std::ranges::find(state.command_keys, key_id, &CommandKey::key_id);
    return found == state.command_keys.end() ? nullptr : &*found;
}

Error command_key_destroyed() {
    return Error{
        ErrorCode::kRefused, "it is sealed to a command key that was destroyed: make it again"};
}

void add_command_key(CustodyState& state) {
    state.command_keys.push_back(
        {++state.command_keys_made,
         std::make_shared<const core::HpkeKeyPair>(core::HpkeKeyPair::generate())}
    );
}

bool may_join(const std::vector<Decided>& batch, const Command& command) {
    constexpr std::size_t kBatchMax = 100;
    const auto stays_apart = [](share::Operation operation) {
        return operation == share::Operation::kAddUser ||
               operation == share::Operation::kRenewShares;
    };
    return stays_apart(command.operation) && batch.size() < kBatchMax &&
           std::ranges::all_of(batch, [&](const Decided& other) {
               return stays_apart(other.operation) && !other.effect.forgets &&
                      !changes_user(other.effect, command.user_id);
           });
}

Result<void> check_order(const CommandContext& context, const Command& command) {
    const std::uint64_t next = context.state.last_sequence + 1;
    if (command.sequence != next) {
        const std::string missing = command.sequence == next + 1
                                        ? "command " + std::to_string(next)
                                        : "commands " + std::to_string(next) + " to " +
                                              std::to_string(command.sequence - 1);
        return Error{
            ErrorCode::kOutOfOrder,
            "command " + std::to_string(command.sequence) + " came before its turn: send " +
                missing + " first, in the same argument, separated by commas"};
    }
    if (command.previous != context.state.last_hash) {
        return Error{
            ErrorCode::kOutOfOrder,
            "command " + std::to_string(command.sequence) +
                " does not continue the chain of this proxy: it was made from an older home, or "
                "for another proxy"};
    }
    if (command.expires_at_s != 0 && command.issued_at_s > context.now_s + context.clock_skew_s) {
        return Error{
            ErrorCode::kOutOfOrder,
            "command " + std::to_string(command.sequence) + " was made " +
                std::to_string(command.issued_at_s - context.now_s) +
                " s in the future: compare the clocks of the tenant's machine and the proxy"};
    }
    return {};
}

CommandEffect decide(
    const CommandContext& context, const Command& command, const share::Digest& hash
) {
    Judgement judgement = judge(context, command);
    CommandEffect effect{context.state, std::move(judgement.users), judgement.forgets, {}};
    effect.state.last_sequence = command.sequence;
    effect.state.last_hash = hash;
    if (judgement.keyring) {
        effect.state.keyring = *std::move(judgement.keyring);
    }
    if (judgement.outcome == Outcome::kApplied) {
        roll_command_keys(effect.state, command);
    }
    const share::Receipt receipt{
        .tenant = context.state.tenant,
        .sequence = command.sequence,
        .hash = hash,
        .outcome = judgement.outcome,
        .reason = std::move(judgement.reason),
        .at_s = context.now_s,
        .store_version = context.snapshot.store_version + 1,
        .keyring = effect.state.keyring,
        .next_command_key = effect.state.command_keys.back().public_key()};
    effect.receipt = share::sign_receipt(receipt, context.identity);
    return effect;
}

}  // namespace pgveil::store
