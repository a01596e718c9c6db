#include "keyshare/attest/customer_key.hpp"

#include "keyshare/attest/bytes_out.hpp"
#include "keyshare/attest/object_attributes.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/core/lp.hpp"

#include <array>

namespace pgveil::attest {
namespace {

// TPM_CC of Part 2, section 6.5.2.
constexpr std::uint32_t kDuplicate = 0x14b;
constexpr std::uint32_t kPolicyCommandCode = 0x16c;
constexpr std::uint32_t kPolicyDuplicationSelect = 0x188;
constexpr std::size_t kCustomerCoordinate = 32;

/// The policy of the DUP role, the only one that a key's policy is asked for here.
core::Bytes move_policy(const KeyDesign& design) {
    core::invariant(
        design.authority.has_value() == (design.migration == Migration::kControlled),
        "a key has an authority if that controls its migration"
    );
    if (design.migration == Migration::kNone) {
        return {};
    }
    if (design.authority) {
        return core::to_bytes(approved_policy(design.authority->key, design.authority->purpose));
    }
    BytesOut out;
    out.raw(Sha256Digest{}).u32(kPolicyCommandCode).u32(kDuplicate);
    return core::to_bytes(core::sha256(out.bytes()));
}

BytesOut customer_head(const KeyDesign& design) {
    const bool signs = design.use == KeyUse::kSigning;
    std::uint32_t attributes = kSensitiveDataOrigin | kUserWithAuth | kNoDictionaryAttack;
    attributes |= signs ? kSign : kDecrypt;
    attributes |= design.migration == Migration::kNone ? kFixedTpm | kFixedParent : 0;
    BytesOut out;
    out.u16(kAlgEcc).u16(kAlgSha256).u32(attributes).sized(move_policy(design));
    out.u16(kAlgNull);
    if (signs) {
        out.u16(kAlgEcdsa).u16(kAlgSha256);
    } else {
        out.u16(kAlgEcdh).u16(kAlgSha256);
    }
    out.u16(kCurveP256).u16(kAlgNull);
    return out;
}

}  // namespace

core::Bytes key_template(const KeyDesign& design) {
    const std::array<std::uint8_t, kCustomerCoordinate> zeros{};
    BytesOut out = customer_head(design);
    out.sized(zeros).sized(zeros);
    return std::move(out).take();
}

core::Bytes public_area(const KeyDesign& design, const core::PublicPoint& point) {
    const core::ByteView coordinates = point.bytes().subspan(1);
    BytesOut out = customer_head(design);
    out.sized(coordinates.first(kCustomerCoordinate)).sized(coordinates.last(kCustomerCoordinate));
    return std::move(out).take();
}

Name name_of(const KeyDesign& design, const core::PublicPoint& point) {
    return name_of(public_area(design, point));
}

Sha256Digest duplication_policy(const Name& new_parent) {
    BytesOut out;
    out.raw(Sha256Digest{}).u32(kPolicyDuplicationSelect).raw(new_parent);
    out.raw(std::array{std::uint8_t{0}});  // includeObject: any of the keys under this authority
    return core::sha256(out.bytes());
}

Sha256Digest migration_purpose(std::string_view tenant) {
    return core::sha256(
        core::length_prefixed({core::as_bytes("pgveil/1 key migration"), core::as_bytes(tenant)})
    );
}

}  // namespace pgveil::attest
