#include "keyshare/tenant/order_steps.hpp"
#include "keyshare/tenant/orders.hpp"

#include <algorithm>
#include <string>

namespace pgveil::tenant {

namespace {

user::Error lacks_commands(const HomeState& state, std::uint64_t applied) {
    const std::uint64_t own = state.enrolment->head.sequence;
    const std::string which =
        applied > own ? "commands " + std::to_string(own + 1) + " to " + std::to_string(applied)
                      : "another command " + std::to_string(applied);
    return user::failed(
        "the proxy has taken " + which +
        ", which this home does not have: it is older than the proxy. Restore a newer backup; this "
        "one can make no commands"
    );
}

}  // namespace

user::Error adoption_first() {
    return user::failed(
        "the takeover of a fresh proxy that was begun in this home is not finished: run "
        "`pgveil-tenant adopt` again, it goes on where it stopped"
    );
}

Result<void> require_reconciled(const HomeState& state) {
    if (is_adopting(state)) {
        return adoption_first();
    }
    return state.restored_at_s == 0
               ? Result<void>()
               : user::failed(
                     "this home was restored from a backup and may lack commands that were made "
                     "since: run `pgveil-tenant reconcile --apply URL` first"
                 );
}

Result<void> reconcile(HomeState& state, std::string_view newest_receipt) {
    const core::VerifyingKey identity(state.enrolment->proxy_identity);
    const auto newest = share::verify_receipt(newest_receipt, identity, state.tenant);
    if (!newest) {
        return user::failed(newest.error().message);
    }
    if (newest->sequence > 0) {
        const auto command =
            std::ranges::find(state.commands, newest->sequence, &CommandRecord::sequence);
        if (command == state.commands.end() ||
            !share::verify_receipt_of(newest_receipt, command->jws, identity, state.tenant)) {
            return lacks_commands(state, newest->sequence);
        }
    }
    state.restored_at_s = 0;
    return {};
}

}  // namespace pgveil::tenant
