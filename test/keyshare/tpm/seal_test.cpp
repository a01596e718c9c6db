#include "keyshare/attest/approval.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/tpm/attestation.hpp"
#include "keyshare/tpm/tpm_seal.hpp"
#include "test/keyshare/tpm/swtpm.hpp"

#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <fstream>

namespace pgveil::tpm {
namespace {

using testing::HasSubstr;

attest::Sha256Digest hash(std::string_view text) {
    return core::sha256(core::as_bytes(text));
}

class SealTest : public TpmTest {
protected:
    SealTest() {
        approve(options("binary"));
        EXPECT_TRUE(seal().create_if_missing(core::system_random()).has_value());
    }

    TpmSealOptions options(std::string_view binary) const {
        return {
            swtpm_.folder() / "seal",
            swtpm_.folder() / "approvals",
            swtpm_.place(),
            "acme",
            approver_.verifying_key().point(),
            {0, 7},
            {hash(binary), hash("settings"), hash("policy")}};
    }

    TpmSeal seal(std::string_view binary = "binary") const { return TpmSeal(options(binary)); }

    void approve(const TpmSealOptions& state) const { approve(state, approver_); }

    void approve(const TpmSealOptions& options, const core::SigningKey& key) const {
        const auto state = state_of(options);
        ASSERT_TRUE(state.has_value()) << state.error().message;
        const auto approval = attest::approve(
            key, attest::pcr_policy(state->values()), attest::seal_purpose(options.tenant)
        );
        std::ofstream(options.approvals, std::ios::app) << attest::to_text(approval) << '\n';
    }

    static std::string outcome(const seal::Result<seal::StoreKey>& key) {
        return key.has_value() ? core::to_hex(key->reveal()) : key.error().message;
    }

    void copy(const std::string& from, const std::string& to) const {
        std::filesystem::copy_file(
            swtpm_.folder() / from,
            swtpm_.folder() / to,
            std::filesystem::copy_options::overwrite_existing
        );
    }

    core::SigningKey approver_ = core::SigningKey::generate();
};

constexpr std::size_t kHexKeySize = 64;

TEST_F(SealTest, T3_KeyOpensInItsTpmAlsoAfterAPowerCycle) {
    const std::string key = outcome(seal().current());
    EXPECT_EQ(key.size(), kHexKeySize) << key;
    EXPECT_EQ(outcome(seal().current()), key);
    swtpm_.stop();
    swtpm_.start();
    EXPECT_EQ(outcome(seal().current()), key);
}

TEST_F(SealTest, T3_CopyOpensInNoOtherTpm) {
    Swtpm other;
    other.start();
    TpmSealOptions elsewhere = options("binary");
    elsewhere.place = other.place();
    EXPECT_THAT(outcome(TpmSeal(elsewhere).current()), HasSubstr("is not the one that sealed"));
    // And with the pin altered, as who copied the file can.
    auto kept = read_kept_key(options("binary").path);
    kept->storage_root = Tpm::open(other.place(), std::nullopt)->storage_root();
    kept->counter = *Tpm::open(other.place(), std::nullopt)->make_counter(core::system_random());
    ASSERT_TRUE(write_kept_key(options("binary").path, *kept).has_value());
    EXPECT_NE(outcome(TpmSeal(elsewhere).current()).size(), kHexKeySize);
}

TEST_F(SealTest, T8_ChangedBinaryOpensOnlyOnceApproved) {
    const std::string key = outcome(seal().current());
    EXPECT_THAT(outcome(seal("another binary").current()), HasSubstr("has not approved"));
    approve(options("another binary"), core::SigningKey::generate());
    EXPECT_THAT(outcome(seal("another binary").current()), HasSubstr("has not approved"));
    approve(options("another binary"));
    EXPECT_EQ(outcome(seal("another binary").current()), key);
    EXPECT_EQ(outcome(seal().current()), key);
}

TEST_F(SealTest, T8_TpmItselfRefusesAnApprovalOfAnotherState) {
    const auto kept = read_kept_key(options("binary").path);
    Tpm tpm = open();
    const auto approvals = attest::approve(
        approver_,
        attest::pcr_policy(state_of(options("binary"))->values()),
        attest::seal_purpose("acme")
    );
    const Release release{
        approver_.verifying_key().point(),
        attest::seal_purpose("acme"),
        kept->counter,
        kept->generation};
    const attest::PcrSelection registers = {0, 7, attest::kMeasuredPcr};
    Tpm again = open();
    ASSERT_TRUE(again.measure(options("another binary").measurement.digests()).has_value());
    const auto refused = again.unseal(kept->sealed, release, registers, approvals);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused) << refused.error().message;
    ASSERT_TRUE(again.measure(options("binary").measurement.digests()).has_value());
    EXPECT_TRUE(again.unseal(kept->sealed, release, registers, approvals).has_value());
}

TEST_F(SealTest, FormerKeyIsNeverReleasedAgain) {
    const std::string former = outcome(seal().current());
    copy("seal", "former");
    TpmSeal renewing = seal();
    const auto next = renewing.begin_renewal(core::system_random());
    ASSERT_TRUE(next.has_value()) << next.error().message;
    EXPECT_EQ(outcome(seal().current()), former);
    EXPECT_TRUE((*seal().successor()).has_value());
    ASSERT_TRUE(renewing.finish_renewal().has_value());
    EXPECT_EQ(outcome(seal().current()), core::to_hex(next->reveal()));
    EXPECT_FALSE((*seal().successor()).has_value());
    copy("former", "seal");
    EXPECT_THAT(outcome(seal().current()), HasSubstr("older than the last renewal"));
    // Also if the number in the file is raised: the TPM compares for itself.
    auto kept = read_kept_key(options("binary").path);
    kept->generation += 1;
    ASSERT_TRUE(write_kept_key(options("binary").path, *kept).has_value());
    EXPECT_NE(outcome(seal().current()).size(), kHexKeySize);
}

TEST_F(SealTest, RenewalThatWasKilledInItsMiddleGoesOn) {
    const auto next = seal().begin_renewal(core::system_random());
    ASSERT_TRUE(next.has_value());
    copy("seal", "former");
    // The file was moved, the counter not yet counted up.
    std::filesystem::rename(swtpm_.folder() / "seal.next", swtpm_.folder() / "seal");
    EXPECT_EQ(outcome(seal().current()), core::to_hex(next->reveal()));
    copy("former", "seal");
    EXPECT_THAT(outcome(seal().current()), HasSubstr("older than the last renewal"));
}

TEST_F(SealTest, FinishingTwiceIsFinishingOnce) {
    TpmSeal renewing = seal();
    const auto next = renewing.begin_renewal(core::system_random());
    ASSERT_TRUE(renewing.finish_renewal().has_value());
    ASSERT_TRUE(renewing.finish_renewal().has_value());
    EXPECT_EQ(outcome(seal().current()), core::to_hex(next->reveal()));
}

TEST_F(SealTest, T13_VirtualTpmThatWasPutBackIsNoticedIfTheFileWasNot) {
    const std::filesystem::path saved = swtpm_.folder() / "saved";
    std::filesystem::copy(swtpm_.state(), saved);
    TpmSeal renewing = seal();
    for (int times = 0; times < 2; ++times) {
        ASSERT_TRUE(renewing.begin_renewal(core::system_random()).has_value());
        ASSERT_TRUE(renewing.finish_renewal().has_value());
    }
    EXPECT_EQ(outcome(seal().current()).size(), kHexKeySize);
    swtpm_.stop();
    std::filesystem::remove_all(swtpm_.state());
    std::filesystem::copy(saved, swtpm_.state());
    swtpm_.start();
    EXPECT_THAT(outcome(seal().current()), HasSubstr("was put back"));
}

/// tpm2-tss' own recorder between program and TPM.
TEST_F(SealTest, NobodyReadsTheStoreKeyOnTheWire) {
    const std::filesystem::path recorded = swtpm_.folder() / "recorded";
    ::setenv("TCTI_PCAP_FILE", recorded.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    TpmSealOptions heard = options("binary");
    heard.place = "pcap:" + swtpm_.place();
    TpmSeal sealing(heard);
    const auto key = core::random_secret<seal::StoreKey>(core::system_random());
    ASSERT_TRUE(sealing.begin_return(key).has_value());
    ASSERT_TRUE(sealing.finish_renewal().has_value());
    EXPECT_EQ(outcome(sealing.current()), core::to_hex(key.reveal()));
    ::unsetenv("TCTI_PCAP_FILE");  // NOLINT(concurrency-mt-unsafe)
    std::ifstream file(recorded, std::ios::binary);
    const std::string wire{std::istreambuf_iterator<char>(file), {}};
    const auto is_heard = [&wire](core::ByteView bytes) {
        return wire.find(core::as_text(bytes)) != std::string::npos;
    };
    EXPECT_TRUE(is_heard(read_kept_key(heard.path)->sealed.public_part));
    EXPECT_FALSE(is_heard(key.reveal()));
    EXPECT_FALSE(is_heard(key.reveal().first(8)));
}

class AttestationTest : public SealTest {
protected:
    attest::Question question() const {
        return attest::ask(keys_, hash("identity"), core::system_random());
    }

    std::string judged(
        const attest::Evidence& evidence,
        const attest::Question& question,
        std::optional<attest::Clock> last = {}
    ) const {
        const auto& challenge = question.challenge;
        const auto facts = attest::judge(
            evidence,
            {keys_.attestation,
             approver_.verifying_key().point(),
             "acme",
             attest::quote_binding(challenge.nonce, challenge.identity, question.secret),
             last}
        );
        return facts.has_value() ? "believed" : facts.error().message;
    }

    attest::TpmKeys keys_ = *keys_of(swtpm_.place());
};

TEST_F(AttestationTest, T7_T9_ProxyOfTheRightTpmIsBelieved) {
    const attest::Question asked = question();
    const auto challenge = attest::parse_challenge(attest::to_text(asked.challenge));
    const auto evidence = answer(options("binary"), *challenge);
    ASSERT_TRUE(evidence.has_value()) << evidence.error().message;
    const auto read = attest::parse_evidence(attest::to_text(*evidence));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(judged(*read, asked), "believed");
    EXPECT_EQ(*attest::parse_keys(attest::to_text(keys_)), keys_);
}

TEST_F(AttestationTest, T9_AnswerToAnotherQuestionIsNotBelieved) {
    const attest::Question asked = question();
    const auto evidence = answer(options("binary"), asked.challenge);
    EXPECT_THAT(judged(*evidence, question()), HasSubstr("nonce"));
    EXPECT_EQ(judged(*evidence, asked), "believed");
}

TEST_F(AttestationTest, T9_OldAnswerIsNotBelieved) {
    const attest::Question asked = question();
    const auto evidence = answer(options("binary"), asked.challenge);
    EXPECT_THAT(judged(*evidence, asked, attest::Clock{0, 1000, 0, true}), HasSubstr("went back"));
    EXPECT_EQ(judged(*evidence, asked, attest::Clock{0, 0, 0, true}), "believed");
}

TEST_F(AttestationTest, T7_AnotherTpmCannotAnswer) {
    Swtpm other;
    other.start();
    TpmSealOptions elsewhere = options("binary");
    elsewhere.place = other.place();
    const auto refused = answer(elsewhere, question().challenge);
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().message, HasSubstr("credential"));
}

TEST_F(AttestationTest, T8_StateThatTheTenantHasNotApprovedIsNotBelieved) {
    EXPECT_THAT(
        answer(options("another binary"), question().challenge).error().message,
        HasSubstr("has not approved")
    );
    // A proxy that approves itself.
    const auto stranger = core::SigningKey::generate();
    TpmSealOptions forged = options("another binary");
    forged.approver = stranger.verifying_key().point();
    approve(forged, stranger);
    const attest::Question asked = question();
    const auto evidence = answer(forged, asked.challenge);
    ASSERT_TRUE(evidence.has_value()) << evidence.error().message;
    EXPECT_THAT(judged(*evidence, asked), HasSubstr("was not approved"));
    // And one that says it measured something else.
    attest::Evidence lie = *evidence;
    lie.statement.measurement = options("binary").measurement;
    EXPECT_THAT(judged(lie, asked), HasSubstr("other values"));
}

/// With a TPM that its maker has certified.
class CertifiedTpmTest : public AttestationTest {
protected:
    CertifiedTpmTest() : roots_(maker_.certify()) { maker_.start(); }

    Swtpm maker_;
    std::string roots_;
};

TEST_F(CertifiedTpmTest, T7_TheMakersCertificateLeadsToTheAttestationKey) {
    const auto keys = keys_of(maker_.place());
    ASSERT_TRUE(keys.has_value()) << keys.error().message;
    EXPECT_EQ(*attest::parse_keys(attest::to_text(*keys)), *keys);
    const auto certified = attest::certified_endorsement(keys->certificate, roots_);
    ASSERT_TRUE(certified.has_value()) << certified.error().message;

    const auto open_with = [&](const std::string& place, const core::PublicPoint& attestation) {
        const auto asked =
            attest::ask(*certified, attestation, hash("identity"), core::system_random());
        auto tpm = Tpm::open(place, std::nullopt);
        const auto opened = tpm->activate(asked.challenge.credential);
        return opened.has_value() && std::ranges::equal(opened->reveal(), asked.secret.reveal());
    };
    EXPECT_TRUE(open_with(maker_.place(), keys->attestation));
    // An attestation key that is in no TPM, or in another, is not vouched for by this certificate.
    const auto stranger = core::SigningKey::generate().verifying_key().point();
    EXPECT_FALSE(open_with(maker_.place(), stranger));
    EXPECT_FALSE(open_with(swtpm_.place(), keys_.attestation));
}

TEST_F(CertifiedTpmTest, T7_ACertificateOfAnotherMakerOrForSomethingElseIsRefused) {
    const auto keys = keys_of(maker_.place());
    ASSERT_TRUE(keys.has_value()) << keys.error().message;
    const auto refusal = [](core::ByteView certificate, const std::string& roots) {
        const auto read = attest::certified_endorsement(certificate, roots);
        return read.has_value() ? std::string("believed") : read.error().message;
    };
    EXPECT_EQ(refusal(keys->certificate, roots_), "believed");
    Swtpm other;
    EXPECT_THAT(
        refusal(keys->certificate, other.certify()), HasSubstr("not of one of the trusted")
    );
    EXPECT_THAT(refusal(keys->certificate, ""), HasSubstr("no certificate (PEM)"));
    core::Bytes altered = keys->certificate;
    altered.at(altered.size() / 2) ^= 1;
    EXPECT_NE(refusal(altered, roots_), "believed");
    EXPECT_THAT(refusal({}, roots_), HasSubstr("is none"));
    // The maker's own certificate is genuine, and not one of an endorsement key.
    BIO* source = BIO_new_mem_buf(roots_.data(), static_cast<int>(roots_.size()));
    X509* root = PEM_read_bio_X509(source, nullptr, nullptr, nullptr);
    ASSERT_NE(root, nullptr);
    core::Bytes der(static_cast<std::size_t>(i2d_X509(root, nullptr)));
    unsigned char* at = der.data();
    i2d_X509(root, &at);
    X509_free(root);
    BIO_free(source);
    EXPECT_THAT(refusal(der, roots_), HasSubstr("something else"));
    EXPECT_TRUE(keys_.certificate.empty());  // of a TPM without one
}

TEST_F(SealTest, KeptKeyFileReadsBackAndNothingElseDoes) {
    const auto kept = read_kept_key(options("binary").path);
    ASSERT_TRUE(kept.has_value());
    const core::Bytes bytes = to_bytes(*kept);
    EXPECT_TRUE(parse_kept_key(bytes).has_value());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(parse_kept_key(core::ByteView(bytes).first(size)).has_value()) << size;
    }
}

}  // namespace
}  // namespace pgveil::tpm
