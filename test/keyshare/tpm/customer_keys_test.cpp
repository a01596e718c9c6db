#include "keyshare/attest/approval.hpp"
#include "keyshare/attest/quote.hpp"
#include "keyshare/core/random.hpp"
#include "test/keyshare/tpm/swtpm.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace pgveil::tpm {
namespace {

using attest::KeyDesign;
using attest::KeyUse;
using attest::Migration;
using testing::HasSubstr;

attest::Sha256Digest hashed(std::string_view text) {
    return core::sha256(core::as_bytes(text));
}

class CustomerKeyTest : public TpmTest {
protected:
    CustomerKeyTest() : here_(open()) {
        other_swtpm_.start();
        auto opened = Tpm::open(other_swtpm_.place(), std::nullopt);
        EXPECT_TRUE(opened.has_value());
        there_.emplace(std::move(*opened));
    }

    attest::MigrationAuthority authority() const {
        return {authority_.verifying_key().point(), attest::migration_purpose("acme")};
    }

    KeyDesign controlled() const { return {Migration::kControlled, KeyUse::kSigning, authority()}; }

    CustomerKey make(const KeyDesign& design) {
        auto made = here_.make_key(design, extra_, core::system_random());
        if (!made.has_value()) {
            throw std::runtime_error(made.error().message);
        }
        return *std::move(made);
    }

    MovePermit permit_for(const core::PublicPoint& new_parent) const {
        const attest::Name name = attest::name_of(attest::KeyKind::kStorageRoot, new_parent);
        return {
            authority(),
            attest::approve(
                authority_, attest::duplication_policy(name), attest::migration_purpose("acme")
            )};
    }

    /// Moves it, and uses it there: the signature is that of the key made here.
    void expect_works_there(const CustomerKey& key, const MovingKey& moving) {
        const auto arrived = there_->import_key(moving);
        ASSERT_TRUE(arrived.has_value()) << arrived.error().message;
        const auto signature = there_->sign(*arrived, hashed("message"));
        ASSERT_TRUE(signature.has_value()) << signature.error().message;
        EXPECT_TRUE(core::VerifyingKey(key.point).verify(core::as_bytes("message"), *signature));
    }

    Swtpm other_swtpm_;
    Tpm here_;
    std::optional<Tpm> there_;
    core::SigningKey authority_ = core::SigningKey::generate();
    attest::Sha256Digest extra_ = hashed("the key's record");
};

TEST_F(CustomerKeyTest, T2_KeysForSigningAndForEncryptionWorkInTheirTpm) {
    const CustomerKey signing = make({});
    const auto signature = here_.sign(signing.object, hashed("message"));
    ASSERT_TRUE(signature.has_value()) << signature.error().message;
    EXPECT_TRUE(core::VerifyingKey(signing.point).verify(core::as_bytes("message"), *signature));
    EXPECT_FALSE(core::VerifyingKey(signing.point).verify(core::as_bytes("another"), *signature));

    const CustomerKey agreement = make({Migration::kNone, KeyUse::kAgreement, {}});
    const core::Scalar theirs = core::generate_scalar();
    const auto shared = here_.agree(agreement.object, *core::PublicPoint::of_scalar(theirs));
    ASSERT_TRUE(shared.has_value()) << shared.error().message;
    const auto expected = core::ecdh_x(theirs, agreement.point);
    EXPECT_TRUE(std::ranges::equal(shared->reveal(), expected->reveal()));

    EXPECT_FALSE(here_.sign(agreement.object, hashed("message")).has_value());
    EXPECT_FALSE(here_.agree(signing.object, signing.point).has_value());
}

TEST_F(CustomerKeyTest, T3_ANonMigratableKeyLeavesItsTpmInNoWay) {
    const CustomerKey key = make({});
    const auto moved = here_.duplicate(key.object, there_->storage_root_point(), std::nullopt);
    ASSERT_FALSE(moved.has_value());
    EXPECT_EQ(moved.error().code, ErrorCode::kRefused) << moved.error().message;
    EXPECT_FALSE(
        here_
            .duplicate(
                key.object, there_->storage_root_point(), permit_for(there_->storage_root_point())
            )
            .has_value()
    );
    EXPECT_FALSE(there_->sign(key.object, hashed("message")).has_value());
    EXPECT_TRUE(here_.sign(key.object, hashed("message")).has_value());  // the control
}

TEST_F(CustomerKeyTest, T4_AMigratableKeyMovesToAnotherTpm) {
    const CustomerKey key = make({Migration::kFree, KeyUse::kSigning, {}});
    const auto moving = here_.duplicate(key.object, there_->storage_root_point(), std::nullopt);
    ASSERT_TRUE(moving.has_value()) << moving.error().message;
    expect_works_there(key, *moving);
}

TEST_F(CustomerKeyTest, T4_OnItsWayAKeyOpensInItsTargetOnlyAndUnalteredOnly) {
    const CustomerKey key = make({Migration::kFree, KeyUse::kSigning, {}});
    const auto moving = here_.duplicate(key.object, there_->storage_root_point(), std::nullopt);
    ASSERT_TRUE(moving.has_value()) << moving.error().message;
    EXPECT_FALSE(here_.import_key(*moving).has_value());
    MovingKey altered = *moving;
    altered.private_part.back() ^= 1;
    EXPECT_FALSE(there_->import_key(altered).has_value());
    altered = *moving;
    altered.seed.back() ^= 1;
    EXPECT_FALSE(there_->import_key(altered).has_value());
    EXPECT_TRUE(there_->import_key(*moving).has_value());
}

TEST_F(CustomerKeyTest, T5_AControlledKeyMovesWhereItsAuthorityAllowsAndNowhereElse) {
    const CustomerKey key = make(controlled());
    const core::PublicPoint target = there_->storage_root_point();
    const core::PublicPoint elsewhere = core::SigningKey::generate().verifying_key().point();
    const auto refused = [&](const core::PublicPoint& to, const std::optional<MovePermit>& permit) {
        const auto moved = here_.duplicate(key.object, to, permit);
        return !moved.has_value();
    };
    EXPECT_TRUE(refused(target, std::nullopt));
    EXPECT_TRUE(refused(elsewhere, permit_for(target)));
    EXPECT_TRUE(refused(target, permit_for(elsewhere)));
    MovePermit forged = permit_for(target);
    forged.approval.signature.back() ^= 1;
    EXPECT_TRUE(refused(target, forged));
    const auto usurper = core::SigningKey::generate();
    MovePermit usurped = permit_for(target);
    usurped.authority.key = usurper.verifying_key().point();
    usurped.approval =
        attest::approve(usurper, usurped.approval.policy, attest::migration_purpose("acme"));
    EXPECT_TRUE(refused(target, usurped));
    MovePermit foreign = permit_for(target);
    foreign.authority.purpose = attest::migration_purpose("another tenant");
    foreign.approval =
        attest::approve(authority_, foreign.approval.policy, foreign.authority.purpose);
    EXPECT_TRUE(refused(target, foreign));

    const auto moving = here_.duplicate(key.object, target, permit_for(target));
    ASSERT_TRUE(moving.has_value()) << moving.error().message;
    expect_works_there(key, *moving);
}

TEST_F(CustomerKeyTest, T5_CertifyShowsWhoControlsTheMigration) {
    const CustomerKey key = make(controlled());
    const auto attestation = here_.attestation_key();
    const auto certificate = here_.certify(key.object, extra_);
    ASSERT_TRUE(certificate.has_value()) << certificate.error().message;
    const auto believed = [&](const KeyDesign& design) {
        const attest::Name name = attest::name_of(design, key.point);
        return attest::verify_certificate(*certificate, *attestation, extra_, name).has_value();
    };
    EXPECT_TRUE(believed(controlled()));
    EXPECT_FALSE(believed({}));
    EXPECT_FALSE(believed({Migration::kFree, KeyUse::kSigning, {}}));
    KeyDesign other = controlled();
    other.authority->key = core::SigningKey::generate().verifying_key().point();
    EXPECT_FALSE(believed(other));
    other = controlled();
    other.authority->purpose = attest::migration_purpose("another tenant");
    EXPECT_FALSE(believed(other));
}

TEST_F(CustomerKeyTest, T6_CreationIsCertifiedByTheTpmThatMadeTheKey) {
    const KeyDesign design{Migration::kFree, KeyUse::kSigning, {}};
    const CustomerKey key = make(design);
    const attest::Name name = attest::name_of(design, key.point);
    const auto attestation = here_.attestation_key();
    EXPECT_TRUE(attest::verify_creation(key.creation, *attestation, extra_, name).has_value());
    EXPECT_FALSE(attest::verify_creation(key.creation, *attestation, hashed("another record"), name)
                     .has_value());
    EXPECT_FALSE(
        attest::verify_creation(key.creation, *there_->attestation_key(), extra_, name).has_value()
    );
    attest::Signed altered = key.creation;
    altered.statement.back() ^= 1;
    EXPECT_FALSE(attest::verify_creation(altered, *attestation, extra_, name).has_value());

    // That it is there, and that it was made there, are two statements.
    const auto certificate = here_.certify(key.object, extra_);
    EXPECT_TRUE(attest::verify_certificate(*certificate, *attestation, extra_, name).has_value());
    EXPECT_FALSE(attest::verify_creation(*certificate, *attestation, extra_, name).has_value());
    EXPECT_FALSE(attest::verify_certificate(key.creation, *attestation, extra_, name).has_value());
}

TEST_F(CustomerKeyTest, T12_AKeyOfOneTpmIsNothingToAnother) {
    const CustomerKey key = make({});
    const auto used = there_->sign(key.object, hashed("message"));
    ASSERT_FALSE(used.has_value());
    EXPECT_THAT(used.error().message, HasSubstr("another TPM"));
    EXPECT_FALSE(there_->certify(key.object, extra_).has_value());
}

}  // namespace
}  // namespace pgveil::tpm
