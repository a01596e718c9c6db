#include "keyshare/share/binary_fields.hpp"
#include "keyshare/share/proxy_bootstrap.hpp"

#include <utility>

namespace pgveil::share {
namespace {

constexpr std::string_view kFormat = "pgveil/1 proxy bootstrap";

core::ByteView bytes_of(const std::optional<core::PublicPoint>& point) {
    return point ? point->bytes() : core::ByteView();
}

}  // namespace

core::SecretBytes ProxyBootstrap::save() const {
    FieldWriter writer(kFormat);
    writer.u32(static_cast<std::uint32_t>(stage_))
        .text(verifier_)
        .bytes(expected_tenant_ ? core::ByteView(*expected_tenant_) : core::ByteView())
        .i64(pinned_at_s_)
        .i64(closed_at_s_)
        .bytes(bytes_of(tenant_signing_))
        .bytes(bytes_of(tenant_sealing_))
        .u32(static_cast<std::uint32_t>(groups_.size()));
    for (const std::string& group : groups_) {
        writer.text(group);
    }
    writer.bytes(contribution_ ? core::ByteView(contribution_->reveal()) : core::ByteView())
        .bytes(
            contribution_key_ ? core::ByteView(contribution_key_->scalar.reveal())
                              : core::ByteView()
        )
        .bytes(hello_)
        .bytes(contribution_message_)
        .bytes(confirmation_)
        .text(offer_)
        .text(handover_)
        .text(close_receipt_)
        .bytes(expected_mac_)
        .text(serialize(keyring_));
    return std::move(writer).finish();
}

bool ProxyBootstrap::holds_what_its_stage_needs() const {
    const bool pinned = tenant_signing_.has_value() && tenant_sealing_.has_value();
    switch (stage_) {
        case Stage::kOrdered: return true;
        case Stage::kOffered:
            return pinned && contribution_.has_value() && contribution_key_.has_value() &&
                   !groups_.empty() && core::jws_hash(offer_).has_value();
        case Stage::kHandedOver: return pinned && core::jws_hash(handover_).has_value();
        case Stage::kClosed: return pinned;
    }
    return false;
}

Result<ProxyBootstrap> ProxyBootstrap::restore(core::ByteView saved) {
    FieldReader reader(saved, kFormat);
    ProxyBootstrap bootstrap;
    bootstrap.stage_ = static_cast<Stage>(reader.u32());
    bootstrap.verifier_ = reader.text();
    bootstrap.expected_tenant_ = reader.optional_digest();
    bootstrap.pinned_at_s_ = reader.i64();
    bootstrap.closed_at_s_ = reader.i64();
    bootstrap.tenant_signing_ = reader.optional_point();
    bootstrap.tenant_sealing_ = reader.optional_point();
    for (std::uint32_t left = reader.u32(); left > 0 && !reader.failed(); --left) {
        bootstrap.groups_.push_back(reader.group_name());
    }
    bootstrap.contribution_ = reader.optional_secret<ProxyContribution>();
    if (auto scalar = reader.optional_secret<core::Scalar>()) {
        auto pair = core::HpkeKeyPair::from_scalar(*std::move(scalar));
        if (pair.has_value()) {
            bootstrap.contribution_key_ = *std::move(pair);
        }
    }
    bootstrap.hello_ = reader.digest();
    bootstrap.contribution_message_ = reader.digest();
    bootstrap.confirmation_ = reader.digest();
    bootstrap.offer_ = reader.text();
    bootstrap.handover_ = reader.text();
    bootstrap.close_receipt_ = reader.text();
    bootstrap.expected_mac_ = reader.digest();
    auto keyring = parse_keyring(reader.text());
    if (!reader.ok() || !keyring.has_value() || !bootstrap.holds_what_its_stage_needs()) {
        return Error{
            ErrorCode::kMalformed, "the stored bootstrap has a form this program does not know"};
    }
    bootstrap.keyring_ = *std::move(keyring);
    return bootstrap;
}

}  // namespace pgveil::share
