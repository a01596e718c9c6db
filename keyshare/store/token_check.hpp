#pragma once

#include "keyshare/share/denial.hpp"
#include "keyshare/store/opened_tokens.hpp"
#include "keyshare/store/rebuild.hpp"

#include <cstdint>
#include <string>

namespace pgveil::store {

share::Denial deny(share::DenialKind kind, std::string message);

/// A moment for people: "2026-01-31 12:00:00 UTC".
std::string utc_text(std::int64_t seconds);

/// Opens a token with the token key it names, or takes it as it was `opened` before if that key
/// still exists, and checks everything that needs no user record: audience, user id, scope and
/// times. exp is strict, but for a transaction that may finish; the clock skew allows for tokens
/// issued a little in the future only.
share::Verdict<OpenedTokenPtr> open_and_check_token(
    const RebuildContext& context,
    const share::PresentedShares& presented,
    const OpenedTokenPtr& opened
);

}  // namespace pgveil::store
