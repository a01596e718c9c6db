#include "keyshare/tenant/order_steps.hpp"
#include "keyshare/tenant/orders.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::tenant {

namespace {

constexpr std::int64_t kReportLifeS = 86400;

Result<void> require_group(const HomeState& state, const std::string& group) {
    const auto& groups = state.enrolment->groups;
    return std::ranges::find(groups, group, &share::GroupKey::group) != groups.end()
               ? Result<void>()
               : user::unusable(
                     "there is no key group " + group + ": see `pgveil-tenant group list`"
                 );
}

/// What both orders ask of the home.
Result<void> require_ready(const HomeState& state, const std::string& group) {
    if (auto settled = require_reconciled(state); !settled) {
        return settled;
    }
    if (auto known = require_group(state, group); !known) {
        return known;
    }
    if (state.next_key && state.next_key->group == group) {
        return user::failed(
            "the renewal of TK of key group " + group +
            " has no receipt yet: send it with `pgveil-tenant pending --apply URL`"
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

/// Whether the report is about what is to be destroyed, and of today.
Result<void> check_report(
    const HomeState& state, const share::RotationReport& report, std::int64_t now_s
) {
    const share::KeyringRow* next = state.enrolment->keyring.next(report.group);
    if (report.tenant != state.tenant || next == nullptr || next->key_id != report.next_key_id) {
        return user::failed(
            "the report is about key " + std::to_string(report.next_key_id) + " of key group " +
            report.group + " of tenant " + report.tenant +
            ", and this home has no such next data key: see `pgveil-tenant group list`"
        );
    }
    if (now_s - report.at_s > kReportLifeS) {
        return user::failed(
            "the report is older than a day: run `pgveil rotate-data` again, it looks anew"
        );
    }
    return {};
}

}  // namespace

bool is_key_ordered(const HomeState& state, std::string_view group) {
    return std::ranges::any_of(pending(state), [&](const CommandRecord* command) {
        return (command->operation == share::Operation::kNewDataKey ||
                command->operation == share::Operation::kRetireDataKey) &&
               subject_of(state, *command) == group;
    });
}

Result<void> require_keys_settled(const HomeState& state, const std::string& group) {
    return is_key_ordered(state, group)
               ? user::failed(
                     "a command about the data key of key group " + group +
                     " has no receipt yet: send it with `pgveil-tenant pending --apply URL`"
                 )
               : Result<void>();
}

Result<void> new_data_key(
    HomeState& state,
    const std::string& group,
    share::CommandTimes times,
    core::RandomSource& random
) {
    if (auto ready = require_ready(state, group); !ready) {
        return ready;
    }
    auto command = share::make_new_data_key(
        *state.enrolment, state.identity, {group, next_key_id(state)}, times, random
    );
    if (!command) {
        return user::failed(command.error().message);
    }
    append_command(
        state, share::Operation::kNewDataKey, {}, times.issued_at_s, std::move(*command)
    );
    return {};
}

Result<void> retire_data_key(
    HomeState& state, const share::RotationReport& report, share::CommandTimes times
) {
    if (auto ready = require_ready(state, report.group); !ready) {
        return ready;
    }
    if (auto fits = check_report(state, report, times.issued_at_s); !fits) {
        return fits;
    }
    auto command =
        share::make_retire_data_key(*state.enrolment, state.identity, report.group, times);
    if (!command) {
        return user::failed(command.error().message);
    }
    append_command(
        state, share::Operation::kRetireDataKey, {}, times.issued_at_s, std::move(*command)
    );
    return {};
}

Result<void> settle_data_key(HomeState& state, const CommandRecord& command) {
    const auto ordered = new_row_of(state, command);
    if (!ordered) {
        return user::failed("a command of this home does not read: is it of another version?");
    }
    if (command.fate != Fate::kApplied) {
        return {};
    }
    const share::KeyringRow* held = state.enrolment->keyring.find(ordered->group, ordered->key_id);
    // A later receipt may have come first; what it brought was checked with it.
    const bool is_as_ordered =
        held != nullptr && (held->tk_epoch != ordered->tk_epoch || held->wrap == ordered->wrap);
    return is_as_ordered ? Result<void>()
                         : user::failed(
                               "the proxy's keyring does not hold the next data key of key group " +
                               ordered->group +
                               " as this home made it: write nothing under it, and ask whoever "
                               "runs the proxy"
                           );
}

}  // namespace pgveil::tenant
