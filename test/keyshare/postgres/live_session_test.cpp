#include "keyshare/postgres/session.hpp"
#include "test/proxy/session/throwaway_postgres.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

namespace pgveil::postgres {
namespace {

using std::chrono::milliseconds;

/// A real server, one for the whole program.
class LiveSession : public testing::Test {
protected:
    static const session::testing_support::ThrowawayPostgres& server() {
        static const session::testing_support::ThrowawayPostgres postgres;
        return postgres;
    }

    static Result<Session> as(const char* user, const char* password = nullptr) {
        const std::string port = std::to_string(server().port());
        return Session::connect(
            {{"host", "127.0.0.1"},
             {"port", port.c_str()},
             {"dbname", "postgres"},
             {"user", user},
             {"password", password}}
        );
    }

    Session session_ = *as("guest");
};

TEST_F(LiveSession, AnswersWithTextNullAndCounts) {
    const auto answer = session_.run(
        "SELECT $1::int + 1, $2::text, encode('\\x00ff', 'hex') UNION ALL SELECT 7, '', 'zz'",
        parameters_of(std::vector<std::optional<std::string>>{"41", std::nullopt})
    );
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->rows(), 2);
    EXPECT_EQ(answer->columns(), 3);
    EXPECT_EQ(answer->number(0, 0), 42);
    EXPECT_EQ(answer->number(1, 1), 0);
    EXPECT_TRUE(answer->is_null(0, 1));
    EXPECT_FALSE(answer->is_null(1, 1));
    EXPECT_EQ(answer->bytes(0, 2), (core::Bytes{0, 255}));
    EXPECT_TRUE(answer->bytes(1, 2).empty());
    EXPECT_EQ(answer->cells()[0][1], std::nullopt);
    EXPECT_EQ(answer->texts()[1], (std::vector<std::string>{"7", "", "zz"}));

    ASSERT_TRUE(session_.run_script("CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1), (2)"));
    const auto changed = session_.run("UPDATE t SET a = a + $1::int", {"1"});
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->touched(), 2);
    EXPECT_EQ(session_.run_script("SELECT 1; SELECT max(a) FROM t")->text(0, 0), "3");
}

TEST_F(LiveSession, SaysWhatTheServerSaidPartByPart) {
    const auto failed = session_.run("SELECT 1 FROM no_such_table");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().sqlstate, "42P01");
    EXPECT_EQ(failed.error().primary, "relation \"no_such_table\" does not exist");
    EXPECT_NE(failed.error().text.find('\n'), std::string::npos);
    EXPECT_EQ(failed.error().line().find('\n'), std::string::npos);
    EXPECT_TRUE(session_.is_open());
    EXPECT_TRUE(session_.run("SELECT 1"));

    ASSERT_TRUE(session_.run_script("BEGIN"));
    EXPECT_FALSE(session_.is_idle());
    const auto raised = session_.run_script(
        "DO $$ BEGIN RAISE EXCEPTION 'so' USING DETAIL = 'more', HINT = 'do' ; END $$"
    );
    ASSERT_FALSE(raised);
    EXPECT_EQ(raised.error().detail, "more");
    EXPECT_EQ(raised.error().hint, "do");
    EXPECT_FALSE(session_.is_idle());
    ASSERT_TRUE(session_.run_script("ROLLBACK"));
    EXPECT_TRUE(session_.is_idle());
}

TEST_F(LiveSession, GivesUpAfterItsTimeoutAndForGood) {
    EXPECT_TRUE(session_.run("SELECT pg_sleep(0.01)", {}, milliseconds(60'000)));
    const auto late = session_.run("SELECT pg_sleep(60)", {}, milliseconds(100));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().text, "it did not answer in time");
    EXPECT_FALSE(session_.is_open());
    EXPECT_FALSE(session_.run("SELECT 1"));
}

TEST_F(LiveSession, NoticesThatItIsLost) {
    const std::string end =
        "SELECT pg_terminate_backend(" + std::to_string(session_.process()) + ")";
    server().sql(end);
    const auto lost = session_.run("SELECT 1");
    ASSERT_FALSE(lost);
    EXPECT_FALSE(lost.error().text.empty());
    EXPECT_FALSE(session_.is_open());
}

TEST_F(LiveSession, WrongPasswordAndNoServerAreFailures) {
    EXPECT_TRUE(as("nurse", "pencil"));
    const auto wrong = as("nurse", "crayon");
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error().text.find("password"), std::string::npos);
    EXPECT_FALSE(Session::connect({{"host", "127.0.0.1"}, {"port", "1"}, {"dbname", "x"}}));
}

TEST_F(LiveSession, ParametersAfterAUrlWinOverIt) {
    const std::string url =
        "postgresql://nobody@127.0.0.1:" + std::to_string(server().port()) + "/template1";
    auto opened =
        Session::connect_url({{"dbname", url.c_str()}, {"user", "guest"}, {"dbname", nullptr}});
    ASSERT_TRUE(opened) << opened.error().text;
    const auto who = opened->run("SELECT current_user || ' ' || current_database()");
    EXPECT_EQ(who->text(0, 0), "guest template1");
    EXPECT_EQ(
        opened->host() + ":" + opened->port(), "127.0.0.1:" + std::to_string(server().port())
    );
    EXPECT_FALSE(Session::connect({{"dbname", url.c_str()}})) << "a name, not a URL";
}

TEST_F(LiveSession, CopiesInAndOut) {
    ASSERT_TRUE(session_.run_script("CREATE TEMP TABLE c (a int, b text)"));
    std::string lines;
    for (int i = 0; i < 20'000; ++i) {
        lines += std::to_string(i) + "\tvalue\n";
    }
    ASSERT_TRUE(session_.copy_in("COPY c FROM STDIN", lines));
    const auto out = session_.copy_out("COPY (SELECT * FROM c ORDER BY a) TO STDOUT");
    ASSERT_TRUE(out);
    EXPECT_EQ(*out, lines);
    const auto bad = session_.copy_in("COPY c FROM STDIN", "x\ty\n");
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().sqlstate, "22P02");
    EXPECT_FALSE(session_.copy_out("SELECT 1"));
    EXPECT_TRUE(session_.run("SELECT 1"));
}

TEST_F(LiveSession, QuotesConstants) {
    EXPECT_EQ(*session_.literal("it's"), "'it''s'");
    EXPECT_FALSE(session_.literal("\xff"));
}

TEST_F(LiveSession, WaitsForANotificationOrAWord) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    ASSERT_TRUE(session_.run("LISTEN news"));
    server().sql("NOTIFY news");
    EXPECT_TRUE(session_.wait(milliseconds(60'000), pipe[0]));
    ASSERT_EQ(::write(pipe[1], "x", 1), 1);
    EXPECT_TRUE(session_.wait(milliseconds(60'000), pipe[0]));
    ::close(pipe[0]);
    ::close(pipe[1]);
    server().sql("SELECT pg_terminate_backend(" + std::to_string(session_.process()) + ")");
    bool is_lost = false;
    for (int i = 0; i < 100 && !is_lost; ++i) {
        is_lost = !session_.wait(milliseconds(100), -1);
    }
    EXPECT_TRUE(is_lost);
}

}  // namespace
}  // namespace pgveil::postgres
