#include "test/proxy/session/live_fixture.hpp"

#include <array>
#include <chrono>
#include <string>
#include <vector>

namespace pgveil::session {
namespace {

using testing_support::Connection;
using testing_support::LiveLogin;

class LiveBootstrap : public LiveLogin {
protected:
    Connection log_in(const std::string& options) {
        return connect("user=bootstrap dbname=pgveil password=one-time " + options);
    }
};

TEST_F(LiveBootstrap, AnswersSimpleAndParameterizedCallsOverPlus) {
    start();
    const Connection connection = log_in("sslmode=require channel_binding=require");
    ASSERT_EQ(PQstatus(connection.get()), CONNECTION_OK) << error_of(connection);
    EXPECT_EQ(query(connection, "SELECT pgveil.bootstrap('hello', 'x')"), "hello/x");
    EXPECT_NE(
        query(connection, "SELECT 1").find("only SELECT pgveil.bootstrap"), std::string::npos
    );
    const std::array<const char*, 2> values{"contribute", "jws"};
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexecParams(
            connection.get(),
            "SELECT pgveil.bootstrap($1, $2)",
            2,
            nullptr,
            values.data(),
            nullptr,
            nullptr,
            0
        ),
        PQclear
    );
    ASSERT_EQ(PQresultStatus(result.get()), PGRES_TUPLES_OK) << PQerrorMessage(connection.get());
    EXPECT_STREQ(PQgetvalue(result.get(), 0, 0), "contribute/jws");
    EXPECT_EQ(PQftype(result.get(), 0), 25U);
}

TEST_F(LiveBootstrap, NeedsChannelBindingAndTheRightUser) {
    setup_.rules.requires_tls = false;
    start();
    const Connection unbound = log_in("sslmode=require channel_binding=disable");
    EXPECT_EQ(PQstatus(unbound.get()), CONNECTION_BAD);
    const Connection plain = log_in("sslmode=disable");
    EXPECT_NE(error_of(plain).find("needs TLS and channel binding"), std::string::npos);
    const Connection other = log_in("sslmode=require user=nurse");
    EXPECT_NE(error_of(other).find("only user \"bootstrap\""), std::string::npos);
}

TEST_F(LiveBootstrap, AnswersWrongPasswordsLaterAndLaterButNeverDelaysTheRightOne) {
    start();
    std::vector<std::chrono::milliseconds> times;
    for (int attempt = 0; attempt < 3; ++attempt) {
        const auto start_time = std::chrono::steady_clock::now();
        const Connection wrong = log_in("sslmode=require password=guess");
        EXPECT_EQ(
            error_of(wrong), "FATAL:  password authentication failed for user \"bootstrap\"\n"
        );
        times.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - start_time
        ));
    }
    EXPECT_GE(times[0].count(), 450);
    EXPECT_GE(times[1].count(), 950);
    EXPECT_GE(times[2].count(), 1950);
    const auto start_time = std::chrono::steady_clock::now();
    const Connection right = log_in("sslmode=require");
    EXPECT_EQ(PQstatus(right.get()), CONNECTION_OK) << error_of(right);
    EXPECT_LT(std::chrono::steady_clock::now() - start_time, std::chrono::milliseconds(450));
}

TEST_F(LiveBootstrap, SaysClosedOnceClosed) {
    steps_.verifier_text.reset();
    start();
    const Connection connection = log_in("sslmode=require");
    EXPECT_NE(error_of(connection).find("is closed"), std::string::npos) << error_of(connection);
}

}  // namespace
}  // namespace pgveil::session
