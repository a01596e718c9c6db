#include "test/keyshare/store/world.hpp"
#include "test/support/stop_at.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>

// Every change of the share store, killed at every one of its system calls that leave a trace, then
// opened and asked again.
namespace pgveil::store::test {
namespace {

namespace fs = std::filesystem;

class Crash : public World {
protected:
    enum class End { kKilled, kDone, kFailed };

    using Step = std::function<bool(ProxyCustody&)>;

    void keep() {
        custody_.reset();
        fs::create_directory(folder_ / "kept");
        for (const auto& entry : fs::directory_iterator(folder_)) {
            if (entry.is_regular_file()) {
                fs::copy_file(entry.path(), folder_ / "kept" / entry.path().filename());
            }
        }
    }

    void put_back() const {
        for (const auto& entry : fs::directory_iterator(folder_)) {
            if (entry.is_regular_file()) {
                fs::remove(entry.path());
            }
        }
        for (const auto& entry : fs::directory_iterator(folder_ / "kept")) {
            fs::copy_file(entry.path(), folder_ / entry.path().filename());
        }
    }

    // Opens the custody and takes the step in a child that dies at its n-th call.
    End run_until(std::int64_t call, const Step& step) const {
        const pid_t child = ::fork();
        if (child == 0) {
            pgveil::test::stop_at().made = 0;
            pgveil::test::stop_at().limit = call;
            auto opened = ProxyCustody::open(
                options(), std::make_unique<seal::FileSeal>(folder_ / "seal.key")
            );
            ::_exit(opened.has_value() && step(**opened) ? 0 : 1);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        if (WIFSIGNALED(status)) {
            return WTERMSIG(status) == SIGKILL ? End::kKilled : End::kFailed;
        }
        return WEXITSTATUS(status) == 0 ? End::kDone : End::kFailed;
    }

    // Kills at call 1, 2, 3, ... until the step ends by itself; `judge` looks at what each kill
    // left. Returns how many there were.
    std::int64_t sweep(const Step& step, const std::function<void()>& judge) {
        keep();
        for (std::int64_t call = 1;; ++call) {
            SCOPED_TRACE("killed before call " + std::to_string(call));
            put_back();
            const End end = run_until(call, step);
            if (end == End::kDone) {
                return call - 1;
            }
            EXPECT_EQ(end, End::kKilled);
            restart();
            if (custody_->report().closed) {
                read_zero();
            }
            EXPECT_FALSE(fs::exists(folder_ / "seal.key.next"));
            EXPECT_FALSE(custody_->report().renewal_due);
            judge();
            custody_.reset();
            if (HasFailure()) {
                return call - 1;
            }
        }
    }

    static Step applies(const std::string& command) {
        return [command](ProxyCustody& custody) {
            return custody.apply(command, kNow).has_value();
        };
    }

    // Sent again, the command ends applied whatever the first time left.
    void expect_recoverable(const std::string& command) {
        const auto receipt = custody_->apply(command, kNow + 1);
        ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
        EXPECT_EQ(receipt_of(*receipt).outcome, share::Outcome::kApplied);
    }
};

constexpr std::int64_t kFewCalls = 10;  // fewer would mean that nothing was swept

TEST_F(Crash, AddUserAtEveryCall) {
    const Holdings clerk = add_user("clerk");
    const Holdings nurse = make_user("nurse");
    const std::int64_t calls = sweep(applies(nurse.command), [&] {
        EXPECT_TRUE(works(clerk));
        expect_recoverable(nurse.command);
        EXPECT_TRUE(works(nurse));
    });
    EXPECT_GT(calls, kFewCalls);
}

TEST_F(Crash, ManyUsersOfOneCallAreAddedAtEveryCallAllOrNone) {
    const Holdings clerk = make_user("clerk");
    const Holdings nurse = make_user("nurse");
    const std::string both = share::join_commands({clerk.command, nurse.command});
    const std::int64_t calls = sweep(applies(both), [&] {
        EXPECT_EQ(works(clerk), works(nurse));
        ASSERT_TRUE(custody_->apply(both, kNow + 1).has_value());
        EXPECT_TRUE(works(clerk));
        EXPECT_TRUE(works(nurse));
    });
    EXPECT_GT(calls, kFewCalls);
}

TEST_F(Crash, WithdrawAtEveryCall) {
    const Holdings clerk = add_user("clerk");
    const Holdings nurse = add_user("nurse");
    const std::string command = withdraw("nurse");
    const std::int64_t calls = sweep(applies(command), [&] {
        EXPECT_TRUE(works(clerk));
        expect_recoverable(command);
        EXPECT_FALSE(works(nurse));
        EXPECT_TRUE(works(clerk));
    });
    EXPECT_GT(calls, kFewCalls);
}

TEST_F(Crash, ChangeKeyAtEveryCallLeavesExactlyOneTripleInForce) {
    const Holdings old = add_user("nurse");
    const Holdings clerk = add_user("clerk");
    const Holdings fresh = make_change("nurse", 2);
    const std::int64_t calls = sweep(applies(fresh.command), [&] {
        EXPECT_NE(works(old), works(fresh));
        EXPECT_TRUE(works(clerk));
        expect_recoverable(fresh.command);
        EXPECT_TRUE(works(fresh));
        EXPECT_FALSE(works(old));
    });
    EXPECT_GT(calls, kFewCalls);
}

TEST_F(Crash, CreateGroupAtEveryCallMakesOneRow) {
    const Holdings clerk = add_user("clerk");
    const std::string command = *share::make_create_group(
        *enrolment_, identity_, {"lab", 3}, {kNow, kNow + 600}, core::system_random()
    );
    const std::int64_t calls = sweep(applies(command), [&] {
        EXPECT_TRUE(works(clerk));
        expect_recoverable(command);
        EXPECT_TRUE(works(clerk));
        EXPECT_EQ(custody_->keyring()->rows.size(), 3U);
        EXPECT_NE(custody_->keyring()->live("lab"), nullptr);
    });
    EXPECT_GT(calls, kFewCalls / 2);
}

TEST_F(Crash, RenewSharesAtEveryCallLocksNobodyOut) {
    const Holdings old = add_user("nurse");
    const Holdings clerk = add_user("clerk");
    const Holdings fresh = make_renewal(old, 2);
    const std::int64_t calls = sweep(applies(fresh.command), [&] {
        EXPECT_TRUE(works(old));
        EXPECT_TRUE(works(clerk));
        expect_recoverable(fresh.command);
        EXPECT_TRUE(works(old));
        EXPECT_TRUE(works(fresh));
        EXPECT_FALSE(works(old));
    });
    EXPECT_GT(calls, kFewCalls);
}

TEST_F(Crash, RenewTkAtEveryCallLeavesExactlyOneTKInForceForEverybody) {
    const Holdings old_nurse = add_user("nurse"), old_clerk = add_user("clerk");
    const TkRenewal fresh = make_tk_renewal("default", {&old_nurse, &old_clerk}, 2);
    const std::int64_t calls = sweep(applies(fresh.command), [&] {
        EXPECT_NE(works(old_nurse), works(fresh.users[0]));
        EXPECT_NE(works(old_clerk), works(fresh.users[1]));
        EXPECT_EQ(works(old_nurse), works(old_clerk));
        expect_recoverable(fresh.command);
        read_zero();
        EXPECT_TRUE(works(fresh.users[0]));
        EXPECT_TRUE(works(fresh.users[1]));
        EXPECT_FALSE(works(old_nurse));
        EXPECT_FALSE(works(old_clerk));
        EXPECT_EQ(custody_->keyring()->rows.size(), 2U);
    });
    EXPECT_GT(calls, kFewCalls);
}

TEST_F(Crash, TheEndOfARenewalAtEveryCallLeavesTheNewSharesAndNoSecondPair) {
    const Holdings old = add_user("nurse");
    const Holdings fresh = renew_shares(old, 2);
    const core::SecretBytes made = token(fresh), app = app_text(fresh);
    const auto use = [&](ProxyCustody& custody) {
        OpenedTokens::Slot slot;
        return custody.check_zero_from_database(custody.mirror_rows()).has_value() &&
               custody.rebuild({"nurse", "clinic", &made, &app, false}, kNow, slot).has_value() &&
               custody.maintain(kNow).has_value();
    };
    const std::int64_t calls = sweep(use, [&] {
        EXPECT_TRUE(works(fresh));
        EXPECT_FALSE(works(old));
        EXPECT_TRUE(custody_->maintain(kNow).has_value());
        EXPECT_FALSE(custody_->report().renewal_due);
    });
    EXPECT_GT(calls, kFewCalls);
}

TEST_F(Crash, TheDeadlineOfARenewalAtEveryCall) {
    const Holdings old = add_user("nurse");
    const Holdings fresh = renew_shares(old, 2);
    const auto expire = [](ProxyCustody& custody) {
        return custody.maintain(kNow + 601).has_value();
    };
    const std::int64_t calls = sweep(expire, [&] {
        ASSERT_TRUE(custody_->maintain(kNow + 601).has_value());
        EXPECT_EQ(custody_->report().renewing_users, 0U);
        EXPECT_FALSE(works(old));
        EXPECT_TRUE(works(fresh));
    });
    EXPECT_GT(calls, kFewCalls);
}

TEST_F(Crash, TheBootstrapAtEveryCallOfEveryStep) {
    custody_.reset();
    for (const char* name : {"store.db", "store.db-wal", "store.db-shm"}) {
        fs::remove(folder_ / name);
    }
    ASSERT_TRUE(ProxyCustody::order(options(), *seal(), {}, kNow).has_value());
    auto run = *share::TenantBootstrap::begin("acme", {"default", "medical"}, identity_);
    while (!run.done()) {
        const std::string step(run.step());
        SCOPED_TRACE(step);
        const auto call = [&](ProxyCustody& custody) {
            return custody.bootstrap_call(step, run.request(), kNow).has_value();
        };
        const core::SecretBytes saved = run.save();
        const std::int64_t calls = sweep(call, [&] {
            auto again = *share::TenantBootstrap::restore(saved.reveal());
            bootstrap(again);
            ASSERT_TRUE(again.done());
            EXPECT_TRUE(share::check_keys(again.take_enrolment()).has_value());
        });
        EXPECT_GT(calls, kFewCalls);
        fs::remove_all(folder_ / "kept");
        restart();
        const auto reply = custody_->bootstrap_call(step, run.request(), kNow);
        ASSERT_TRUE(reply.has_value());
        ASSERT_TRUE(run.accept(*reply, identity_, core::system_random()).has_value());
    }
}

TEST_F(Crash, TheRollOfTokenKeysAtEveryCall) {
    const Holdings nurse = add_user("nurse");
    const std::uint32_t first = token_key().key_id;
    const std::int64_t later_s = kNow + 86400 + 331;
    const auto roll = [&](ProxyCustody& custody) {
        return custody.maintain(later_s).has_value();
    };
    const std::int64_t calls = sweep(roll, [&] {
        ASSERT_TRUE(custody_->maintain(later_s).has_value());
        EXPECT_NE(token_key(later_s).key_id, first);
        const core::SecretBytes made = token(nurse, {later_s, 60}), app = app_text(nurse);
        EXPECT_TRUE(rebuild({"nurse", &made, &app, later_s}).has_value());
    });
    EXPECT_GT(calls, kFewCalls);
}

}  // namespace
}  // namespace pgveil::store::test
