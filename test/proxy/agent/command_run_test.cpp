#include "proxy/agent/command_run.hpp"

#include "keyshare/core/random.hpp"
#include "keyshare/share/app_share.hpp"
#include "keyshare/share/receipt.hpp"
#include "proxy/wire/frame.hpp"
#include "proxy/wire/row.hpp"
#include "test/keyshare/share/samples.hpp"
#include "test/keyshare/user/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgveil::agent {

namespace {

namespace samples = share::samples;
using testing::HasSubstr;

class CommandRunTest : public testing::Test {
protected:
    CommandCall call(CommandCall::Function function) const {
        CommandCall made;
        made.function = function;
        made.user_id = "nurse";
        made.app_share = core::SecretBytes::copy_of(text_.reveal());
        made.commands = command_;
        return made;
    }

    std::string receipt(share::Outcome outcome, const core::SigningKey& signer) const {
        const share::Receipt said{
            .tenant = "acme",
            .sequence = 1,
            .hash = *core::jws_hash(command_),
            .outcome = outcome,
            .reason = "",
            .at_s = samples::kNow,
            .store_version = 2,
            .keyring = enrolment_.keyring,
            .next_command_key = {2, proxy_.command_key.point}};
        return share::sign_receipt(said, signer);
    }

    static core::SecretBytes share_text() {
        share::AppShare share{.tenant = "acme", .user_id = "nurse", .epoch = 1, .groups = {}};
        share.groups.push_back(
            {"default", core::random_secret<share::AppPart>(core::system_random())}
        );
        return share::serialize(share);
    }

    static void answer(CommandRun& run, std::string_view value) {
        wire::Output out;
        wire::RowWriter row(out, 1);
        row.add(wire::as_bytes(value));
        row.finish();
        run.on_row(out.bytes().subspan(wire::kFrameHeadSize));
    }

    user::Result<void> finished(CommandCall::Function function, const std::string& receipts) {
        CommandRun run(call(function));
        answer(run, receipts);
        return run.finish(table_, key_);
    }

    user::Scratch scratch_;
    samples::Proxy proxy_;
    share::TenantIdentity identity_ = share::TenantIdentity::generate();
    share::Enrolment enrolment_ = samples::enrol(proxy_);
    std::string command_ =
        *share::make_withdraw_user(enrolment_, identity_, "nurse", samples::kNow);
    core::SecretBytes text_ = share_text();
    ShareTable table_ = *ShareTable::open(scratch_ / "shares");
    share::UserKey key_{
        .tenant = "acme",
        .user_id = "service",
        .epoch = 1,
        .proxy_identity = proxy_.identity.verifying_key().point(),
        .groups = {}};
};

}  // namespace

TEST_F(CommandRunTest, AShareIsKeptOnceThePinnedProxyHasSignedThatItIsApplied) {
    const auto done = finished(
        CommandCall::Function::kAddUser, receipt(share::Outcome::kApplied, proxy_.identity)
    );
    ASSERT_TRUE(done) << done.error().message;
    ASSERT_NE(table_.find("nurse"), nullptr);
    ASSERT_TRUE(finished(
        CommandCall::Function::kWithdrawUser, receipt(share::Outcome::kApplied, proxy_.identity)
    ));
    EXPECT_EQ(table_.find("nurse"), nullptr);
}

TEST_F(CommandRunTest, WithoutItTheTableStays) {
    const auto add = CommandCall::Function::kAddUser;
    const core::SigningKey other = core::SigningKey::generate();
    const std::string applied = receipt(share::Outcome::kApplied, proxy_.identity);
    EXPECT_FALSE(finished(add, receipt(share::Outcome::kApplied, other)));
    EXPECT_FALSE(finished(add, ""));
    EXPECT_FALSE(finished(add, applied + "," + applied));
    EXPECT_THAT(
        finished(add, receipt(share::Outcome::kRefused, proxy_.identity)).error().message,
        HasSubstr("did not apply")
    );
    EXPECT_THAT(
        finished(add, receipt(share::Outcome::kExpired, proxy_.identity)).error().message,
        HasSubstr("did not apply")
    );
    EXPECT_EQ(table_.find("nurse"), nullptr);
    ASSERT_TRUE(finished(add, applied)) << "the control";
}

TEST_F(CommandRunTest, AnErrorOfTheProxysIsItsClientsAlone) {
    CommandRun run(call(CommandCall::Function::kAddUser));
    run.on_error();
    EXPECT_TRUE(run.finish(table_, key_));
    EXPECT_EQ(table_.find("nurse"), nullptr);
}

}  // namespace pgveil::agent
