#pragma once

#include "keyshare/core/jws.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/key_kinds.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pgveil::share {

/// P's word that its audit log held this line, and by its hash all lines before it.
struct AuditHead {
    std::string tenant;
    std::uint64_t sequence = 0;  ///< number of the line
    Digest hash{};               ///< of the line, as docs/FORMATS.md has it
    std::int64_t at_s = 0;       ///< Unix time of the signature

    friend bool operator==(const AuditHead&, const AuditHead&) = default;
};

/// JWS by P's identity key, typ "pgveil-audit-head": no receipt or key statement can stand for one,
/// nor the other way round.
std::string sign_audit_head(const AuditHead& head, const core::SigningKey& identity);

/// kForeign: another key signed it, or it is for another tenant. kForged: the signature is wrong,
/// or it is no head.
Result<AuditHead> verify_audit_head(
    std::string_view jws, const core::VerifyingKey& identity, std::string_view tenant
);

}  // namespace pgveil::share
