#include "keyshare/custodian/evidence.hpp"

#include "keyshare/attest/exchange.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace pgveil::custodian {
namespace {

using share::Json;

constexpr std::size_t kKeysMax = 64;
constexpr std::size_t kTenantMax = 64;
constexpr std::size_t kTextMax = 16384;
constexpr const char* kWhatToWrite =
    "policy.evidence: write \"none\", or an object of \"attestation_keys\" (1 to 64 points, as "
    "`pgveil attest` prints them), \"approver\" (as `pgveil-tenant approver` prints it) and "
    "\"tenant\"";

std::optional<std::vector<core::PublicPoint>> points_of(const Json& list) {
    std::vector<core::PublicPoint> out;
    for (const Json& each : list) {
        const auto point = core::PublicPoint::from_text(
            each.is_string() ? each.get_ref<const std::string&>() : std::string_view()
        );
        if (!point.has_value() || std::ranges::find(out, *point) != out.end()) {
            return std::nullopt;
        }
        out.push_back(*point);
    }
    std::ranges::sort(out, {}, &core::PublicPoint::text);
    return out.empty() || out.size() > kKeysMax ? std::nullopt : std::optional(std::move(out));
}

template <class Number>
const char* take_number(const char* begin, const char* end, Number& into) {
    const auto read = std::from_chars(begin, end, into);
    return read.ec == std::errc() ? read.ptr : nullptr;
}

}  // namespace

Result<EvidenceRule> parse_evidence_rule(const Json& json) {
    if (!json.is_object() || json.size() != 3) {
        return malformed(kWhatToWrite);
    }
    share::JsonReader reader(json);
    auto keys = points_of(reader.part("attestation_keys"));
    const auto approver = reader.point("approver");
    std::string tenant = reader.text("tenant");
    if (!reader.ok() || !keys || !approver || tenant.empty() || tenant.size() > kTenantMax) {
        return malformed(kWhatToWrite);
    }
    return EvidenceRule{*std::move(keys), *approver, std::move(tenant)};
}

Json evidence_rule_json(const EvidenceRule& rule) {
    Json keys = Json::array();
    for (const core::PublicPoint& key : rule.attestation_keys) {
        keys.push_back(key.text());
    }
    return Json{
        {"attestation_keys", std::move(keys)},
        {"approver", rule.approver.text()},
        {"tenant", rule.tenant}};
}

Result<ShownEvidence> read_evidence(const Json& body) {
    const auto found = body.find("evidence");
    if (found == body.end()) {
        return refused(
            403,
            "evidence_missing",
            "the group's policy demands the evidence of a TPM with every question: a proxy with "
            "the seal tpm+custodians gives it, nothing else can ask this group"
        );
    }
    if (!found->is_object()) {
        return malformed("evidence: no object of \"nonce\", \"attestation_key\" and \"text\"");
    }
    share::JsonReader reader(*found);
    core::Bytes nonce = reader.bytes("nonce");
    const auto key = reader.point("attestation_key");
    std::string text = reader.text("text");
    if (!reader.ok() || !key || text.size() > kTextMax) {
        return malformed("evidence: no object of \"nonce\", \"attestation_key\" and \"text\"");
    }
    return ShownEvidence{std::move(nonce), *key, std::move(text)};
}

Result<attest::Clock> judge_evidence(
    const EvidenceRule& rule,
    const ShownEvidence& shown,
    const core::Sha256Digest& binding,
    const std::optional<attest::Clock>& last
) {
    if (std::ranges::find(rule.attestation_keys, shown.attestation_key) ==
        rule.attestation_keys.end()) {
        return refused(
            403,
            "evidence_tpm",
            "the TPM with the attestation key " + shown.attestation_key.text() +
                " is none that the group's policy names"
        );
    }
    const auto evidence = attest::parse_evidence(shown.text);
    if (!evidence.has_value()) {
        return refused(403, "evidence", evidence.error().message);
    }
    const auto facts = attest::judge(
        *evidence, {shown.attestation_key, rule.approver, rule.tenant, binding, last}
    );
    if (!facts.has_value()) {
        return refused(403, "evidence", facts.error().message);
    }
    return facts->clock;
}

std::string clock_text(const attest::Clock& clock) {
    return std::to_string(clock.milliseconds) + " " + std::to_string(clock.reset_count) + " " +
           std::to_string(clock.restart_count);
}

std::optional<attest::Clock> parse_clock(std::string_view text) {
    attest::Clock clock;
    const char* const end = text.data() + text.size();
    const char* at = take_number(text.data(), end, clock.milliseconds);
    for (std::uint32_t* number : {&clock.reset_count, &clock.restart_count}) {
        at = at != nullptr && at != end && *at == ' ' ? take_number(at + 1, end, *number) : nullptr;
    }
    return at == end ? std::optional(clock) : std::nullopt;
}

}  // namespace pgveil::custodian
