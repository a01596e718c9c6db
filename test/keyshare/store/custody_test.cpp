#include "test/keyshare/store/world.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace pgveil::store::test {
namespace {

class Custody : public World {
protected:
    // A second, fresh proxy beside the bootstrapped one.
    CustodyOptions fresh_options() const { return {folder_ / "fresh.db", "acme", {}}; }
};

TEST_F(Custody, ReportsWhoBootstrappedItAndWhen) {
    const CustodyReport report = custody_->report();
    EXPECT_TRUE(report.closed);
    EXPECT_EQ(report.closed_at_s, kNow);
    EXPECT_EQ(report.tenant_fingerprint, share::fingerprint_text(share::fingerprint_of(identity_)));
    EXPECT_EQ(
        report.identity_fingerprint,
        share::fingerprint_text(enrolment_->proxy_identity.fingerprint())
    );
}

TEST_F(Custody, P5_TheOneTimePasswordDiesWithTheFirstCommand) {
    EXPECT_TRUE(custody_->bootstrap_verifier().has_value());
    add_user("nurse");
    EXPECT_FALSE(custody_->bootstrap_verifier().has_value());
    EXPECT_FALSE(custody_->bootstrap_call("hello", "x", kNow).has_value());
    restart();
    EXPECT_FALSE(custody_->bootstrap_verifier().has_value());
}

TEST_F(Custody, AClosedProxyIsNotOrderedAgain) {
    custody_.reset();
    EXPECT_FALSE(ProxyCustody::order(options(), *seal(), {}, kNow).has_value());
    OrderOptions again;
    again.again = true;
    EXPECT_FALSE(ProxyCustody::order(options(), *seal(), again, kNow).has_value());
    restart();
}

TEST_F(Custody, AnUnfinishedOrderIsReplacedOnlyWhenAsked) {
    const auto first = ProxyCustody::order(fresh_options(), *seal("fresh.key"), {}, kNow);
    ASSERT_TRUE(first.has_value());
    EXPECT_FALSE(ProxyCustody::order(fresh_options(), *seal("fresh.key"), {}, kNow).has_value());
    OrderOptions again;
    again.again = true;
    const auto second = ProxyCustody::order(fresh_options(), *seal("fresh.key"), again, kNow);
    ASSERT_TRUE(second.has_value());
    EXPECT_NE(first->identity_fingerprint, second->identity_fingerprint);
}

TEST_F(Custody, BootstrapSurvivesARestartBetweenAllSteps) {
    ASSERT_TRUE(ProxyCustody::order(fresh_options(), *seal("fresh.key"), {}, kNow).has_value());
    auto run = *share::TenantBootstrap::begin("acme", {"default"}, identity_);
    while (!run.done()) {
        auto proxy = ProxyCustody::open(fresh_options(), seal("fresh.key"));
        ASSERT_TRUE(proxy.has_value()) << proxy.error().message;
        const auto lost = (*proxy)->bootstrap_call(run.step(), run.request(), kNow);
        ASSERT_TRUE(lost.has_value()) << lost.error().message;
        proxy->reset();
        proxy = ProxyCustody::open(fresh_options(), seal("fresh.key"));
        const auto reply = (*proxy)->bootstrap_call(run.step(), run.request(), kNow);
        ASSERT_TRUE(reply.has_value());
        EXPECT_EQ(*reply, *lost);
        ASSERT_TRUE(run.accept(*reply, identity_, core::system_random()).has_value());
    }
    EXPECT_TRUE(share::check_keys(run.take_enrolment()).has_value());
}

TEST_F(Custody, BeforeTheBootstrapNothingElseWorks) {
    ASSERT_TRUE(ProxyCustody::order(fresh_options(), *seal("fresh.key"), {}, kNow).has_value());
    const auto proxy = *ProxyCustody::open(fresh_options(), seal("fresh.key"));
    EXPECT_TRUE(proxy->mirror_rows().empty());
    EXPECT_EQ(proxy->apply("x", kNow).error().code, ErrorCode::kNotBootstrapped);
    OpenedTokens::Slot slot;
    EXPECT_EQ(
        proxy->rebuild({"nurse", "x", nullptr, nullptr}, kNow, slot).error().kind,
        share::DenialKind::kNotBootstrapped
    );
    EXPECT_FALSE(proxy->bootstrap_call("steal", "x", kNow).has_value());
    EXPECT_FALSE(proxy->bootstrap_call("hello", "x", kNow).has_value());
}

TEST_F(Custody, OpensOnlyWithItsKeyAndForItsTenant) {
    custody_.reset();
    const auto wrong_key = ProxyCustody::open(options(), seal("other.key"));
    ASSERT_FALSE(wrong_key.has_value());
    EXPECT_EQ(wrong_key.error().code, ErrorCode::kBroken);
    EXPECT_FALSE(ProxyCustody::open(options("other"), seal()).has_value());
    EXPECT_FALSE(ProxyCustody::open(fresh_options(), seal("fresh.key")).has_value());
    restart();
}

TEST_F(Custody, OneProcessHoldsTheStore) {
    const auto second = ProxyCustody::open(options(), seal());
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
}

TEST_F(Custody, MirrorRowsThatAreMissingAlteredForeignOrTooManyAreRewritten) {
    const auto good = custody_->mirror_rows();
    ASSERT_EQ(good.size(), 2U);
    EXPECT_TRUE(custody_->check_zero_from_database(good)->accepted);
    const auto refused = [&](const std::vector<share::MirrorRow>& rows) {
        const auto verdict = custody_->check_zero_from_database(rows);
        EXPECT_TRUE(verdict.has_value());
        EXPECT_FALSE(verdict->reason.empty());
        EXPECT_EQ(verdict->rewrite.size(), 2U);
        return !verdict->accepted;
    };
    EXPECT_TRUE(refused({}));
    EXPECT_TRUE(refused({good[0]}));
    auto altered = good;
    altered[1].row[100] = altered[1].row[100] == 'A' ? 'B' : 'A';
    EXPECT_TRUE(refused(altered));
    auto swapped = good;
    std::swap(swapped[0].row, swapped[1].row);
    EXPECT_TRUE(refused(swapped));
    const auto thief = core::SigningKey::generate();
    EXPECT_TRUE(refused(share::make_mirror(enrolment_->keyring, "acme", thief)));
    auto more = good;
    more.push_back(good[0]);
    EXPECT_TRUE(refused(more));
}

TEST_F(Custody, TokenKeysRollAndDie) {
    const Holdings nurse = add_user("nurse");
    const core::SecretBytes app = app_text(nurse);
    const std::uint32_t first = token_key().key_id;
    EXPECT_EQ(token_key(kNow + 80000).key_id, first);
    const std::int64_t last_s = kNow + 86400 - 301;
    const core::SecretBytes late = token(nurse, {last_s, 300});
    EXPECT_NE(token_key(kNow + 86400 - 299).key_id, first);
    ASSERT_TRUE(custody_->maintain(kNow + 86400).has_value());
    EXPECT_TRUE(rebuild({"nurse", &late, &app, last_s + 299}).has_value());
    ASSERT_TRUE(custody_->maintain(kNow + 86400 + 331).has_value());
    EXPECT_EQ(
        denial_of({"nurse", &late, &app, last_s + 299}), share::DenialKind::kTokenKeyDestroyed
    );
    restart();
    read_zero();
    EXPECT_EQ(
        denial_of({"nurse", &late, &app, last_s + 299}), share::DenialKind::kTokenKeyDestroyed
    );
}

TEST_F(Custody, ReadersOnManyThreadsSeeAWithdrawalAtOnce) {
    const Holdings nurse = add_user("nurse");
    const Holdings clerk = add_user("clerk");
    const core::SecretBytes nurse_token = token(nurse), nurse_app = app_text(nurse);
    const core::SecretBytes clerk_token = token(clerk), clerk_app = app_text(clerk);
    std::atomic<bool> withdrawn = false;
    std::atomic<bool> stop = false;
    std::atomic<int> wrong = 0;
    std::atomic<int> served = 0;
    std::vector<std::thread> readers;
    for (int at = 0; at < 4; ++at) {
        readers.emplace_back([&] {
            while (!stop) {
                const bool must_fail = withdrawn;
                if (rebuild({"clerk", &clerk_token, &clerk_app}).has_value() && must_fail) {
                    ++wrong;
                }
                if (!rebuild({"nurse", &nurse_token, &nurse_app}).has_value()) {
                    ++wrong;
                }
                ++served;
            }
        });
    }
    const std::string command = withdraw("clerk");
    while (served < 20) {
        std::this_thread::yield();
    }
    const auto receipt = custody_->withdraw_user("clerk", command, kNow);
    withdrawn = true;
    const int before = served;
    while (served < before + 40) {
        std::this_thread::yield();
    }
    stop = true;
    for (std::thread& reader : readers) {
        reader.join();
    }
    EXPECT_TRUE(receipt.has_value());
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace pgveil::store::test
