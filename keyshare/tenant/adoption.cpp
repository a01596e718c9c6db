#include "keyshare/tenant/adoption.hpp"

#include "keyshare/share/rewrap.hpp"
#include "keyshare/share/tenant_adoption.hpp"
#include "keyshare/tenant/attestation.hpp"
#include "keyshare/tenant/order_steps.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::tenant {

namespace {

/// Whether the user has shares once every command that waits is applied.
bool will_have_shares(const HomeState& state, const std::string& user_id) {
    const auto last =
        std::find_if(state.commands.rbegin(), state.commands.rend(), [&](const auto& one) {
            return one.user_id == user_id &&
                   (one.fate == Fate::kPending || one.fate == Fate::kApplied);
        });
    return last != state.commands.rend() && share::makes_shares(last->operation);
}

/// In the place of what the lost proxy did for the user: he has shares, or he has none.
CommandRecord record_of_old(const std::string& user_id, bool is_active, std::int64_t now_s) {
    CommandRecord record;
    record.operation = is_active ? share::Operation::kRenewShares : share::Operation::kWithdrawUser;
    record.user_id = user_id;
    record.made_at_s = now_s;
    record.fate = Fate::kApplied;
    return record;
}

Result<void> pin(UserRecord& user, const core::PublicPoint& proxy) {
    auto key = share::parse_user_key(user.user_key.reveal());
    if (!key) {
        return user::failed(key.error().message);
    }
    key->proxy_identity = proxy;
    user.user_key = share::serialize(*key);
    user.former_key.wipe();
    return {};
}

Result<share::TenantAdoption> saved_adoption(const Home& home) {
    auto run = share::TenantAdoption::restore(home.state().bootstrap.reveal());
    if (!run) {
        return user::unusable(
            "the half-done takeover in " + home.directory() +
            " does not read: " + run.error().message
        );
    }
    return std::move(*run);
}

user::Error unverified(const std::string& step, const share::Error& error) {
    return user::failed(
        "the proxy's answer to the step " + step +
        " does not verify, so it was not taken over: " + error.message
    );
}

}  // namespace

Result<share::Enrolment> enrolment_to_hand_over(const HomeState& state) {
    auto taken = share::parse_enrolment(share::serialize(*state.enrolment).reveal());
    if (!taken) {
        return user::failed(taken.error().message);
    }
    for (const CommandRecord* command : pending(state)) {
        const auto known = read_command(state, *command);
        const bool adds_row = command->operation == share::Operation::kCreateGroup ||
                              command->operation == share::Operation::kNewDataKey;
        if (known && adds_row) {
            taken->keyring = share::with_rows(taken->keyring, known->wraps);
        } else if (known && known->operation == share::Operation::kRenewTk && state.next_key) {
            const share::GroupKey& next = *state.next_key;
            taken->keyring = share::with_rewrapped(taken->keyring, known->wraps);
            share::take_over(*taken, {next.group, next.tk_epoch, next.key.duplicate()});
        }
    }
    if (const auto fits = share::check_keys(*taken); !fits) {
        return user::failed(fits.error().message);
    }
    return std::move(*taken);
}

Result<void> settle_adoption(
    HomeState& state, share::Enrolment taken, share::CommandTimes times, core::RandomSource& random
) {
    std::vector<CommandRecord> commands;
    for (const UserRecord& user : state.users) {
        commands.push_back(
            record_of_old(user.user_id, will_have_shares(state, user.user_id), times.issued_at_s)
        );
    }
    state.enrolment.emplace(std::move(taken));
    state.commands = std::move(commands);
    state.next_key.reset();
    state.restored_at_s = 0;
    state.bootstrapped_at_s = times.issued_at_s;
    for (UserRecord& user : state.users) {
        user.app_share.wipe();
        if (auto pinned = pin(user, state.enrolment->proxy_identity); !pinned) {
            return pinned;
        }
        if (!state.is_active(user.user_id)) {
            continue;
        }
        if (auto renewed = renew_one(state, user, times, random); !renewed) {
            return renewed;
        }
    }
    return {};
}

bool is_settled(const HomeState& state) {
    const auto run = share::TenantAdoption::restore(state.bootstrap.reveal());
    return run.has_value() && run->done();
}

Result<void> run_adoption(Home& home, const BootstrapCall& call, share::CommandTimes times) {
    auto taken = enrolment_to_hand_over(home.state());
    if (!taken) {
        return taken.error();
    }
    if (!is_adopting(home.state())) {
        home.state().bootstrap = share::TenantAdoption::begin(*taken, home.state().identity).save();
        if (auto saved = home.save(); !saved) {
            return saved;
        }
    }
    auto run = saved_adoption(home);
    if (!run) {
        return run.error();
    }
    const auto offer = call("hello", run->hello());
    if (!offer) {
        return offer.error();
    }
    if (auto taken_up = run->accept_offer(*offer, *taken, home.state().identity); !taken_up) {
        return unverified("hello", taken_up.error());
    }
    const auto attested =
        check_attested(home.state(), run->proxy_identity()->fingerprint(), times.issued_at_s);
    if (!attested) {
        return attested;
    }
    home.state().bootstrap = run->save();
    if (auto saved = home.save(); !saved) {
        return saved;
    }
    const auto receipt = call("adopt", run->request());
    if (!receipt) {
        return receipt.error();
    }
    if (auto closed = run->accept_close(*receipt, *taken); !closed) {
        return unverified("adopt", closed.error());
    }
    home.state().bootstrap = run->save();
    auto settled = settle_adoption(home.state(), std::move(*taken), times, core::system_random());
    return settled ? home.save() : settled;
}

}  // namespace pgveil::tenant
