#include "proxy/agent/command_call.hpp"

#include <gtest/gtest.h>

namespace pgveil::agent {

TEST(CommandCall, TheAppShareIsTakenOutOfACall) {
    const ReadCall read =
        read_command_call("SELECT pgveil.add_user('nurse', 'pgva1.AA', 'a.b.c');");
    ASSERT_EQ(read.reading, Reading::kCall);
    EXPECT_EQ(read.call.function, CommandCall::Function::kAddUser);
    EXPECT_EQ(read.call.user_id, "nurse");
    EXPECT_EQ(core::as_text(read.call.app_share.reveal()), "pgva1.AA");
    EXPECT_EQ(read.call.commands, "a.b.c");
    EXPECT_EQ(std::string_view(read.text), "SELECT pgveil.add_user('nurse', NULL, 'a.b.c')");
}

TEST(CommandCall, AFileOfTheTenantsIsOneCall) {
    const ReadCall read = read_command_call(
        "-- Tenant clinic: commands without a receipt, oldest first.\n--   7 change_key nurse\n"
        "select PGVEIL . Change_Key ( 'O''Hara' , NULL,\n 'a.b.c,d.e.f' ) ; -- done\n"
    );
    ASSERT_EQ(read.reading, Reading::kCall);
    EXPECT_EQ(read.call.function, CommandCall::Function::kChangeKey);
    EXPECT_EQ(read.call.user_id, "O'Hara");
    EXPECT_TRUE(read.call.app_share.empty());
    EXPECT_EQ(
        std::string_view(read.text), "SELECT pgveil.change_key('O''Hara', NULL, 'a.b.c,d.e.f')"
    );
}

TEST(CommandCall, AWithdrawalHasNoShare) {
    const ReadCall read = read_command_call("SELECT pgveil.withdraw_user('nurse', 'a.b.c')");
    ASSERT_EQ(read.reading, Reading::kCall);
    EXPECT_EQ(std::string_view(read.text), "SELECT pgveil.withdraw_user('nurse', 'a.b.c')");
}

TEST(CommandCall, WhatIsNotReadForCertainIsUnclear) {
    for (const char* const text :
         {"SELECT pgveil.add_user('nurse', $1, 'a.b.c')",
          "SELECT pgveil.add_user('nurse', 'pgva1.AA', 'a.b.c'), 1",
          "SELECT pgveil.add_user('nurse', 'pgva1.AA', 'a.b.c'); SELECT 1",
          "SELECT pgveil.add_user('nurse', 'pgva1.A\\A', 'a.b.c')",
          "SELECT pgveil.add_user('nurse', E'pgva1.AA', 'a.b.c')",
          "SELECT pgveil.add_user('nurse', 'pgva1.AA', 'a.b.c",
          "SELECT pgveil.add_user(NULL, 'pgva1.AA', 'a.b.c')",
          "SELECT \"pgveil\".add_user('nurse', 'pgva1.AA', 'a.b.c')",
          "SELECT /* ! */ pgveil.add_user('nurse', 'pgva1.AA', 'a.b.c')"}) {
        EXPECT_EQ(read_command_call(text).reading, Reading::kUnclear) << text;
    }
    for (const char* const text :
         {"SELECT pgveil.token_key()", "SELECT 1", "", "SELECT add_user(1)"}) {
        EXPECT_EQ(read_command_call(text).reading, Reading::kOther) << text;
    }
}

}  // namespace pgveil::agent
