#pragma once

#include "keyshare/share/request_keys.hpp"
#include "proxy/relay/refusal.hpp"
#include "sql/analysis/plan.hpp"

#include <cstdint>
#include <optional>

// What a request may do whose shares do not cover every key group (docs/SQL.md, "Key groups").
namespace pgveil::relay {

/// Why the plan may not be carried out with these keys: 42501, naming column and key group.
/// Nothing, if they cover all that it seals, opens or compares; of a column with
/// `on_missing_key: null` they need not cover what is only returned.
std::optional<Refusal> missing_group(
    const share::RequestKeys& keys, const analysis::StatementPlan& plan
);

/// Whether the client gets NULL in place of a value of this column under this key.
bool is_hidden(
    const share::RequestKeys& keys, const field::ProtectedColumn& column, std::uint32_t key_id
);

}  // namespace pgveil::relay
