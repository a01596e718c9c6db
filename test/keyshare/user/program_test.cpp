#include "test/keyshare/user/program.hpp"

#include "keyshare/core/hpke.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/share/app_share.hpp"
#include "keyshare/share/token_key.hpp"
#include "keyshare/user/fresh_token.hpp"
#include "keyshare/user/private_file.hpp"
#include "keyshare/user/user_file.hpp"
#include "test/keyshare/user/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <sys/stat.h>
#include <vector>

namespace pgveil::user {

namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Files as the tenant hands them out, and a statement of the proxy.
class UserProgram : public testing::Test {
protected:
    UserProgram() {
        write_key("nurse.user", &passphrase_);
        write_key("service.user", nullptr);
        write_app_share("nurse.app", "nurse");
        write_app_share("clerk.app", "clerk");
        put("statement", statement_by(identity_));
        put("passphrase", "correct horse\n");
    }

    void put(const std::string& name, std::string_view content) {
        EXPECT_TRUE(create_file(scratch_ / name, core::as_bytes(content), Audience::kOwner));
    }

    void write_key(const std::string& name, const core::SecretBytes* passphrase) {
        share::UserKey key{
            .tenant = "clinic",
            .user_id = "nurse",
            .epoch = 1,
            .proxy_identity = identity_.verifying_key().point(),
            .groups = {}};
        key.groups.push_back(
            {"default", core::random_secret<share::UserPart>(core::system_random())}
        );
        const auto text = write_user_file(key, {passphrase, 10}, core::system_random());
        ASSERT_TRUE(text);
        ASSERT_TRUE(create_file(scratch_ / name, text->reveal(), Audience::kOwner));
    }

    void write_app_share(const std::string& name, const std::string& user_id) {
        share::AppShare share{.tenant = "clinic", .user_id = user_id, .epoch = 1, .groups = {}};
        share.groups.push_back(
            {"default", core::random_secret<share::AppPart>(core::system_random())}
        );
        auto text = share::serialize(share);
        text.append(core::as_bytes("\n"));
        ASSERT_TRUE(create_file(scratch_ / name, text.reveal(), Audience::kOwner));
    }

    std::string statement_by(const core::SigningKey& identity) const {
        const share::TokenKeyStatement statement{
            .tenant = "clinic",
            .key = {.key_id = 7, .point = token_key_.point},
            .not_before_s = seconds_now() - 10,
            .not_after_s = seconds_now() + 3600};
        return share::sign_statement(statement, identity);
    }

    Ended run(std::vector<std::string> words) const {
        words.insert(words.begin(), PGVEIL_USER_PROGRAM);
        return run_program(words);
    }

    /// Arguments of a token from files, without the passphrase.
    std::vector<std::string> with_files(
        const std::string& subcommand, std::vector<std::string> more = {}
    ) const {
        std::vector<std::string> words = {
            subcommand, "--key", scratch_ / "nurse.user", "--statement", scratch_ / "statement"};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }

    Scratch scratch_;
    core::SigningKey identity_ = core::SigningKey::generate();
    core::HpkeKeyPair token_key_ = core::HpkeKeyPair::generate();
    core::SecretBytes passphrase_ = core::SecretBytes::copy_of(core::as_bytes("correct horse"));
};

}  // namespace

TEST_F(UserProgram, HelpAndVersionSucceed) {
    EXPECT_EQ(run({"--help"}).code, 0);
    EXPECT_THAT(run({"--version"}).output, StartsWith("pgveil-user "));
    for (const char* subcommand : {"token", "options", "exec"}) {
        EXPECT_EQ(run({subcommand, "--help"}).code, 0);
    }
}

TEST_F(UserProgram, WrongArgumentsAreUsageErrors) {
    EXPECT_EQ(run({}).code, 2);
    EXPECT_EQ(run({"tokens"}).code, 2);
    EXPECT_EQ(run({"token", "--key", scratch_ / "nurse.user"}).code, 2);
    EXPECT_EQ(run(with_files("token", {"--from", "postgresql://x"})).code, 2);
    EXPECT_EQ(run(with_files("token", {"--valid", "0"})).code, 2);
    EXPECT_EQ(run(with_files("exec", {"--app-share", scratch_ / "nurse.app"})).code, 2);
}

TEST_F(UserProgram, TokenIsAllThatStandardOutputCarries) {
    const Ended ended = run(with_files("token", {"--passphrase-file", scratch_ / "passphrase"}));
    ASSERT_EQ(ended.code, 0) << ended.notes;
    EXPECT_EQ(ended.notes, "");
    ASSERT_THAT(ended.output, StartsWith("pgvt1."));
    ASSERT_EQ(ended.output.back(), '\n');
    const auto sealed = share::parse_token(
        core::as_bytes(std::string_view(ended.output).substr(0, ended.output.size() - 1))
    );
    ASSERT_TRUE(sealed);
    const auto contents = share::open_token(*sealed, token_key_, "clinic");
    ASSERT_TRUE(contents);
    EXPECT_EQ(contents->expires_at_s - contents->issued_at_s, 60);
}

TEST_F(UserProgram, ServiceKeyAsksForNothing) {
    const Ended ended =
        run({"token", "--key", scratch_ / "service.user", "--statement", scratch_ / "statement"});
    EXPECT_EQ(ended.code, 0) << ended.notes;
}

TEST_F(UserProgram, WrongPassphraseFailsWithoutOutput) {
    put("wrong", "battery staple\n");
    const Ended ended = run(with_files("token", {"--passphrase-file", scratch_ / "wrong"}));
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.output, "");
    EXPECT_THAT(ended.notes, HasSubstr("passphrase is wrong"));
}

TEST_F(UserProgram, KeyFileOpenToOthersIsRefused) {
    ::chmod((scratch_ / "nurse.user").c_str(), 0644);
    const Ended ended = run(with_files("token", {"--passphrase-file", scratch_ / "passphrase"}));
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.notes, HasSubstr("chmod go="));
}

TEST_F(UserProgram, ImpostorsStatementGetsNoToken) {
    put("impostor", statement_by(core::SigningKey::generate()));
    const Ended ended =
        run({"token", "--key", scratch_ / "service.user", "--statement", scratch_ / "impostor"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.output, "");
    EXPECT_THAT(ended.notes, HasSubstr("not that of the proxy"));
}

TEST_F(UserProgram, UnreachableProxyIsAnError) {
    const Ended ended =
        run({"token", "--key", scratch_ / "service.user", "--from", "postgresql://u@127.0.0.1:1/d"}
        );
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.notes, HasSubstr("no connection to the proxy"));
}

TEST_F(UserProgram, OptionsExtendTheEnvironments) {
    ::setenv("PGOPTIONS", "-c work_mem=4MB", 1);
    const Ended ended = run(with_files(
        "options",
        {"--app-share", scratch_ / "nurse.app", "--passphrase-file", scratch_ / "passphrase"}
    ));
    ::unsetenv("PGOPTIONS");
    ASSERT_EQ(ended.code, 0) << ended.notes;
    EXPECT_THAT(
        ended.output,
        StartsWith("-c work_mem=4MB -c pgveil.user_id=nurse -c pgveil.user_token=pgvt1.")
    );
    EXPECT_THAT(ended.output, HasSubstr(" -c pgveil.app_share=pgva1."));
}

TEST_F(UserProgram, AppShareOfAnotherUserIsRefused) {
    const Ended ended = run(with_files(
        "options",
        {"--app-share", scratch_ / "clerk.app", "--passphrase-file", scratch_ / "passphrase"}
    ));
    EXPECT_EQ(ended.code, 2);
    EXPECT_EQ(ended.output, "");
    EXPECT_THAT(ended.notes, HasSubstr("clerk"));
}

TEST_F(UserProgram, ExecPassesSharesArgumentsAndExitCode) {
    const Ended ended = run(with_files(
        "exec",
        {"--app-share",
         scratch_ / "nurse.app",
         "--passphrase-file",
         scratch_ / "passphrase",
         "--",
         "sh",
         "-c",
         "printf '%s|%s' \"$PGOPTIONS\" \"$1\"; exit 42",
         "-x",
         "an argument"}
    ));
    EXPECT_EQ(ended.code, 42) << ended.notes;
    EXPECT_THAT(ended.output, StartsWith("-c pgveil.user_id=nurse -c pgveil.user_token=pgvt1."));
    EXPECT_THAT(ended.output, testing::EndsWith("|an argument"));
}

TEST_F(UserProgram, ExecOfAMissingClientIsAnError) {
    const Ended ended = run(with_files(
        "exec",
        {"--app-share",
         scratch_ / "nurse.app",
         "--passphrase-file",
         scratch_ / "passphrase",
         "--",
         "no-such-client"}
    ));
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.notes, HasSubstr("no-such-client cannot be run"));
}

TEST_F(UserProgram, PromptIsAskedOnTheTerminalAndNotEchoed) {
    std::vector<std::string> words = with_files("token");
    words.insert(words.begin(), PGVEIL_USER_PROGRAM);
    const Ended ended = run_on_terminal(words, {"correct horse\r"});
    EXPECT_EQ(ended.code, 0) << ended.output;
    EXPECT_THAT(ended.output, HasSubstr("passphrase of "));
    EXPECT_THAT(ended.output, HasSubstr("pgvt1."));
    EXPECT_THAT(ended.output, Not(HasSubstr("horse")));
}

TEST_F(UserProgram, InterruptAtThePromptCancels) {
    std::vector<std::string> words = with_files("token");
    words.insert(words.begin(), PGVEIL_USER_PROGRAM);
    const Ended ended = run_on_terminal(words, {"corr\x03"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.output, HasSubstr("cancelled"));
}

TEST_F(UserProgram, WithoutTerminalThePromptIsRefusedWithAWayOut) {
    const Ended ended = run(with_files("token"));
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.notes, HasSubstr("no terminal"));
}

TEST_F(UserProgram, UnknownMemoryModeIsAUsageError) {
    ::setenv("PGVEIL_MEMORY", "swap", 1);
    const Ended ended = run({"--version"});
    ::unsetenv("PGVEIL_MEMORY");
    EXPECT_EQ(ended.code, 2);
}

}  // namespace pgveil::user
