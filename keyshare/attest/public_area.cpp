#include "keyshare/attest/public_area.hpp"

#include "keyshare/attest/bytes_out.hpp"
#include "keyshare/attest/object_attributes.hpp"

#include <algorithm>

namespace pgveil::attest {
namespace {

constexpr std::uint16_t kAesBits = 128;
constexpr std::uint32_t kMadeHere = kFixedTpm | kFixedParent | kSensitiveDataOrigin;

// TPMA_NV
constexpr std::uint32_t kNvAuthWrite = 1U << 2U;
constexpr std::uint32_t kNvCounter = 1U << 4U;
constexpr std::uint32_t kNvAuthRead = 1U << 18U;
constexpr std::uint32_t kNvNoDictionaryAttack = 1U << 25U;
constexpr std::uint32_t kNvWritten = 1U << 29U;
constexpr std::uint16_t kCounterSize = 8;

constexpr std::uint32_t kEndorsementHierarchy = 0x4000000b;
constexpr std::size_t kCoordinateSize = 32;

/// PolicySecret(endorsement hierarchy), as the profile says.
constexpr core::Sha256Digest kEndorsementPolicy = {
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
    0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa};

std::uint32_t attributes_of(KeyKind kind) {
    switch (kind) {
        case KeyKind::kEndorsement: return kMadeHere | kAdminWithPolicy | kRestricted | kDecrypt;
        case KeyKind::kStorageRoot:
            return kMadeHere | kUserWithAuth | kNoDictionaryAttack | kRestricted | kDecrypt;
        case KeyKind::kAttestation:
            return kMadeHere | kUserWithAuth | kNoDictionaryAttack | kRestricted | kSign;
        case KeyKind::kApprover: break;
    }
    return kUserWithAuth | kSign;
}

/// Everything before the point.
BytesOut head_of(KeyKind kind) {
    const bool decrypts = (attributes_of(kind) & kDecrypt) != 0;
    BytesOut out;
    out.u16(kAlgEcc).u16(kAlgSha256).u32(attributes_of(kind));
    out.sized(
        kind == KeyKind::kEndorsement ? core::ByteView(kEndorsementPolicy) : core::ByteView()
    );
    if (decrypts) {
        out.u16(kAlgAes).u16(kAesBits).u16(kAlgCfb).u16(kAlgNull);
    } else {
        out.u16(kAlgNull).u16(kAlgEcdsa).u16(kAlgSha256);
    }
    out.u16(kCurveP256).u16(kAlgNull);
    return out;
}

Name named(core::ByteView hashed) {
    Name name{};
    std::ranges::copy(core::big_endian16(kAlgSha256), name.begin());
    std::ranges::copy(core::sha256(hashed), name.begin() + 2);
    return name;
}

}  // namespace

core::Bytes public_area(KeyKind kind, const core::PublicPoint& point) {
    const core::ByteView coordinates = point.bytes().subspan(1);
    BytesOut out = head_of(kind);
    out.sized(coordinates.first(kCoordinateSize)).sized(coordinates.last(kCoordinateSize));
    return std::move(out).take();
}

core::Bytes key_template(KeyKind kind) {
    const std::array<std::uint8_t, kCoordinateSize> zeros{};
    BytesOut out = head_of(kind);
    out.sized(zeros).sized(zeros);
    return std::move(out).take();
}

core::Bytes certified_key_template() {
    constexpr std::uint16_t kModulusBits = 2048;
    const std::array<std::uint8_t, 256> zeros{};
    BytesOut out;
    out.u16(kAlgRsa).u16(kAlgSha256).u32(attributes_of(KeyKind::kEndorsement));
    out.sized(kEndorsementPolicy).u16(kAlgAes).u16(kAesBits).u16(kAlgCfb).u16(kAlgNull);
    out.u16(kModulusBits).u32(0).sized(zeros);
    return std::move(out).take();
}

core::Bytes sealed_template(const core::Sha256Digest& policy) {
    BytesOut out;
    out.u16(kAlgKeyedHash).u16(kAlgSha256);
    out.u32(kFixedTpm | kFixedParent | kAdminWithPolicy | kNoDictionaryAttack);
    out.sized(policy).u16(kAlgNull).sized({});
    return std::move(out).take();
}

Name name_of(core::ByteView public_area) {
    return named(public_area);
}

Name name_of(KeyKind kind, const core::PublicPoint& point) {
    return named(public_area(kind, point));
}

core::Bytes counter_area(std::uint32_t index, bool is_written) {
    BytesOut out;
    out.u32(index).u16(kAlgSha256);
    out.u32(
        kNvAuthWrite | kNvCounter | kNvAuthRead | kNvNoDictionaryAttack |
        (is_written ? kNvWritten : 0)
    );
    out.sized({}).u16(kCounterSize);
    return std::move(out).take();
}

Name counter_name(std::uint32_t index) {
    return named(counter_area(index, true));
}

Name qualified_name(const Name& name) {
    BytesOut out;
    out.u32(kEndorsementHierarchy).raw(name);
    return named(out.bytes());
}

}  // namespace pgveil::attest
