#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/share/key_kinds.hpp"

namespace pgveil::share {

/// One user's three parts of one group's TK: TK = TKu xor TKa xor TKp.
struct Triple {
    UserPart user;
    AppPart app;
    ProxyPart proxy;
};

/// Splits TK: TKu and TKa are drawn uniformly, TKp is computed. Any two parts say nothing about TK.
/// Parts carry no authentication of their own: wrong ones combine to a wrong key, which only the
/// key check notices.
Triple split(const TenantKey& key, core::RandomSource& random);

/// Splits TK keeping a given TKu (renewal of the other two parts).
Triple split_keeping(const TenantKey& key, const UserPart& user, core::RandomSource& random);

/// Puts TK together. Never fails; check the result with `key_check_of`.
TenantKey combine(const UserPart& user, const AppPart& app, const ProxyPart& proxy);

}  // namespace pgveil::share
