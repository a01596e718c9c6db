#include "keyshare/tenant/attestation.hpp"

#include "keyshare/share/binary_fields.hpp"
#include "keyshare/tenant/home_state.hpp"

namespace pgveil::tenant {

namespace {

constexpr std::string_view kFormat = "pgveil/1 attestation";

}  // namespace

core::SecretBytes serialize(const Attestation& attestation) {
    share::FieldWriter out(kFormat);
    out.point(attestation.keys.endorsement).point(attestation.keys.attestation);
    out.bytes(attestation.identity).bytes(attestation.nonce).bytes(attestation.secret.reveal());
    const attest::Clock clock = attestation.clock.value_or(attest::Clock{});
    out.u64(clock.milliseconds).u32(clock.reset_count).u32(clock.restart_count);
    out.u32(attestation.clock ? 1 : 0).i64(attestation.believed_at_s);
    return std::move(out).finish();
}

std::optional<Attestation> parse_attestation(core::ByteView bytes) {
    share::FieldReader in(bytes, kFormat);
    const auto endorsement = in.point();
    const auto key = in.point();
    if (!endorsement || !key) {
        return std::nullopt;
    }
    Attestation read{{*endorsement, *key}, {}, {}, {}, {}, 0};
    read.identity = in.digest();
    read.nonce = in.digest();
    read.secret = core::SecretBytes::copy_of(in.bytes());
    attest::Clock clock;
    clock.milliseconds = in.u64();
    clock.reset_count = in.u32();
    clock.restart_count = in.u32();
    if (in.u32() == 1) {
        read.clock = clock;
    }
    read.believed_at_s = in.i64();
    return in.ok() ? std::optional(std::move(read)) : std::nullopt;
}

Result<void> check_attested(
    const HomeState& state, const attest::Sha256Digest& identity, std::int64_t now_s
) {
    if (state.attestation.empty()) {
        return {};
    }
    const auto pinned = parse_attestation(state.attestation.reveal());
    if (!pinned) {
        return user::unusable("the home was written by another version of pgveil-tenant");
    }
    if (pinned->believed_at_s == 0 || pinned->believed_at_s > now_s ||
        now_s - pinned->believed_at_s > kEvidenceValidS) {
        return user::failed(
            "this home asks for a proxy that its TPM has attested, and no evidence was believed "
            "within the last hour: run `pgveil-tenant attest ask` and `attest verify` first"
        );
    }
    if (pinned->identity != identity) {
        return user::failed(
            "the evidence that was believed is about another proxy identity than this one: it is "
            "not the proxy that the TPM vouched for"
        );
    }
    return {};
}

}  // namespace pgveil::tenant
