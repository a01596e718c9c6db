#include "keyshare/share/proxy_bootstrap.hpp"
#include "keyshare/share/receipt.hpp"
#include "keyshare/share/tenant_adoption.hpp"
#include "keyshare/share/tenant_bootstrap.hpp"
#include "test/keyshare/share/samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace pgveil::share {
namespace {

using samples::kNow;

// P without a store: every call restores the saved bytes, works, and saves, as the store does.
class Bench {
public:
    explicit Bench(std::optional<Digest> expected = std::nullopt)
        : saved_(ProxyBootstrap::order("verifier", expected).save()) {}

    Result<std::string> call(std::string_view step, std::string_view argument) {
        ProxyBootstrap bootstrap = *ProxyBootstrap::restore(saved_.reveal());
        auto answer = answer_of(bootstrap, step, argument);
        if (answer.has_value()) {
            saved_ = bootstrap.save();
        }
        return answer;
    }

    ProxyBootstrap state() const { return *ProxyBootstrap::restore(saved_.reveal()); }

    core::SigningKey identity = core::SigningKey::generate();
    core::HpkeKeyPair command_key = core::HpkeKeyPair::generate();

private:
    Result<std::string> answer_of(
        ProxyBootstrap& bootstrap, std::string_view step, std::string_view argument
    ) {
        const ProxyBootstrap::Proxy proxy{"acme", identity, core::system_random(), kNow};
        if (step == "hello") {
            return bootstrap.on_hello(argument, proxy);
        }
        if (step == "contribute") {
            return bootstrap.on_contribution(argument, proxy);
        }
        const auto closed = step == "adopt" ? bootstrap.on_adoption(argument, proxy)
                                            : bootstrap.on_confirmation(argument, proxy);
        if (!closed.has_value()) {
            return closed.error();
        }
        if (*closed) {
            bootstrap.set_close_receipt(sign_receipt(
                Receipt{
                    .tenant = "acme",
                    .sequence = 0,
                    .hash = bootstrap.confirmation_hash(),
                    .outcome = Outcome::kApplied,
                    .reason = {},
                    .at_s = kNow,
                    .store_version = 1,
                    .keyring = bootstrap.keyring(),
                    .next_command_key = {1, command_key.point}},
                identity
            ));
        }
        return bootstrap.close_receipt();
    }

    core::SecretBytes saved_;
};

class Bootstrap : public testing::Test {
protected:
    TenantBootstrap begin() const {
        return *TenantBootstrap::begin("acme", {"default"}, identity_);
    }

    void advance(TenantBootstrap& run, Bench& proxy) const {
        const auto reply = proxy.call(run.step(), run.request());
        ASSERT_TRUE(reply.has_value()) << reply.error().message;
        const auto accepted = run.accept(*reply, identity_, core::system_random());
        ASSERT_TRUE(accepted.has_value()) << accepted.error().message;
    }

    TenantIdentity identity_ = TenantIdentity::generate();
};

TEST_F(Bootstrap, P3_EndsWithAKeyThatFitsTheKeyring) {
    Bench proxy;
    auto run = *TenantBootstrap::begin("acme", {"medical", "default"}, identity_);
    while (!run.done()) {
        advance(run, proxy);
    }
    const Enrolment enrolment = run.take_enrolment();
    EXPECT_EQ(enrolment.groups.size(), 2U);
    EXPECT_EQ(enrolment.groups[0].group, "default");
    EXPECT_TRUE(check_keys(enrolment).has_value());
    EXPECT_EQ(enrolment.proxy_identity, proxy.identity.verifying_key().point());
    EXPECT_EQ(enrolment.command_key.key_id, 1U);
    EXPECT_EQ(proxy.state().stage(), ProxyBootstrap::Stage::kClosed);
}

TEST_F(Bootstrap, KilledAtAnyStepAndRepeatedEndsWell) {
    for (int kill_at = 0; kill_at < 3; ++kill_at) {
        Bench proxy;
        auto run = begin();
        for (int step = 0; !run.done(); ++step) {
            const core::SecretBytes saved = run.save();
            const auto lost = proxy.call(run.step(), run.request());
            ASSERT_TRUE(lost.has_value());
            if (step == kill_at) {
                run = *TenantBootstrap::restore(saved.reveal());  // the answer never came
            }
            const auto again = proxy.call(run.step(), run.request());
            ASSERT_TRUE(again.has_value()) << again.error().message;
            EXPECT_EQ(*again, *lost);
            ASSERT_TRUE(run.accept(*again, identity_, core::system_random()).has_value());
        }
        run = *TenantBootstrap::restore(run.save().reveal());
        EXPECT_TRUE(check_keys(run.take_enrolment()).has_value());
    }
}

TEST_F(Bootstrap, AStateCutAnywhereIsRefused) {
    Bench proxy;
    auto run = begin();
    for (;;) {
        const core::SecretBytes saved = run.save();
        ASSERT_TRUE(TenantBootstrap::restore(saved.reveal()).has_value());
        for (std::size_t size = 0; size < saved.size(); ++size) {
            ASSERT_FALSE(TenantBootstrap::restore(saved.reveal().first(size)).has_value());
        }
        if (run.done()) {
            break;
        }
        advance(run, proxy);
    }
}

TEST_F(Bootstrap, TheFirstKeysWinAndOthersAreNamed) {
    Bench proxy;
    auto run = begin();
    advance(run, proxy);
    const TenantIdentity thief = TenantIdentity::generate();
    const auto other = *TenantBootstrap::begin("acme", {"default"}, thief);
    const auto refused = proxy.call("hello", other.request());
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kForeign);
    EXPECT_NE(
        refused.error().message.find(fingerprint_text(fingerprint_of(identity_))), std::string::npos
    );
    advance(run, proxy);
    advance(run, proxy);
    EXPECT_TRUE(run.done());
}

TEST_F(Bootstrap, P5_OnlyTheExpectedFingerprintIsAccepted) {
    Bench proxy(fingerprint_of(identity_));
    const TenantIdentity thief = TenantIdentity::generate();
    const auto other = *TenantBootstrap::begin("acme", {"default"}, thief);
    EXPECT_FALSE(proxy.call("hello", other.request()).has_value());
    EXPECT_TRUE(proxy.call("hello", begin().request()).has_value());
}

TEST_F(Bootstrap, AnotherTenantsNameIsRefused) {
    Bench proxy;
    const auto other = *TenantBootstrap::begin("other", {"default"}, identity_);
    EXPECT_FALSE(proxy.call("hello", other.request()).has_value());
    EXPECT_TRUE(proxy.call("hello", begin().request()).has_value());
}

TEST_F(Bootstrap, StepsOutOfOrderAreRefused) {
    Bench proxy;
    Bench other;
    auto run = begin();
    EXPECT_FALSE(proxy.call("contribute", run.request()).has_value());
    EXPECT_FALSE(proxy.call("confirm", run.request()).has_value());
    auto elsewhere = begin();
    advance(elsewhere, other);
    advance(run, proxy);
    EXPECT_FALSE(proxy.call("contribute", elsewhere.request()).has_value());
    advance(run, proxy);
    EXPECT_FALSE(proxy.call("confirm", elsewhere.request()).has_value());
}

TEST_F(Bootstrap, ClosedMeansClosed) {
    Bench proxy;
    auto run = begin();
    const std::string hello = run.request();
    advance(run, proxy);
    const std::string contribution = run.request();
    advance(run, proxy);
    const std::string confirmation = run.request();
    advance(run, proxy);
    EXPECT_FALSE(proxy.call("hello", hello).has_value());
    EXPECT_FALSE(proxy.call("contribute", contribution).has_value());
    EXPECT_TRUE(proxy.call("confirm", confirmation).has_value());
}

TEST_F(Bootstrap, TheTenantNoticesAProxyThatChoosesItsPartLate) {
    Bench honest;
    auto run = begin();
    advance(run, honest);
    // The same messages, but r_P replaced after r_T was seen: sign a handover over another
    // contribution.
    const auto late = core::random_secret<ProxyContribution>(core::system_random());
    HandoverSecrets secrets{late.duplicate(), {}};
    secrets.keys.push_back({"default", samples::counting<TenantKey>(1)});
    const Handover handover{
        "acme",
        *core::jws_hash(run.request()),
        seal_handover(secrets, identity_.sealing.point, "acme"),
        with_rows(Keyring(), {samples::row_of("default", 1, secrets.keys[0].part)})};
    const auto refused =
        run.accept(sign_handover(handover, honest.identity), identity_, core::system_random());
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kForged);
    EXPECT_EQ(run.step(), "contribute");
    advance(run, honest);
    advance(run, honest);
    EXPECT_TRUE(run.done());
}

TEST_F(Bootstrap, AWrongConfirmationDoesNotClose) {
    Bench proxy;
    auto run = begin();
    advance(run, proxy);
    advance(run, proxy);
    const auto parts = core::parse_jws(run.request());
    ASSERT_TRUE(parts.has_value());
    const auto good = verify_confirmation(run.request(), identity_.signing.verifying_key());
    ASSERT_TRUE(good.has_value());
    Confirmation wrong = *good;
    wrong.mac[0] ^= 1U;
    EXPECT_FALSE(proxy.call("confirm", sign_confirmation(wrong, identity_.signing)).has_value());
    advance(run, proxy);
    EXPECT_TRUE(run.done());
}

TEST_F(Bootstrap, EveryFlippedBitOfEveryMessageIsRefused) {
    Bench proxy;
    auto run = begin();
    while (!run.done()) {
        const std::string request = run.request();
        for (std::size_t at = 0; at < request.size(); at += 3) {
            ASSERT_FALSE(proxy.call(run.step(), samples::flip(request, at, at % 8)).has_value());
        }
        const std::string reply = *proxy.call(run.step(), request);
        for (std::size_t at = 0; at < reply.size(); at += 3) {
            ASSERT_FALSE(
                run.accept(samples::flip(reply, at, at % 8), identity_, core::system_random())
                    .has_value()
            );
        }
        ASSERT_TRUE(run.accept(reply, identity_, core::system_random()).has_value());
    }
}

bool holds(const ProxyBootstrap& state, core::ByteView secret) {
    const core::SecretBytes saved = state.save();
    return !std::ranges::search(saved.reveal(), secret).empty();
}

TEST_F(Bootstrap, P3_ProxyForgetsItsContributionAndNeverStoresTheKey) {
    Bench proxy;
    auto run = begin();
    advance(run, proxy);
    const ProxyBootstrap offered = proxy.state();
    const std::string reply = *proxy.call(run.step(), run.request());
    const auto handover = verify_handover(reply, proxy.identity.verifying_key());
    ASSERT_TRUE(handover.has_value());
    const auto secrets = open_handover(handover->sealed, identity_.sealing, "acme");
    ASSERT_TRUE(secrets.has_value());
    EXPECT_TRUE(holds(offered, secrets->contribution.reveal()));  // the search can find something
    EXPECT_FALSE(holds(proxy.state(), secrets->contribution.reveal()));
    EXPECT_FALSE(holds(proxy.state(), secrets->keys[0].part.reveal()));
}

class Adopted : public Bootstrap {
protected:
    /// A tenant whose proxy is lost.
    Enrolment enrolled() const {
        Bench lost;
        auto run = begin();
        while (!run.done()) {
            advance(run, lost);
        }
        return run.take_enrolment();
    }

    /// The whole exchange; false: a step was refused.
    bool adopt(TenantAdoption& run, Bench& proxy, Enrolment& taken) const {
        const auto offer = proxy.call("hello", run.hello());
        if (!offer.has_value() || !run.accept_offer(*offer, taken, identity_).has_value()) {
            return false;
        }
        const auto receipt = proxy.call("adopt", run.request());
        return receipt.has_value() && run.accept_close(*receipt, taken).has_value();
    }
};

TEST_F(Adopted, AFreshProxyGoesOnWithTheKeyringAndNeverSeesTK) {
    Bench fresh;
    Enrolment taken = enrolled();
    const Keyring keyring = taken.keyring;
    auto run = TenantAdoption::begin(taken, identity_);
    ASSERT_TRUE(adopt(run, fresh, taken));
    EXPECT_TRUE(run.done());
    EXPECT_EQ(taken.proxy_identity, fresh.identity.verifying_key().point());
    EXPECT_EQ(taken.head.sequence, 0U);
    EXPECT_EQ(fresh.state().keyring(), keyring);
    EXPECT_TRUE(fresh.state().adopted());
    EXPECT_FALSE(holds(fresh.state(), taken.groups[0].key.reveal()));
    EXPECT_TRUE(check_keys(taken).has_value());
}

TEST_F(Adopted, IsRepeatedFromAnySavedStateWithTheSameBytes) {
    Bench fresh;
    Enrolment taken = enrolled();
    auto run = TenantAdoption::begin(taken, identity_);
    for (int times = 0; times < 2; ++times) {
        run = *TenantAdoption::restore(run.save().reveal());
        ASSERT_TRUE(
            run.accept_offer(*fresh.call("hello", run.hello()), taken, identity_).has_value()
        );
        run = *TenantAdoption::restore(run.save().reveal());
        ASSERT_TRUE(fresh.call("adopt", run.request()).has_value());  // the answer never came
    }
    ASSERT_TRUE(adopt(run, fresh, taken));
    EXPECT_TRUE(TenantAdoption::restore(run.save().reveal())->done());
    const core::SecretBytes saved = run.save();
    for (std::size_t size = 0; size < saved.size(); ++size) {
        ASSERT_FALSE(TenantAdoption::restore(saved.reveal().first(size)).has_value());
    }
}

TEST_F(Adopted, IsForOneOfferOfOneProxy) {
    Bench fresh;
    Bench other;
    Enrolment taken = enrolled();
    auto run = TenantAdoption::begin(taken, identity_);
    const auto offer = fresh.call("hello", run.hello());
    ASSERT_TRUE(run.accept_offer(*offer, taken, identity_).has_value());
    ASSERT_TRUE(other.call("hello", run.hello()).has_value());
    EXPECT_FALSE(other.call("adopt", run.request()).has_value());
    EXPECT_FALSE(fresh.call("adopt", samples::flip(run.request(), 200, 1)).has_value());
    const auto receipt = fresh.call("adopt", run.request());
    ASSERT_TRUE(receipt.has_value());
    EXPECT_FALSE(run.accept_close(samples::flip(*receipt, 200, 1), taken).has_value());
    EXPECT_TRUE(run.accept_close(*receipt, taken).has_value());
}

TEST_F(Adopted, OnlyByWhoSaidHelloFirst) {
    Bench fresh;
    Enrolment taken = enrolled();
    auto run = TenantAdoption::begin(taken, identity_);
    const TenantIdentity thief = TenantIdentity::generate();
    auto stolen = TenantAdoption::begin(taken, thief);
    ASSERT_TRUE(fresh.call("hello", run.hello()).has_value());
    EXPECT_FALSE(fresh.call("hello", stolen.hello()).has_value());
    EXPECT_TRUE(adopt(run, fresh, taken));
    EXPECT_FALSE(adopt(stolen, fresh, taken));
}

}  // namespace
}  // namespace pgveil::share
