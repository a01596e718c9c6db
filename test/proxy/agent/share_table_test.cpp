#include "proxy/agent/share_table.hpp"

#include "keyshare/core/random.hpp"
#include "keyshare/share/app_share.hpp"
#include "keyshare/user/private_file.hpp"
#include "test/keyshare/user/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <sys/stat.h>

namespace pgveil::agent {

namespace {

using testing::HasSubstr;

core::SecretBytes share_text_of(const std::string& user_id) {
    share::AppShare share{.tenant = "acme", .user_id = user_id, .epoch = 1, .groups = {}};
    share.groups.push_back({"default", core::random_secret<share::AppPart>(core::system_random())});
    return share::serialize(share);
}

std::string found(const ShareTable& table, std::string_view user_id) {
    const core::SecretBytes* const share = table.find(user_id);
    return share == nullptr ? "none" : std::string(core::as_text(share->reveal()));
}

}  // namespace

TEST(ShareTable, WhatIsKeptIsThereAgainAfterARestart) {
    const user::Scratch scratch;
    const core::SecretBytes first = share_text_of("nurse");
    const core::SecretBytes second = share_text_of("nurse");
    auto table = ShareTable::open(scratch / "shares");
    ASSERT_TRUE(table) << table.error().message;
    EXPECT_EQ(found(*table, "nurse"), "none");
    ASSERT_TRUE(table->keep("acme", "nurse", first.reveal()));
    ASSERT_TRUE(table->keep("acme", "nurse", second.reveal()));
    EXPECT_EQ(found(*table, "nurse"), core::as_text(second.reveal()));
    const auto again = ShareTable::open(scratch / "shares");
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(found(*again, "nurse"), core::as_text(second.reveal()));

    struct stat about {};

    ASSERT_EQ(::stat((scratch / "shares/nurse.app").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0600U);
}

TEST(ShareTable, AWithdrawnUsersShareIsGone) {
    const user::Scratch scratch;
    auto table = ShareTable::open(scratch / "shares");
    ASSERT_TRUE(table->keep("acme", "nurse", share_text_of("nurse").reveal()));
    ASSERT_TRUE(table->forget("nurse"));
    ASSERT_TRUE(table->forget("nurse"));
    EXPECT_EQ(found(*table, "nurse"), "none");
    EXPECT_EQ(found(*ShareTable::open(scratch / "shares"), "nurse"), "none");
}

TEST(ShareTable, ShareAndUserMustBelongTogether) {
    const user::Scratch scratch;
    auto table = ShareTable::open(scratch / "shares");
    const core::SecretBytes text = share_text_of("clerk");
    EXPECT_THAT(
        table->keep("acme", "nurse", text.reveal()).error().message,
        HasSubstr("is the app share of clerk")
    );
    EXPECT_FALSE(table->keep("other", "clerk", text.reveal()));
    EXPECT_FALSE(table->keep("acme", "nurse", core::as_bytes("pgva1.AA")));
    ASSERT_TRUE(
        user::create_file(scratch / "shares/nurse.app", text.reveal(), user::Audience::kOwner)
    );
    EXPECT_THAT(
        ShareTable::open(scratch / "shares").error().message,
        HasSubstr("nurse.app is not the app share")
    );
}

TEST(ShareTable, AUserIdIsNeverAPath) {
    const user::Scratch scratch;
    auto table = ShareTable::open(scratch / "shares");
    for (const char* const user_id : {"../nurse", ".nurse", "a/b"}) {
        EXPECT_FALSE(table->keep("acme", user_id, share_text_of(user_id).reveal())) << user_id;
    }
    EXPECT_FALSE(user::exists(scratch / "nurse.app"));
}

}  // namespace pgveil::agent
