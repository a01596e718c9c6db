#include "keyshare/quorum/transcript.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/quorum/curve.hpp"
#include "keyshare/quorum/group.hpp"
#include "keyshare/quorum/little_endian.hpp"
#include "keyshare/quorum/signatures.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace pgveil::quorum {
namespace {

using core::as_bytes;
using core::Bytes;
using core::ByteView;

constexpr std::size_t kTranscriptContextMax = 64;
constexpr std::size_t kBoundExtensionMax = std::size_t{128} * 1024;
constexpr std::string_view kDkgCertificate = "pgveil/1 dkg certificate";

Error malformed_transcript() {
    return {ErrorCode::kMalformed, "not a transcript of " + std::string(kSuite), {}};
}

// Takes a transcript apart from the front; the first thing that does not fit makes every later
// answer empty.
class TranscriptReader {
public:
    explicit TranscriptReader(ByteView bytes) : rest_(bytes) {}

    ByteView take(std::size_t size) {
        if (failed_ || size > rest_.size()) {
            failed_ = true;
            return {};
        }
        const ByteView out = rest_.first(size);
        rest_ = rest_.subspan(size);
        return out;
    }

    std::uint64_t number(std::size_t size) {
        std::uint64_t out = 0;
        const ByteView bytes = take(size);
        for (std::size_t i = bytes.size(); i > 0; --i) {
            out = out << 8U | bytes[i - 1];
        }
        return out;
    }

    ByteView sized(std::size_t most) {
        const std::uint64_t size = number(8);
        failed_ = failed_ || size > most;
        return failed_ ? ByteView() : take(size);
    }

    std::vector<core::PublicPoint> points(std::size_t count) {
        std::vector<core::PublicPoint> out;
        while (out.size() < count && !failed_) {
            const auto point = decompressed(take(kCompressedSize));
            if (point.has_value()) {
                out.push_back(*point);
            } else {
                failed_ = true;
            }
        }
        return out;
    }

    SchnorrSignature signature() {
        SchnorrSignature out{};
        std::ranges::copy(take(kSchnorrSize), out.begin());
        return out;
    }

    bool failed() const { return failed_; }

    bool ok() const { return !failed_ && rest_.empty(); }

private:
    ByteView rest_;
    bool failed_ = false;
};

std::optional<std::vector<DealingHead>> read_dealing_heads(
    TranscriptReader& reader, std::uint32_t members, std::uint32_t threshold
) {
    std::vector<std::vector<core::PublicPoint>> commitments;
    std::vector<SchnorrSignature> proofs;
    commitments.reserve(members);
    proofs.reserve(members);
    for (std::uint32_t j = 0; j < members; ++j) {
        commitments.push_back(reader.points(threshold));
    }
    for (std::uint32_t j = 0; j < members; ++j) {
        proofs.push_back(reader.signature());
    }
    const auto ephemerals = reader.points(members);
    if (reader.failed()) {
        return std::nullopt;
    }
    std::vector<DealingHead> out;
    out.reserve(members);
    for (std::uint32_t j = 0; j < members; ++j) {
        out.push_back({std::move(commitments[j]), proofs[j], ephemerals[j]});
    }
    return out;
}

}  // namespace

Bytes context_of(ByteView session, const std::vector<core::PublicPoint>& members) {
    Bytes message = core::to_bytes(as_bytes("COCKTAIL-DKG-CONTEXT"));
    core::append(message, core::big_endian64(session.size()));
    core::append(message, session);
    core::append(message, core::big_endian64(kSuite.size()));
    core::append(message, as_bytes(kSuite));
    core::append(message, little_endian32(static_cast<std::uint32_t>(members.size())));
    for (const core::PublicPoint& member : members) {
        core::append(message, compressed(member));
    }
    return core::to_bytes(core::sha256(message));
}

Bytes serialize(const Transcript& transcript) {
    Bytes out;
    const auto sized = [&out](ByteView bytes) {
        core::append(out, little_endian64(bytes.size()));
        core::append(out, bytes);
    };
    sized(as_bytes(kSuite));
    sized(transcript.context);
    core::append(out, little_endian32(static_cast<std::uint32_t>(transcript.members.size())));
    core::append(out, little_endian32(transcript.threshold));
    for (const core::PublicPoint& member : transcript.members) {
        core::append(out, compressed(member));
    }
    for (const DealingHead& head : transcript.heads) {
        for (const core::PublicPoint& point : head.commitment) {
            core::append(out, compressed(point));
        }
    }
    for (const DealingHead& head : transcript.heads) {
        core::append(out, head.proof);
    }
    for (const DealingHead& head : transcript.heads) {
        core::append(out, compressed(head.ephemeral));
    }
    sized(transcript.extension);
    return out;
}

Result<Transcript> parse_transcript(ByteView bytes) {
    TranscriptReader reader(bytes);
    if (!std::ranges::equal(reader.sized(kSuite.size()), as_bytes(kSuite))) {
        return malformed_transcript();
    }
    Transcript out;
    out.context = core::to_bytes(reader.sized(kTranscriptContextMax));
    const auto members = static_cast<std::uint32_t>(reader.number(4));
    out.threshold = static_cast<std::uint32_t>(reader.number(4));
    if (reader.failed() || members > kMembersMax || out.threshold == 0 || out.threshold > members) {
        return malformed_transcript();
    }
    out.members = reader.points(members);
    auto heads = read_dealing_heads(reader, members, out.threshold);
    out.extension = core::to_bytes(reader.sized(kBoundExtensionMax));
    if (!heads.has_value() || !reader.ok()) {
        return malformed_transcript();
    }
    out.heads = *std::move(heads);
    return out;
}

Bytes serialize(const Certificate& certificate) {
    return core::length_prefixed(
        {as_bytes(kDkgCertificate), certificate.transcript, joined(certificate.signatures)}
    );
}

Result<Certificate> parse_certificate(ByteView bytes) {
    const auto parts = core::split_length_prefixed(bytes, 3);
    if (!parts.has_value() || !std::ranges::equal((*parts)[0], as_bytes(kDkgCertificate))) {
        return Error{ErrorCode::kMalformed, "not a certificate of a key generation", {}};
    }
    const auto transcript = parse_transcript((*parts)[1]);
    if (!transcript.has_value()) {
        return transcript.error();
    }
    auto signatures = split_signatures((*parts)[2], transcript->members.size());
    if (!signatures.has_value()) {
        return signatures.error();
    }
    return Certificate{core::to_bytes((*parts)[1]), *std::move(signatures)};
}

}  // namespace pgveil::quorum
