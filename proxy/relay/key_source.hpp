#pragma once

#include "proxy/relay/refusal.hpp"
#include "proxy/relay/segment.hpp"
#include "proxy/relay/session_state.hpp"
#include "sql/analysis/claims.hpp"
#include "sql/field/protected_column.hpp"
#include "sql/field/seal.hpp"

#include <boost/system/result.hpp>

#include <optional>
#include <string>

namespace pgveil::relay {

/// Rebuilds the keys of the open segment from the shares now in force, unless it has them already.
/// The handles must have been read back, and where the token's grace is needed, no reply may be
/// outstanding. On refusal the client is told 28000 and which share is wrong; when the token has
/// expired the session's shares are wiped.
std::optional<Refusal> ensure_keys(SessionState& state);

/// Notes in state.restriction what the token in force may be used for, without using it: it gives
/// no keys, and nobody claims or counts it. The handles must have been read back.
void look_at_token(SessionState& state);

/// Who the session claims to be, for the audit log; empty: nobody, or the server has not been
/// asked since that may have changed.
std::string claimed_user(const SessionState& state);

/// The data keys that are about to take the place of live ones.
analysis::NextKeys next_keys(const SessionState& state);

/// The cipher of `column` for sealing (under the live key), or for opening values under `key_id`.
/// Lives as long as the segment's keys. The segment must have keys (invariant).
boost::system::result<field::FieldCipher*, Refusal> sealing_cipher(
    const SessionState& state, Segment& segment, const analysis::ColumnPtr& column
);
boost::system::result<field::FieldCipher*, Refusal> opening_cipher(
    const SessionState& state,
    Segment& segment,
    const analysis::ColumnPtr& column,
    std::uint32_t key_id
);

}  // namespace pgveil::relay
