#include "keyshare/attest/exchange.hpp"

#include "keyshare/attest/lines.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/core/random.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::attest {
namespace {

constexpr std::string_view kKeysTitle = "pgveil-tpm: 1";
constexpr std::string_view kChallengeTitle = "pgveil-challenge: 1";
constexpr std::string_view kEvidenceTitle = "pgveil-evidence: 1";

Error no_text(std::string_view what, std::string_view title) {
    return {
        "this is no " + std::string(what) + ", or it was altered: it begins with \"" +
        std::string(title) + "\" and has nothing behind its last line"};
}

}  // namespace

std::string to_text(const TpmKeys& keys) {
    return std::string(kKeysTitle) + "\n" + line("endorsement", keys.endorsement.text()) +
           line("attestation", keys.attestation.text()) +
           (keys.certificate.empty() ? "" : line("certificate", core::to_hex(keys.certificate)));
}

Result<TpmKeys> parse_keys(std::string_view text) {
    Lines lines(text);
    const bool is_titled = lines.next() == kKeysTitle;
    const auto endorsement = lines.point(lines.named("endorsement"));
    const auto attestation = lines.point(lines.named("attestation"));
    core::Bytes certificate;
    if (lines.has_more()) {
        certificate = lines.bytes(lines.named("certificate"));
    }
    if (!is_titled || !lines.ok() || !endorsement || !attestation) {
        return no_text("list of a TPM's keys", kKeysTitle);
    }
    return TpmKeys{*endorsement, *attestation, std::move(certificate)};
}

std::string to_text(const Challenge& challenge) {
    return std::string(kChallengeTitle) + "\n" + line("nonce", core::to_hex(challenge.nonce)) +
           line("identity", core::to_hex(challenge.identity)) +
           line("credential", core::to_hex(challenge.credential.object)) +
           line("seed", core::to_hex(challenge.credential.seed));
}

Result<Challenge> parse_challenge(std::string_view text) {
    Lines lines(text);
    Challenge challenge;
    const bool is_titled = lines.next() == kChallengeTitle;
    challenge.nonce = lines.digest(lines.named("nonce"));
    challenge.identity = lines.digest(lines.named("identity"));
    challenge.credential.object = lines.bytes(lines.named("credential"));
    challenge.credential.seed = lines.bytes(lines.named("seed"));
    if (!is_titled || !lines.ok()) {
        return no_text("challenge", kChallengeTitle);
    }
    return challenge;
}

std::string to_text(const Evidence& evidence) {
    return std::string(kEvidenceTitle) + "\n" +
           line("quote", core::to_hex(evidence.quote.statement)) +
           line("signature", core::to_hex(evidence.quote.signature)) +
           line("approval", to_text(evidence.approval)) + to_text(evidence.statement);
}

Result<Evidence> parse_evidence(std::string_view text) {
    Lines lines(text);
    Evidence evidence;
    const bool is_titled = lines.next() == kEvidenceTitle;
    evidence.quote.statement = lines.bytes(lines.named("quote"));
    const core::Bytes signature = lines.bytes(lines.named("signature"));
    const auto approval = parse_approval(lines.named("approval"));
    if (!is_titled || lines.has_failed() || signature.size() != evidence.quote.signature.size() ||
        !approval.has_value()) {
        return no_text("evidence", kEvidenceTitle);
    }
    std::ranges::copy(signature, evidence.quote.signature.begin());
    evidence.approval = *approval;
    auto statement = parse_statement(lines.rest());
    if (!statement.has_value()) {
        return statement.error();
    }
    evidence.statement = *std::move(statement);
    return evidence;
}

namespace {

/// Everything but the credential.
Question fresh_question(const Sha256Digest& identity, core::RandomSource& random) {
    Question question;
    question.secret = core::random_secret(random, kCredentialSecretSize);
    random.fill(question.challenge.nonce);
    question.challenge.identity = identity;
    return question;
}

}  // namespace

Question ask(const TpmKeys& keys, const Sha256Digest& identity, core::RandomSource& random) {
    Question question = fresh_question(identity, random);
    question.challenge.credential =
        make_credential(keys.endorsement, keys.attestation, question.secret);
    return question;
}

Question ask(
    const EndorsementModulus& certified,
    const core::PublicPoint& attestation,
    const Sha256Digest& identity,
    core::RandomSource& random
) {
    Question question = fresh_question(identity, random);
    question.challenge.credential = make_credential(certified, attestation, question.secret);
    return question;
}

Sha256Digest quote_binding(
    const Sha256Digest& nonce, const Sha256Digest& identity, const core::SecretBytes& secret
) {
    const core::SecretBytes bound = core::secret_length_prefixed(
        {core::as_bytes("pgveil/1 attestation"), nonce, identity, secret.reveal()}
    );
    return core::sha256(bound.reveal());
}

Result<QuoteFacts> judge(const Evidence& evidence, const Judgement& known) {
    if (evidence.statement.tenant != known.tenant) {
        return Error{"the evidence is of tenant " + evidence.statement.tenant};
    }
    const PcrValues values = evidence.statement.values();
    auto facts =
        verify_quote(evidence.quote, {known.attestation_key, known.binding, values, known.last});
    if (!facts.has_value()) {
        return facts;
    }
    const bool is_approved = evidence.approval.policy == pcr_policy(values) &&
                             verify(evidence.approval, known.approver, seal_purpose(known.tenant));
    if (!is_approved) {
        return Error{
            "the TPM is genuine and answers, but what it measured was not approved by this "
            "tenant: compare and approve it (pgveil-tenant approve), or find out who changed it"};
    }
    return facts;
}

}  // namespace pgveil::attest
