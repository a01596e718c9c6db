#include "keyshare/share/audit_head.hpp"

#include "keyshare/share/json_fields.hpp"

namespace pgveil::share {
namespace {

constexpr std::string_view kType = "pgveil-audit-head";

std::string payload_of(const AuditHead& head) {
    return write_json(Json{
        {"tenant", head.tenant},
        {"n", head.sequence},
        {"hash", json_digest(head.hash)},
        {"at", head.at_s}});
}

}  // namespace

std::string sign_audit_head(const AuditHead& head, const core::SigningKey& identity) {
    return core::sign_jws(identity, kType, core::as_bytes(payload_of(head)));
}

Result<AuditHead> verify_audit_head(
    std::string_view jws, const core::VerifyingKey& identity, std::string_view tenant
) {
    const Error forged{
        ErrorCode::kForged, "the signature of the audit log's head is wrong, or it is no head"};
    const auto parts = core::parse_jws(jws);
    if (!parts.has_value()) {
        return forged;
    }
    if (parts->kid != identity.point().fingerprint_text()) {
        return Error{ErrorCode::kForeign, "the head of the audit log is signed by another key"};
    }
    const auto payload = core::verify_jws(identity, kType, jws);
    if (!payload.has_value()) {
        return forged;
    }
    const std::string_view text = core::as_text(*payload);
    JsonReader reader(text);
    AuditHead head;
    head.tenant = reader.plain_name("tenant");
    head.sequence = reader.u64("n");
    head.hash = reader.digest("hash");
    head.at_s = reader.time("at");
    if (!reader.ok() || payload_of(head) != text) {
        return forged;
    }
    if (head.tenant != tenant) {
        return Error{ErrorCode::kForeign, "the head of the audit log is for tenant " + head.tenant};
    }
    return head;
}

}  // namespace pgveil::share
