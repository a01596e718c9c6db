#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/tenant/bootstrap_run.hpp"
#include "keyshare/tenant/home.hpp"

namespace pgveil::tenant {

/// What a fresh proxy is to take over: a copy of the home's enrolment, in which every command about
/// key groups that waits for its receipt counts as applied. The lost proxy may have applied it, and
/// values sealed since need its key. Fails if a TK does not fit its keyring row.
Result<share::Enrolment> enrolment_to_hand_over(const HomeState& state);

/// Goes on with this enrolment, whose chain has just begun: commands for the lost proxy are
/// forgotten, those that waited count as applied, and everybody who has shares then gets fresh TKa
/// and TKp, in signed renew_shares for the new proxy; his key pins it, TKu stays.
Result<void> settle_adoption(
    HomeState& state, share::Enrolment taken, share::CommandTimes times, core::RandomSource& random
);

/// Drives the adoption in the home's state to its end and settles it. The home is saved before each
/// step is sent and after the last answer, so that the same call on the reopened home goes on after
/// a kill at any moment. On an error the home holds the state before the failed step.
Result<void> run_adoption(Home& home, const BootstrapCall& call, share::CommandTimes times);

/// Whether run_adoption() has succeeded and the new files are not all written yet.
bool is_settled(const HomeState& state);

}  // namespace pgveil::tenant
