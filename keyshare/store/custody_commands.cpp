#include "keyshare/share/app_share.hpp"
#include "keyshare/store/custody_impl.hpp"
#include "keyshare/store/high_water_mark.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::store {
namespace {

Error refused(std::string message) {
    return Error{ErrorCode::kRefused, std::move(message)};
}

// A wrong application share stored at A would lock the user out: say so while the tenant's file is
// still at hand.
Result<void> check_app_share(const core::SecretBytes& text, const share::Command& command) {
    const auto app_share = share::parse_app_share(text.reveal());
    if (!app_share.has_value()) {
        return refused("the app_share argument cannot be used: " + app_share.error().message);
    }
    if (app_share->tenant != command.tenant || app_share->user_id != command.user_id ||
        app_share->epoch != command.epoch) {
        return refused(
            "the app_share argument is of user \"" + app_share->user_id + "\", share epoch " +
            std::to_string(app_share->epoch) + ", but the command is about user \"" +
            command.user_id + "\", share epoch " + std::to_string(command.epoch)
        );
    }
    const bool fits = std::ranges::equal(
        app_share->groups,
        command.commitments,
        [&](const share::GroupPart<share::AppPart>& part, const share::GroupCommitment& expected) {
            const share::SharePlace place{
                command.tenant, command.user_id, part.group, expected.app_epoch};
            return part.group == expected.group &&
                   core::equal_in_constant_time(
                       share::commitment_of(part.part, place), expected.app
                   );
        }
    );
    return fits ? Result<void>()
                : refused("the app_share argument is not the share that the command commits to");
}

core::Bytes signature_of(std::string_view jws) {
    auto parts = core::parse_jws(jws);
    return parts.has_value() ? std::move(parts->signature) : core::Bytes();
}

}  // namespace

Result<share::Command> ProxyCustody::Impl::verify(std::string_view jws) const {
    const SnapshotPtr snapshot = snapshot_.current();
    if (!snapshot->keyring || !snapshot->bootstrap.tenant_signing) {
        return Error{
            ErrorCode::kNotBootstrapped,
            "this proxy has no tenant yet: run pgveil-tenant bootstrap"};
    }
    auto command = share::verify_command(
        jws, core::VerifyingKey(*snapshot->bootstrap.tenant_signing), tenant_
    );
    if (!command.has_value()) {
        return from_share(command.error());
    }
    return *std::move(command);
}

Result<void> ProxyCustody::Impl::check_arguments(std::string_view jws, const Expected& expected)
    const {
    if (!expected.operation) {
        return {};
    }
    const auto command = verify(jws);
    if (!command.has_value()) {
        return command.error();
    }
    if (command->operation != *expected.operation) {
        return refused(
            "the last command is signed as " + std::string(share::name_of(command->operation)) +
            ", but pgveil." + std::string(share::name_of(*expected.operation)) + " was called"
        );
    }
    if (command->user_id != expected.user_id) {
        return refused(
            "the last command is signed for user \"" + command->user_id +
            "\", but the call names \"" + std::string(expected.user_id) + "\""
        );
    }
    return expected.app_share == nullptr ? Result<void>()
                                         : check_app_share(*expected.app_share, *command);
}

Result<std::string> ProxyCustody::Impl::apply(
    std::string_view argument, const Expected& expected, std::int64_t now_s
) {
    if (argument.empty() && !expected.operation) {
        return newest_receipt();
    }
    const auto commands = share::split_commands(argument);
    if (!commands.has_value()) {
        return from_share(commands.error());
    }
    const auto fits = check_arguments(commands->back(), expected);
    if (!fits.has_value()) {
        return fits.error();
    }
    const std::scoped_lock lock(writer_);
    return in_turn([&] { return apply_all(*commands, now_s); });
}

Result<std::string> ProxyCustody::Impl::apply_all(
    std::span<const std::string_view> commands, std::int64_t now_s
) {
    std::vector<std::string> receipts;
    std::vector<Decided> batch;
    Result<void> outcome;
    for (const std::string_view jws : commands) {
        auto receipt = apply_one(jws, now_s, batch);
        if (!receipt.has_value()) {
            outcome = receipt.error();
            break;
        }
        receipts.push_back(*std::move(receipt));
    }
    // Also what came before the one that failed: it was in order.
    const auto done = carry_out(std::move(batch));
    if (!done.has_value() || !outcome.has_value()) {
        return done.has_value() ? outcome.error() : done.error();
    }
    return share::join_commands(receipts);
}

Result<std::string> ProxyCustody::Impl::newest_receipt() {
    const std::scoped_lock lock(writer_);
    const auto fresh = store_.is_shared() ? catch_up() : Result<void>();
    if (!fresh.has_value()) {
        return fresh.error();
    }
    if (state_.last_sequence > 0) {
        return repeat_receipt(state_.last_sequence, state_.last_hash);
    }
    const auto bootstrap = load_bootstrap();
    if (!bootstrap.has_value()) {
        return bootstrap.error();
    }
    return bootstrap->close_receipt().empty()
               ? Result<std::string>(Error{
                     ErrorCode::kNotBootstrapped,
                     "this proxy has no tenant yet: run pgveil-tenant bootstrap"})
               : bootstrap->close_receipt();
}

CommandContext ProxyCustody::Impl::command_context(
    const CustodyState& state, const Snapshot& snapshot, std::int64_t now_s
) const {
    return {state, snapshot, identity_, core::system_random(), now_s, limits_.clock_skew_s};
}

/// Decides about the command and leaves it in the batch. Commits the batch first where the command
/// may not join it.
Result<std::string> ProxyCustody::Impl::apply_one(
    std::string_view jws, std::int64_t now_s, std::vector<Decided>& batch
) {
    const auto command = verify(jws);
    if (!command.has_value()) {
        return command.error();
    }
    const auto hash = core::jws_hash(jws);
    core::invariant(hash.has_value(), "a verified JWS has a hash");
    const auto in_force = [&]() -> const CustodyState& {
        return batch.empty() ? state_ : batch.back().effect.state;
    };
    const bool is_known = command->sequence <= in_force().last_sequence;
    if (is_known || !may_join(batch, *command)) {
        const auto done = carry_out(std::exchange(batch, {}));
        if (!done.has_value()) {
            return done.error();
        }
    }
    if (is_known) {
        return repeat_receipt(command->sequence, *hash);
    }
    const SnapshotPtr snapshot = snapshot_.current();
    const CommandContext context = command_context(in_force(), *snapshot, now_s);
    const auto in_order = check_order(context, *command);
    if (!in_order.has_value()) {
        return in_order.error();
    }
    CommandEffect effect = decide(context, *command, *hash);
    std::string receipt = effect.receipt;
    batch.push_back({std::move(effect), *hash, command->operation, signature_of(jws)});
    return receipt;
}

Result<std::string> ProxyCustody::Impl::repeat_receipt(
    std::uint64_t sequence, const share::Digest& hash
) const {
    const auto bytes = store_.read(receipt_row(sequence));
    if (!bytes.has_value()) {
        return bytes.error();
    }
    auto record = parse_receipt_record(bytes->reveal());
    if (!record.has_value()) {
        return record.error();
    }
    if (record->command_hash != hash) {
        return Error{
            ErrorCode::kOutOfOrder,
            "command " + std::to_string(sequence) +
                " differs from the one with this number that was applied before: it was made from "
                "an older home"};
    }
    return std::move(record->receipt);
}

void ProxyCustody::Impl::write_user(const UserChange& user, std::vector<Change>& changes) const {
    const std::string& user_id = user.user_id;
    changes.push_back({user_row(user_id), serialize(user.record)});
    if (user.parts) {
        changes.push_back({part_row(user_id), serialize(*user.parts)});
    } else {
        changes.push_back({part_row(user_id), std::nullopt});
    }
    if (user.former) {
        changes.push_back({former_row(user_id), serialize(user.former->shares)});
        changes.push_back({former_part_row(user_id), serialize(user.former->parts)});
    } else if (store_.contains(former_row(user_id))) {
        changes.push_back({former_row(user_id), std::nullopt});
        changes.push_back({former_part_row(user_id), std::nullopt});
    }
}

std::vector<Change> ProxyCustody::Impl::changes_of(const std::vector<Decided>& batch) const {
    std::vector<Change> changes;
    changes.push_back({state_row(), serialize(batch.back().effect.state)});
    for (const Decided& decided : batch) {
        const CommandEffect& effect = decided.effect;
        changes.push_back(
            {receipt_row(effect.state.last_sequence),
             serialize(ReceiptRecord{decided.hash, effect.receipt})}
        );
        if (effect.forgets) {
            make_renewal_due(changes);
        }
        for (const UserChange& user : effect.users) {
            write_user(user, changes);
        }
    }
    if (store_.is_shared()) {
        const CustodyState& state = batch.back().effect.state;
        const LastCommand last{state.last_sequence, state.last_hash, batch.back().signature};
        changes.push_back({last_command_row(), serialize(last)});
    }
    return changes;
}

/// A command continues the chain of the close receipt: the tenant has it, the password has done its
/// service.
Result<void> ProxyCustody::Impl::forget_password(Snapshot& next, std::vector<Change>& changes)
    const {
    if (next.bootstrap.verifier.empty()) {
        return {};
    }
    auto bootstrap = load_bootstrap();
    if (!bootstrap.has_value()) {
        return bootstrap.error();
    }
    bootstrap->forget_password();
    next.bootstrap = facts_of(*bootstrap);
    changes.push_back({bootstrap_row(), bootstrap->save()});
    return {};
}

Result<void> ProxyCustody::Impl::reload_users(const std::vector<Decided>& batch, Snapshot& next)
    const {
    Result<void> outcome;
    for (const Decided& decided : batch) {
        for (const UserChange& changed : decided.effect.users) {
            next.users.erase(changed.user_id);
            auto user = load_user(changed.user_id);
            if (user.has_value()) {
                next.users.emplace(changed.user_id, *std::move(user));
            } else {
                outcome = user.error();
            }
        }
    }
    return outcome;
}

/// One commit: all of the batch, or none of it.
Result<void> ProxyCustody::Impl::carry_out(std::vector<Decided> batch) {
    if (batch.empty()) {
        return {};
    }
    std::vector<Change> changes = changes_of(batch);
    auto next = copy_snapshot();
    if (auto forgotten = forget_password(*next, changes); !forgotten.has_value()) {
        return forgotten;
    }
    const auto done = store_.commit(std::move(changes), core::system_random());
    if (!done.has_value()) {
        return done;
    }
    state_ = std::move(batch.back().effect.state);
    next->store_version = store_.version();
    next->last_sequence = state_.last_sequence;
    follow_keyring(*next);
    const Result<void> outcome = reload_users(batch, *next);
    next->renewal_due = store_.contains(renewal_row());
    snapshot_.publish(std::move(next));
    bool forgets = false;
    for (const Decided& decided : batch) {
        for (const UserChange& user : decided.effect.users) {
            opened_.wipe_of(user.user_id);
        }
        forgets = forgets || decided.effect.forgets;
    }
    if (forgets) {
        renew_store_key_soon();
    }
    return outcome;
}

}  // namespace pgveil::store
