#include "keyshare/attest/approval.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/core/lp.hpp"

#include <algorithm>

namespace pgveil::attest {
namespace {

constexpr std::string_view kPrefix = "pgvap1.";
constexpr std::uint32_t kTries = 8;  // one in 2^32 scalars is out of range

}  // namespace

core::SigningKey approver_of(const core::SigningKey& tenant) {
    const core::Scalar scalar = tenant.scalar();
    for (std::uint32_t attempt = 0; attempt < kTries; ++attempt) {
        const core::Bytes info =
            core::length_prefixed({core::as_bytes("pgveil/1 approver"), core::big_endian32(attempt)}
            );
        auto key = core::SigningKey::from_scalar(core::derive<core::Scalar>(scalar.reveal(), info));
        if (key.has_value()) {
            return *std::move(key);
        }
    }
    core::invariant(false, "one of eight scalars is in range");
    return core::SigningKey::generate();
}

Sha256Digest seal_purpose(std::string_view tenant) {
    return core::sha256(
        core::length_prefixed({core::as_bytes("pgveil/1 seal approval"), core::as_bytes(tenant)})
    );
}

namespace {

core::Bytes approved_bytes(const Sha256Digest& policy, const Sha256Digest& purpose) {
    core::Bytes bytes = core::to_bytes(policy);
    core::append(bytes, purpose);
    return bytes;
}

}  // namespace

Approval approve(
    const core::SigningKey& approver, const Sha256Digest& policy, const Sha256Digest& purpose
) {
    return {policy, approver.sign(approved_bytes(policy, purpose))};
}

bool verify(
    const Approval& approval, const core::PublicPoint& approver, const Sha256Digest& purpose
) {
    return core::VerifyingKey(approver).verify(
        approved_bytes(approval.policy, purpose), approval.signature
    );
}

std::string to_text(const Approval& approval) {
    core::Bytes bytes = core::to_bytes(approval.policy);
    core::append(bytes, approval.signature);
    return std::string(kPrefix) + core::base64url_encode(bytes);
}

Result<Approval> parse_approval(std::string_view text) {
    Approval approval;
    if (!text.starts_with(kPrefix)) {
        return Error{"this is no approval: it does not begin with " + std::string(kPrefix)};
    }
    const auto bytes = core::base64url_decode(text.substr(kPrefix.size()));
    if (!bytes.has_value() || bytes->size() != approval.policy.size() + approval.signature.size()) {
        return Error{"this approval was altered or cut"};
    }
    const auto middle = bytes->begin() + static_cast<std::ptrdiff_t>(approval.policy.size());
    std::copy(bytes->begin(), middle, approval.policy.begin());
    std::copy(middle, bytes->end(), approval.signature.begin());
    return approval;
}

Result<std::vector<Approval>> parse_approvals(std::string_view text) {
    std::vector<Approval> approvals;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        if (line.empty() || line.front() == '#') {
            continue;
        }
        const auto approval = parse_approval(line);
        if (!approval.has_value()) {
            return Error{"line " + std::to_string(number) + ": " + approval.error().message};
        }
        approvals.push_back(*approval);
    }
    return approvals;
}

}  // namespace pgveil::attest
