#include "keyshare/quorum/signatures.hpp"

#include "keyshare/core/invariant.hpp"

#include <algorithm>

namespace pgveil::quorum {

using core::Bytes;
using core::ByteView;

Bytes joined(std::span<const SchnorrSignature> signatures) {
    Bytes out;
    for (const SchnorrSignature& signature : signatures) {
        core::append(out, signature);
    }
    return out;
}

Result<std::vector<SchnorrSignature>> split_signatures(ByteView bytes, std::size_t count) {
    if (bytes.size() != count * kSchnorrSize) {
        return Error{ErrorCode::kMalformed, "a certificate has one signature of each member", {}};
    }
    std::vector<SchnorrSignature> out(count);
    for (SchnorrSignature& signature : out) {
        std::ranges::copy(bytes.first(kSchnorrSize), signature.begin());
        bytes = bytes.subspan(kSchnorrSize);
    }
    return out;
}

Result<std::vector<SchnorrSignature>> check_signatures(
    const std::vector<core::PublicPoint>& members,
    ByteView message,
    std::span<const Bytes> signatures
) {
    Faults faults;
    Bytes all;
    for (std::uint32_t index = 1; index <= members.size(); ++index) {
        if (index > signatures.size() || signatures[index - 1].empty()) {
            faults.missing(index);
        } else if (!schnorr_verify(members[index - 1], message, signatures[index - 1])) {
            faults.cheating(index, "its signature does not fit what the others saw");
        } else {
            core::append(all, signatures[index - 1]);
        }
    }
    if (!faults.none()) {
        return faults.error("signature");
    }
    return split_signatures(all, members.size());
}

Error Faults::error(const std::string& what) const {
    core::invariant(!none(), "an error has a reason");
    Error out;
    if (!cheating_.empty()) {
        out.code = ErrorCode::kCheating;
        for (const auto& [index, fault] : cheating_) {
            out.message += (out.message.empty() ? "" : "; ") + ("member " + std::to_string(index)) +
                           ": " + fault;
            out.participants.push_back(index);
        }
        return out;
    }
    out.code = ErrorCode::kMissing;
    for (const std::uint32_t index : missing_) {
        out.message +=
            (out.message.empty() ? "no " + what + " of member " : ", ") + std::to_string(index);
    }
    out.participants = missing_;
    return out;
}

}  // namespace pgveil::quorum
