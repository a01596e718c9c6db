#pragma once

#include "keyshare/share/denial.hpp"
#include "keyshare/share/request_keys.hpp"
#include "keyshare/share/token.hpp"
#include "keyshare/store/limits.hpp"
#include "keyshare/store/opened_tokens.hpp"
#include "keyshare/store/sealed_store.hpp"
#include "keyshare/store/snapshot.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace pgveil::store {

/// What rebuilding looks at besides the shares. Borrowed for the call.
struct RebuildContext {
    std::string_view tenant;
    const share::Digest& identity_fingerprint;
    const TokenLimits& limits;
    const Snapshot& snapshot;
    std::int64_t now_s;
};

struct Rebuilt {
    share::RequestKeys keys;
    OpenedTokenPtr token;
    std::int64_t now_s;
    std::optional<std::uint32_t>
        renewed_epoch;  ///< these shares replace others that P still holds, which can go
};

/// Opens the token, unless `opened` is this very token opened before, checks token and shares
/// against the user's record, puts TK together per group, checks key check and "0", and derives
/// the KEKs. TK and the other parts are wiped when it returns, TKu with the last holder of the
/// token. Pure; any thread. Who may present the token (nonce and login) is the caller's to check,
/// last.
share::Verdict<Rebuilt> rebuild_keys(
    const RebuildContext& context,
    const share::PresentedShares& presented,
    const OpenedTokenPtr& opened
);

}  // namespace pgveil::store
