#include "keyshare/tenant/bootstrap_run.hpp"

#include "keyshare/core/random.hpp"
#include "keyshare/tenant/attestation.hpp"

namespace pgveil::tenant {

namespace {

Result<void> one_step(Home& home, share::TenantBootstrap& bootstrap, const BootstrapCall& call) {
    home.state().bootstrap = bootstrap.save();
    if (auto saved = home.save(); !saved) {
        return saved.error();
    }
    const auto reply = call(bootstrap.step(), bootstrap.request());
    if (!reply) {
        return reply.error();
    }
    const std::string step(bootstrap.step());
    if (auto taken = bootstrap.accept(*reply, home.state().identity, core::system_random());
        !taken) {
        return user::failed(
            "the proxy's answer to the bootstrap step " + step +
            " does not verify, so it was not taken over: " + taken.error().message
        );
    }
    return {};
}

}  // namespace

Result<HomeState> begin_bootstrap(const BootstrapOrder& order) {
    HomeState state{
        .tenant = order.tenant,
        .identity = share::TenantIdentity::generate(),
        .bootstrap = {},
        .enrolment = {},
        .proxy = order.proxy,
        .bootstrapped_at_s = 0,
        .users = {},
        .commands = {},
        .next_key = {},
        .restored_at_s = 0,
        .attestation = {}};
    const auto bootstrap =
        share::TenantBootstrap::begin(order.tenant, order.groups, state.identity);
    if (!bootstrap) {
        return user::unusable(bootstrap.error().message);
    }
    state.bootstrap = bootstrap->save();
    return state;
}

Result<void> run_bootstrap(Home& home, const BootstrapCall& call, std::int64_t now_s) {
    auto bootstrap = share::TenantBootstrap::restore(home.state().bootstrap.reveal());
    if (!bootstrap) {
        return user::unusable(
            "the half-done bootstrap in " + home.directory() +
            " does not read: " + bootstrap.error().message
        );
    }
    while (!bootstrap->done()) {
        // Before TK is shared with it.
        if (const auto& identity = bootstrap->proxy_identity()) {
            if (auto attested = check_attested(home.state(), identity->fingerprint(), now_s);
                !attested) {
                return attested;
            }
        }
        if (auto step = one_step(home, *bootstrap, call); !step) {
            return step;
        }
    }
    home.state().enrolment.emplace(bootstrap->take_enrolment());
    home.state().bootstrap.wipe();
    home.state().bootstrapped_at_s = now_s;
    return home.save();
}

}  // namespace pgveil::tenant
