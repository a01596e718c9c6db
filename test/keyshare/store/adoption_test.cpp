#include "keyshare/share/tenant_adoption.hpp"
#include "test/keyshare/store/world.hpp"

namespace pgveil::store::test {
namespace {

using share::DenialKind;

// The proxy is lost; a fresh one, with a store and keys of its own, is taken over by the tenant.
class Adoption : public World {
protected:
    void SetUp() override {
        World::SetUp();
        root_ = folder_;
    }

    void TearDown() override {
        lost_.reset();
        folder_ = root_;
        World::TearDown();
    }

    /// From here on `custody_` is the fresh proxy.
    void lose_proxy() {
        lost_ = custody_;
        folder_ = root_ / "fresh";
        std::filesystem::create_directory(folder_);
        ASSERT_TRUE(ProxyCustody::order(options(), *seal(), {}, kNow).has_value());
        restart();
    }

    void adopt() {
        auto run = share::TenantAdoption::begin(*enrolment_, identity_);
        const auto offer = custody_->bootstrap_call("hello", run.hello(), kNow);
        ASSERT_TRUE(offer.has_value()) << offer.error().message;
        ASSERT_TRUE(run.accept_offer(*offer, *enrolment_, identity_).has_value());
        restart();  // as if it was killed in between
        const auto receipt = custody_->bootstrap_call("adopt", run.request(), kNow);
        ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
        restart();
        const auto again = custody_->bootstrap_call("adopt", run.request(), kNow);
        ASSERT_TRUE(again.has_value());
        EXPECT_EQ(*again, *receipt);
        ASSERT_TRUE(run.accept_close(*receipt, *enrolment_).has_value());
        read_zero();
    }

    /// The user's key as the tenant hands it out again: the same TKu for the fresh proxy.
    const Holdings& repinned(Holdings& held) const {
        held.user_key.proxy_identity = enrolment_->proxy_identity;
        return held;
    }

    std::filesystem::path root_;
    std::shared_ptr<ProxyCustody> lost_;
};

TEST_F(Adoption, P9_TheSameTKuOpensAtTheFreshProxyAfterRenewShares) {
    Holdings nurse = add_user("nurse");
    const core::Bytes part = core::to_bytes(nurse.user_key.groups[0].part.reveal());
    lose_proxy();
    adopt();
    const Holdings renewed = renew_shares(repinned(nurse), 2);
    EXPECT_EQ(core::to_bytes(renewed.user_key.groups[0].part.reveal()), part);
    EXPECT_TRUE(works(renewed));
    restart();
    read_zero();
    EXPECT_TRUE(works(renewed));
    EXPECT_FALSE(custody_->bootstrap_verifier());  // the first command spent it
}

TEST_F(Adoption, P9_SharesOfTheOtherProxyAreWorthNothingAtEither) {
    Holdings nurse = add_user("nurse");
    const core::SecretBytes old_app = app_text(nurse);
    const core::SecretBytes old_token = token(nurse);
    lose_proxy();
    adopt();
    const Holdings renewed = renew_shares(repinned(nurse), 2);
    const core::SecretBytes new_app = app_text(renewed);
    const core::SecretBytes new_token = token(renewed);
    EXPECT_EQ(denial_of({"nurse", &old_token, &new_app}), DenialKind::kTokenKeyUnknown);
    EXPECT_EQ(denial_of({"nurse", &new_token, &old_app}), DenialKind::kAppShareStale);
    std::swap(custody_, lost_);  // whoever has its store and its key
    EXPECT_EQ(denial_of({"nurse", &new_token, &new_app}), DenialKind::kTokenKeyUnknown);
    EXPECT_EQ(denial_of({"nurse", &old_token, &new_app}), DenialKind::kAppShareStale);
    EXPECT_TRUE(rebuild({"nurse", &old_token, &old_app}).has_value());  // the positive control
    std::swap(custody_, lost_);
}

TEST_F(Adoption, OnlyAnAdoptedProxyTakesRenewedSharesOfAStranger) {
    Holdings nurse = add_user("nurse");
    lose_proxy();
    adopt();
    const Holdings renewed = make_renewal(repinned(nurse), 2);
    const auto receipt = custody_->apply(renewed.command, kNow);
    ASSERT_TRUE(receipt.has_value());
    EXPECT_EQ(receipt_of(*receipt).outcome, share::Outcome::kApplied);
    std::swap(custody_, lost_);
    const auto foreign = custody_->apply(renewed.command, kNow);  // another chain
    EXPECT_FALSE(foreign.has_value());
    std::swap(custody_, lost_);
}

TEST_F(Adoption, AnOrdinaryProxyRefusesRenewedSharesOfAStranger) {
    const share::ChainHead head = enrolment_->head;
    const Holdings stranger = make_user("stranger");
    enrolment_->head = head;  // as if it never was
    const Holdings renewed = make_renewal(stranger, 2);
    const auto receipt = custody_->apply(renewed.command, kNow);
    ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
    EXPECT_EQ(receipt_of(*receipt).outcome, share::Outcome::kRefused);
}

}  // namespace
}  // namespace pgveil::store::test
