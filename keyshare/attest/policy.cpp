#include "keyshare/attest/policy.hpp"

#include "keyshare/attest/bytes_out.hpp"
#include "keyshare/core/invariant.hpp"

#include <algorithm>
#include <array>

namespace pgveil::attest {
namespace {

constexpr std::uint32_t kPolicyNv = 0x149;
constexpr std::uint32_t kPolicyAuthorize = 0x16a;
constexpr std::uint32_t kPolicyPcr = 0x17f;
constexpr std::uint16_t kPolicyHash = 0x000b;  // SHA-256
constexpr std::uint16_t kUnsignedAtMost = 0x0009;
constexpr std::uint32_t kBits = 8;

}  // namespace

PcrSelection selection_of(const PcrValues& values) {
    PcrSelection selection;
    for (const auto& [number, value] : values) {
        selection.insert(number);
    }
    return selection;
}

core::Bytes selection_bytes(const PcrSelection& selection) {
    std::array<std::uint8_t, kPcrCount / kBits> bits{};
    for (const std::uint32_t number : selection) {
        core::invariant(number < kPcrCount, "there are 24 registers");
        bits.at(number / kBits) |= static_cast<std::uint8_t>(1U << (number % kBits));
    }
    BytesOut out;
    out.u32(1).u16(kPolicyHash).raw(std::array{static_cast<std::uint8_t>(bits.size())}).raw(bits);
    return std::move(out).take();
}

Sha256Digest digest_of(const PcrValues& values) {
    BytesOut out;
    for (const auto& [number, value] : values) {
        out.raw(value);
    }
    return core::sha256(out.bytes());
}

Sha256Digest pcr_policy(const PcrValues& values) {
    BytesOut out;
    out.raw(Sha256Digest{}).u32(kPolicyPcr);
    out.raw(selection_bytes(selection_of(values))).raw(digest_of(values));
    return core::sha256(out.bytes());
}

Sha256Digest approved_policy(const core::PublicPoint& approver, const Sha256Digest& purpose) {
    BytesOut first;
    first.raw(Sha256Digest{}).u32(kPolicyAuthorize).raw(name_of(KeyKind::kApprover, approver));
    return core::sha256({core::sha256(first.bytes()), purpose});
}

Sha256Digest not_after(
    const Sha256Digest& policy, std::uint32_t counter_index, std::uint64_t generation
) {
    BytesOut arguments;
    arguments.raw(core::big_endian64(generation)).u16(0).u16(kUnsignedAtMost);
    BytesOut out;
    out.raw(policy).u32(kPolicyNv).raw(core::sha256(arguments.bytes()));
    out.raw(counter_name(counter_index));
    return core::sha256(out.bytes());
}

}  // namespace pgveil::attest
