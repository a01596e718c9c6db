#include "keyshare/attest/quote.hpp"

#include "keyshare/attest/bytes_in.hpp"

#include <algorithm>
#include <tuple>

namespace pgveil::attest {
namespace {

constexpr std::uint32_t kMagic = 0xff544347;  // TPM_GENERATED_VALUE: "\xffTCG"
constexpr std::uint16_t kQuote = 0x8018;
constexpr std::uint16_t kCertify = 0x8017;
constexpr std::uint16_t kCreation = 0x801a;

/// What every statement begins with.
struct Head {
    std::uint32_t magic = 0;
    std::uint16_t kind = 0;
    core::ByteView signer;
    core::ByteView extra;
    QuoteFacts facts;
    bool has_odd_flag = false;
};

Head read_head(BytesIn& in) {
    Head head;
    head.magic = in.u32();
    head.kind = in.u16();
    head.signer = in.sized();
    head.extra = in.sized();
    head.facts.clock.milliseconds = in.u64();
    head.facts.clock.reset_count = in.u32();
    head.facts.clock.restart_count = in.u32();
    const std::uint8_t safe = in.u8();
    head.facts.clock.is_safe = safe == 1;
    head.has_odd_flag = safe > 1;
    head.facts.firmware = in.u64();
    return head;
}

bool is_equal(core::ByteView left, core::ByteView right) {
    return std::ranges::equal(left, right);
}

/// Why the beginning is not what is expected; empty if it is.
std::string objection(
    const Signed& said,
    const Head& head,
    const core::PublicPoint& key,
    std::uint16_t kind,
    const Sha256Digest& extra
) {
    if (!core::VerifyingKey(key).verify(said.statement, said.signature)) {
        return "its signature is not of the attestation key";
    }
    if (head.magic != kMagic) {
        return "it does not begin as what a TPM itself has made (magic number)";
    }
    if (head.kind != kind || head.has_odd_flag) {
        return "it is a statement of another kind";
    }
    if (!is_equal(head.signer, qualified_name(name_of(KeyKind::kAttestation, key)))) {
        return "the key that signed is not an attestation key of the endorsement hierarchy";
    }
    if (!is_equal(head.extra, extra)) {
        return "it answers another question (nonce), or is bound to another proxy's key or request";
    }
    return {};
}

/// What a TPM may lose of its clock when the power goes, at most (TPM 2.0 Library, Part 1, section
/// 36.3: the interval of its updates in permanent memory).
constexpr std::uint64_t kLostMilliseconds = std::uint64_t{1} << 22U;

bool is_older(const Clock& now, const Clock& last) {
    const auto order = [](const Clock& clock) {
        return std::tuple(clock.reset_count, clock.restart_count);
    };
    const bool has_lost_power = now.reset_count > last.reset_count && !now.is_safe;
    const std::uint64_t lost = has_lost_power ? kLostMilliseconds : 0;
    return order(now) < order(last) || now.milliseconds + lost < last.milliseconds;
}

Error refused(const std::string& why) {
    return Error{"the TPM's statement is not believed: " + why};
}

}  // namespace

Result<QuoteFacts> verify_quote(const Signed& quote, const QuoteExpectation& expected) {
    BytesIn in(quote.statement);
    const Head head = read_head(in);
    const core::Bytes selection = selection_bytes(selection_of(expected.registers));
    const core::ByteView selected = in.raw(selection.size());
    const core::ByteView digest = in.sized();
    const std::string why_not =
        objection(quote, head, expected.attestation_key, kQuote, expected.extra);
    if (!why_not.empty()) {
        return refused(why_not);
    }
    if (!in.ok() || !is_equal(selected, selection)) {
        return refused("it is about other registers (PCRs), or is cut");
    }
    if (!is_equal(digest, digest_of(expected.registers))) {
        return refused("the registers (PCRs) hold other values: another program, settings or policy"
        );
    }
    if (expected.last && is_older(head.facts.clock, *expected.last)) {
        return refused(
            "its clock or counters went back since the last time: the memory of a virtual TPM was "
            "put back, the TPM was cleared, or this is an old statement"
        );
    }
    return head.facts;
}

namespace {

/// What a statement about one key says: its name, and 34 or 32 bytes more that only the TPM can
/// judge (the qualified name, the digest of what it was made with).
Result<QuoteFacts> verify_about(
    const Signed& certificate,
    const core::PublicPoint& attestation_key,
    std::uint16_t kind,
    const Sha256Digest& extra,
    const Name& about
) {
    BytesIn in(certificate.statement);
    const Head head = read_head(in);
    const core::ByteView name = in.sized();
    const core::ByteView rest = in.sized();
    const std::string why_not = objection(certificate, head, attestation_key, kind, extra);
    if (!why_not.empty()) {
        return refused(why_not);
    }
    const std::size_t rest_size = kind == kCertify ? about.size() : core::kSha256Size;
    if (!in.ok() || rest.size() != rest_size || !is_equal(name, about)) {
        return refused("it is about another key, or one with other attributes");
    }
    return head.facts;
}

}  // namespace

Result<QuoteFacts> verify_certificate(
    const Signed& certificate,
    const core::PublicPoint& attestation_key,
    const Sha256Digest& extra,
    const Name& certified
) {
    return verify_about(certificate, attestation_key, kCertify, extra, certified);
}

Result<QuoteFacts> verify_creation(
    const Signed& certificate,
    const core::PublicPoint& attestation_key,
    const Sha256Digest& extra,
    const Name& created
) {
    return verify_about(certificate, attestation_key, kCreation, extra, created);
}

}  // namespace pgveil::attest
