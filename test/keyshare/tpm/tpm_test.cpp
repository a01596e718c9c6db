#include "keyshare/tpm/tpm.hpp"

#include "keyshare/attest/exchange.hpp"
#include "keyshare/attest/measurement.hpp"
#include "keyshare/core/random.hpp"
#include "test/keyshare/tpm/swtpm.hpp"

#include <gmock/gmock.h>

#include <sys/wait.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>
#include <unistd.h>

namespace pgveil::tpm {
namespace {

using testing::HasSubstr;

attest::Sha256Digest digest(std::string_view text) {
    return core::sha256(core::as_bytes(text));
}

core::SecretBytes secret(std::string_view text) {
    return core::SecretBytes::copy_of(core::as_bytes(text));
}

attest::Measurement measurement(std::string_view binary) {
    return {digest(binary), digest("settings"), digest("policy")};
}

/// Sessions and objects that the TPM holds, as it says itself, without our code.
UINT32 leftovers(const std::string& place) {
    TSS2_TCTI_CONTEXT* tcti = nullptr;
    ESYS_CONTEXT* esys = nullptr;
    EXPECT_EQ(Tss2_TctiLdr_Initialize(place.c_str(), &tcti), TSS2_RC_SUCCESS);
    EXPECT_EQ(Esys_Initialize(&esys, tcti, nullptr), TSS2_RC_SUCCESS);
    UINT32 count = 0;
    for (const TPM2_HANDLE first : {TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST}) {
        TPMS_CAPABILITY_DATA* found = nullptr;
        TPMI_YES_NO more = 0;
        EXPECT_EQ(
            Esys_GetCapability(
                esys,
                ESYS_TR_NONE,
                ESYS_TR_NONE,
                ESYS_TR_NONE,
                TPM2_CAP_HANDLES,
                first,
                64,
                &more,
                &found
            ),
            TSS2_RC_SUCCESS
        );
        count += found->data.handles.count;
        Esys_Free(found);
    }
    Esys_Finalize(&esys);
    Tss2_TctiLdr_Finalize(&tcti);
    return count;
}

/// A program that opens the TPM, works, and dies without a word.
void crash_while_using(const std::string& place) {
    const pid_t child = ::fork();
    if (child == 0) {
        auto tpm = Tpm::open(place, std::nullopt);
        ::_exit(tpm.has_value() && tpm->random_bytes(8).has_value() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST_F(TpmTest, CrashedClientLeavesNothingAfterTheNextStart) {
    for (int times = 0; times < 4; ++times) {
        crash_while_using(swtpm_.place());
        EXPECT_EQ(leftovers(swtpm_.place()), 2U);  // the control: it did leave a key and a session
    }
    { EXPECT_TRUE(open().random_bytes(16).has_value()); }
    EXPECT_EQ(leftovers(swtpm_.place()), 0U);
}

TEST_F(TpmTest, T1_RandomBytesAreMixedWithTheKernels) {
    class Fixed : public core::RandomSource {
        void fill(core::MutableByteView out) override { std::fill(out.begin(), out.end(), 7); }
    } fixed;

    Tpm tpm = open();
    const auto first = mixed_secret(tpm, fixed);
    const auto second = mixed_secret(tpm, fixed);
    ASSERT_TRUE(first.has_value() && second.has_value());
    EXPECT_EQ(first->size(), 32U);
    EXPECT_FALSE(std::ranges::equal(first->reveal(), second->reveal()));
}

TEST_F(TpmTest, AnotherTpmIsNotTakenForThePinnedOne) {
    const attest::Name pinned = open().storage_root();
    EXPECT_TRUE(Tpm::open(swtpm_.place(), pinned).has_value());
    Swtpm other;
    other.start();
    const auto opened = Tpm::open(other.place(), pinned);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, ErrorCode::kForeign);
}

TEST_F(TpmTest, NoTpmIsSaid) {
    const auto opened = Tpm::open("swtpm:path=/nowhere/socket", std::nullopt);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, ErrorCode::kUnreachable);
    EXPECT_THAT(opened.error().message, HasSubstr("there is no TPM at"));
}

TEST_F(TpmTest, T8_RegisterHoldsWhatWasMeasured) {
    Tpm tpm = open();
    for (int times = 0; times < 2; ++times) {  // a restart of the proxy measures the same again
        ASSERT_TRUE(tpm.measure(measurement("binary").digests()).has_value());
        const auto values = tpm.read_registers({attest::kMeasuredPcr});
        ASSERT_TRUE(values.has_value());
        EXPECT_EQ(values->at(attest::kMeasuredPcr), attest::measured_value(measurement("binary")));
    }
}

class QuoteTest : public TpmTest {
protected:
    QuoteTest()
        : tpm_(open()),
          extra_(attest::quote_binding(digest("nonce"), digest("identity"), secret("secret"))),
          key_(*tpm_.attestation_key()) {
        EXPECT_TRUE(tpm_.measure(measurement("binary").digests()).has_value());
        registers_ = *tpm_.read_registers({7});
        registers_[attest::kMeasuredPcr] = attest::measured_value(measurement("binary"));
    }

    attest::Signed quote() { return *tpm_.quote({7, attest::kMeasuredPcr}, extra_); }

    attest::QuoteExpectation expected() const { return {key_, extra_, registers_, {}}; }

    static std::string refusal(
        const attest::Signed& quote, const attest::QuoteExpectation& expected
    ) {
        const auto verified = attest::verify_quote(quote, expected);
        return verified.has_value() ? std::string("believed") : verified.error().message;
    }

    Tpm tpm_;
    attest::Sha256Digest extra_;
    core::PublicPoint key_;
    attest::PcrValues registers_;
};

TEST_F(QuoteTest, T9_QuoteIsBelieved) {
    EXPECT_EQ(refusal(quote(), expected()), "believed");
}

TEST_F(QuoteTest, T9_AlteredQuoteIsRefused) {
    const attest::Signed good = quote();
    for (std::size_t at = 0; at < good.statement.size(); ++at) {
        attest::Signed altered = good;
        altered.statement[at] ^= 1;
        EXPECT_THAT(refusal(altered, expected()), HasSubstr("signature")) << at;
    }
    attest::Signed forged = good;
    forged.signature.at(5) ^= 1;
    EXPECT_THAT(refusal(forged, expected()), HasSubstr("signature"));
}

TEST_F(QuoteTest, T9_AnotherNonceOrIdentityIsRefused) {
    attest::QuoteExpectation other = expected();
    for (const auto& extra :
         {attest::quote_binding(digest("another"), digest("identity"), secret("secret")),
          attest::quote_binding(digest("nonce"), digest("another"), secret("secret")),
          attest::quote_binding(digest("nonce"), digest("identity"), secret("another"))}) {
        other.extra = extra;
        EXPECT_THAT(refusal(quote(), other), HasSubstr("nonce"));
    }
}

TEST_F(QuoteTest, T9_OtherRegistersAreRefused) {
    attest::QuoteExpectation other = expected();
    other.registers[attest::kMeasuredPcr] = attest::measured_value(measurement("another binary"));
    EXPECT_THAT(refusal(quote(), other), HasSubstr("other values"));
    other = expected();
    other.registers.erase(7);
    EXPECT_THAT(refusal(quote(), other), HasSubstr("other registers"));
}

TEST_F(QuoteTest, T9_AnotherTpmsKeyIsRefused) {
    Swtpm foreign;
    foreign.start();
    auto other_tpm = Tpm::open(foreign.place(), std::nullopt);
    ASSERT_TRUE(other_tpm->measure(measurement("binary").digests()).has_value());
    const auto forged = other_tpm->quote({7, attest::kMeasuredPcr}, extra_);
    EXPECT_THAT(refusal(*forged, expected()), HasSubstr("signature"));
}

TEST_F(QuoteTest, T9_OldClockIsRefused) {
    const attest::Signed before = quote();
    const auto first = attest::verify_quote(before, expected());
    ASSERT_TRUE(first.has_value());
    attest::QuoteExpectation next = expected();
    next.last = first->clock;
    EXPECT_EQ(refusal(quote(), next), "believed");
    next.last->reset_count += 1;
    EXPECT_THAT(refusal(before, next), HasSubstr("went back"));
    next.last = first->clock;
    next.last->milliseconds += 1000000;
    EXPECT_THAT(refusal(before, next), HasSubstr("went back"));
}

TEST_F(QuoteTest, T6_StorageRootIsCertified) {
    const auto certificate = tpm_.certify_storage_root(extra_);
    ASSERT_TRUE(certificate.has_value()) << certificate.error().message;
    EXPECT_TRUE(
        attest::verify_certificate(*certificate, key_, extra_, tpm_.storage_root()).has_value()
    );
    attest::Name other = tpm_.storage_root();
    other.back() ^= 1;
    EXPECT_FALSE(attest::verify_certificate(*certificate, key_, extra_, other).has_value());
    EXPECT_THAT(refusal(*certificate, expected()), HasSubstr("another kind"));
}

TEST_F(QuoteTest, T7_CredentialOpensInItsOwnTpmOnly) {
    const auto endorsement = tpm_.endorsement_key();
    ASSERT_TRUE(endorsement.has_value()) << endorsement.error().message;
    const auto hidden = core::random_secret(core::system_random(), 32);
    const auto opened = tpm_.activate(attest::make_credential(*endorsement, key_, hidden));
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_TRUE(std::ranges::equal(opened->reveal(), hidden.reveal()));

    const core::PublicPoint stranger = core::SigningKey::generate().verifying_key().point();
    EXPECT_FALSE(tpm_.activate(attest::make_credential(*endorsement, stranger, hidden)).has_value()
    );
    EXPECT_FALSE(tpm_.activate(attest::make_credential(stranger, key_, hidden)).has_value());
    EXPECT_EQ(leftovers(swtpm_.place()), 2U);  // nothing more than what is held open
}

}  // namespace
}  // namespace pgveil::tpm
