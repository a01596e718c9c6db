#include "keyshare/tenant/orders.hpp"

#include "keyshare/core/p256.hpp"
#include "keyshare/tenant/order_steps.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::tenant {

namespace {

constexpr std::size_t kUserIdSizeMax = 64;

bool is_user_id_byte(char byte) {
    const bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    const bool is_digit = byte >= '0' && byte <= '9';
    return is_letter || is_digit || std::string_view("._@-").find(byte) != std::string_view::npos;
}

user::Error in_words(const share::Error& error) {
    return user::failed(error.message);
}

bool is_pending(const CommandRecord* command) {
    return command != nullptr && command->fate == Fate::kPending;
}

user::Error no_such_user(std::string_view user_id) {
    return user::unusable(
        "there is no user " + std::string(user_id) + ": see `pgveil-tenant user list`"
    );
}

void keep_user(HomeState& state, UserRecord record) {
    if (UserRecord* known = state.find_user(record.user_id)) {
        *known = std::move(record);
        return;
    }
    state.users.push_back(std::move(record));
}

Fate fate_of(share::Outcome outcome) {
    switch (outcome) {
        case share::Outcome::kApplied: return Fate::kApplied;
        case share::Outcome::kExpired: return Fate::kExpired;
        case share::Outcome::kRefused: return Fate::kRefused;
    }
    return Fate::kRefused;
}

/// What the outcome of a command about a user's shares leaves to keep.
void settle_shares(UserRecord& user, const CommandRecord& command) {
    user.app_share.wipe();  // A has it, or it was never in force
    if (command.fate != Fate::kApplied && !user.former_key.empty()) {
        user.user_key = std::move(user.former_key);
        user.groups = groups_of(user.user_key.reveal());
    }
    user.former_key.wipe();
}

/// Makes the user's next triple and keeps what of it the tenant keeps.
Result<share::UserShares> next_shares(
    HomeState& state, const NewUser& user, core::RandomSource& random
) {
    if (auto settled = require_reconciled(state); !settled) {
        return settled.error();
    }
    if (auto settled = require_settled(state, user.groups); !settled) {
        return settled.error();
    }
    const UserRecord* known = state.find_user(user.user_id);
    const std::uint32_t epoch = known == nullptr ? 1 : known->epoch + 1;
    auto shares = share::make_user(*state.enrolment, user.user_id, user.groups, epoch, random);
    if (!shares) {
        return in_words(shares.error());
    }
    return std::move(*shares);
}

UserRecord record_of(
    const HomeState& state, const share::UserShares& shares, std::vector<std::string> groups
) {
    UserRecord record;
    record.user_id = shares.user_id;
    record.epoch = shares.epoch;
    record.groups = std::move(groups);
    record.user_key = share::serialize(share::user_key_of(shares, *state.enrolment));
    record.app_share = share::serialize(share::app_share_of(shares, *state.enrolment));
    return record;
}

/// What the outcome of a create_group leaves: TK of the group, if P has taken its row as it was
/// made.
Result<void> settle_group(HomeState& state, const CommandRecord& command) {
    const auto ordered = new_row_of(state, command);
    if (!ordered) {
        return user::failed("a command of this home does not read: is it of another version?");
    }
    if (command.fate != Fate::kApplied) {
        std::erase_if(state.enrolment->groups, [&](const share::GroupKey& one) {
            return one.group == ordered->group;
        });
        return {};
    }
    const share::KeyringRow* held = state.enrolment->keyring.find(ordered->group, ordered->key_id);
    const bool is_as_ordered = held != nullptr && held->wrap == ordered->wrap &&
                               held->key_check == ordered->key_check && held->zero == ordered->zero;
    return is_as_ordered
               ? Result<void>()
               : user::failed(
                     "the proxy's keyring does not hold key group " + ordered->group +
                     " as this home made it: do not grant it, and ask whoever runs the proxy"
                 );
}

Result<bool> file_receipt(HomeState& state, std::string_view jws) {
    const core::VerifyingKey identity(state.enrolment->proxy_identity);
    const auto claimed = share::verify_receipt(jws, identity, state.tenant);
    if (!claimed) {
        return in_words(claimed.error());
    }
    const auto command =
        std::ranges::find(state.commands, claimed->sequence, &CommandRecord::sequence);
    if (command == state.commands.end()) {
        return user::failed(
            "a receipt for command " + std::to_string(claimed->sequence) +
            " came, which this home never made: is it an old copy of the home?"
        );
    }
    const auto receipt = share::verify_receipt_of(jws, command->jws, identity, state.tenant);
    if (!receipt) {
        return in_words(receipt.error());
    }
    if (command->fate != Fate::kPending) {
        return false;
    }
    if (auto taken = share::absorb(*state.enrolment, *receipt); !taken) {
        return in_words(taken.error());
    }
    command->fate = fate_of(receipt->outcome);
    command->reason = receipt->reason;
    command->receipt = jws;
    UserRecord* user = state.find_user(command->user_id);
    if (user != nullptr && share::makes_shares(command->operation)) {
        settle_shares(*user, *command);
    }
    Result<void> settled;
    if (command->operation == share::Operation::kCreateGroup) {
        settled = settle_group(state, *command);
    } else if (command->operation == share::Operation::kNewDataKey) {
        settled = settle_data_key(state, *command);
    } else if (command->operation == share::Operation::kRenewTk) {
        settled = settle_tk(state, *command);
    }
    return settled ? Result<bool>(true) : settled.error();
}

}  // namespace

user::Error waits_for_receipt(std::string_view user_id) {
    return user::failed(
        "the last command about " + std::string(user_id) +
        " has no receipt yet: send it with `pgveil-tenant pending --apply URL`, or file its "
        "receipt "
        "with `pgveil-tenant receipt FILE`"
    );
}

void append_command(
    HomeState& state,
    share::Operation operation,
    std::string_view user_id,
    std::int64_t now_s,
    std::string jws
) {
    CommandRecord command;
    command.sequence = state.enrolment->head.sequence;
    command.operation = operation;
    command.user_id = user_id;
    command.made_at_s = now_s;
    command.jws = std::move(jws);
    state.commands.push_back(std::move(command));
}

Result<void> change_triple(
    HomeState& state,
    const UserRecord& known,
    std::vector<std::string> groups,
    share::CommandTimes times,
    core::RandomSource& random
) {
    if (auto settled = require_settled(state, known.groups); !settled) {
        return settled;
    }
    const NewUser changed{known.user_id, std::move(groups)};
    core::SecretBytes former = core::SecretBytes::copy_of(known.user_key.reveal());
    const auto shares = next_shares(state, changed, random);
    if (!shares) {
        return shares.error();
    }
    auto command = share::make_change_key(*state.enrolment, state.identity, *shares, times);
    if (!command) {
        return in_words(command.error());
    }
    UserRecord record = record_of(state, *shares, changed.groups);
    record.former_key = std::move(former);
    keep_user(state, std::move(record));
    append_command(
        state, share::Operation::kChangeKey, changed.user_id, times.issued_at_s, std::move(*command)
    );
    return {};
}

Result<void> renew_one(
    HomeState& state, UserRecord& user, share::CommandTimes times, core::RandomSource& random
) {
    const auto kept = share::parse_user_key(user.user_key.reveal());
    if (!kept) {
        return in_words(kept.error());
    }
    const auto shares = share::renew_user(*state.enrolment, *kept, user.epoch + 1, random);
    if (!shares) {
        return in_words(shares.error());
    }
    auto command = share::make_renew_shares(*state.enrolment, state.identity, *shares, times);
    if (!command) {
        return in_words(command.error());
    }
    user.epoch = shares->epoch;
    user.app_share = share::serialize(share::app_share_of(*shares, *state.enrolment));
    append_command(
        state, share::Operation::kRenewShares, user.user_id, times.issued_at_s, std::move(*command)
    );
    return {};
}

bool is_user_id(std::string_view text) {
    return !text.empty() && text.size() <= kUserIdSizeMax &&
           std::ranges::all_of(text, is_user_id_byte);
}

Result<void> add_user(
    HomeState& state, const NewUser& user, share::CommandTimes times, core::RandomSource& random
) {
    if (!is_user_id(user.user_id)) {
        return user::unusable(
            "a user id has 1 to 64 characters of A-Z a-z 0-9 . _ @ -: choose another than the one "
            "given"
        );
    }
    if (is_pending(state.last_command(user.user_id))) {
        return waits_for_receipt(user.user_id);
    }
    if (state.is_active(user.user_id)) {
        return user::failed(user.user_id + " is a user already: see `pgveil-tenant user show`");
    }
    auto shares = next_shares(state, user, random);
    if (!shares) {
        return shares.error();
    }
    auto command = share::make_add_user(*state.enrolment, state.identity, *shares, times);
    if (!command) {
        return in_words(command.error());
    }
    keep_user(state, record_of(state, *shares, user.groups));
    append_command(
        state, share::Operation::kAddUser, user.user_id, times.issued_at_s, std::move(*command)
    );
    return {};
}

Result<const UserRecord*> kept_user(const HomeState& state, std::string_view user_id) {
    const UserRecord* known = state.find_user(user_id);
    if (known == nullptr) {
        return no_such_user(user_id);
    }
    if (is_pending(state.last_command(user_id))) {
        return waits_for_receipt(user_id);
    }
    if (!state.is_active(user_id)) {
        return user::failed(
            std::string(user_id) +
            " has no shares in force: give new ones with `pgveil-tenant user add`"
        );
    }
    return known;
}

Result<void> change_user_key(
    HomeState& state,
    std::string_view user_id,
    share::CommandTimes times,
    core::RandomSource& random
) {
    const auto known = kept_user(state, user_id);
    return known ? change_triple(state, **known, (*known)->groups, times, random) : known.error();
}

Result<std::size_t> renew_shares(
    HomeState& state, share::CommandTimes times, core::RandomSource& random
) {
    if (auto settled = require_reconciled(state); !settled) {
        return settled.error();
    }
    std::size_t renewed = 0;
    for (UserRecord& user : state.users) {
        if (is_pending(state.last_command(user.user_id))) {
            return waits_for_receipt(user.user_id);
        }
        if (!state.is_active(user.user_id)) {
            continue;
        }
        if (auto settled = require_settled(state, user.groups); !settled) {
            return settled.error();
        }
        if (auto ordered = renew_one(state, user, times, random); !ordered) {
            return ordered.error();
        }
        ++renewed;
    }
    return renewed;
}

std::vector<const UserRecord*> renewed_users(const HomeState& state) {
    std::vector<const UserRecord*> users;
    for (const CommandRecord* command : pending(state)) {
        if (command->operation == share::Operation::kRenewShares) {
            users.push_back(state.find_user(command->user_id));
        }
    }
    return users;
}

Result<void> withdraw_user(HomeState& state, std::string_view user_id, std::int64_t now_s) {
    if (auto settled = require_reconciled(state); !settled) {
        return settled;
    }
    if (state.find_user(user_id) == nullptr) {
        return no_such_user(user_id);
    }
    const CommandRecord* last = state.last_command(user_id);
    const bool is_withdrawn = last != nullptr && last->fate != Fate::kRefused &&
                              last->operation == share::Operation::kWithdrawUser;
    if (is_withdrawn) {
        return is_pending(last) ? Result<void>()
                                : user::failed(std::string(user_id) + " is withdrawn already");
    }
    auto command = share::make_withdraw_user(*state.enrolment, state.identity, user_id, now_s);
    if (!command) {
        return in_words(command.error());
    }
    append_command(state, share::Operation::kWithdrawUser, user_id, now_s, std::move(*command));
    return {};
}

std::vector<const CommandRecord*> pending(const HomeState& state) {
    std::vector<const CommandRecord*> found;
    for (const CommandRecord& command : state.commands) {
        if (is_pending(&command)) {
            found.push_back(&command);
        }
    }
    return found;
}

Result<std::size_t> file_receipts(HomeState& state, std::string_view text) {
    if (is_adopting(state)) {
        return adoption_first();
    }
    const auto receipts = share::split_commands(text);
    if (!receipts) {
        return in_words(receipts.error());
    }
    std::size_t filed = 0;
    for (const std::string_view jws : *receipts) {
        const auto is_new = file_receipt(state, jws);
        if (!is_new) {
            return is_new.error();
        }
        if (*is_new) {
            ++filed;
        }
    }
    return filed;
}

}  // namespace pgveil::tenant
