#include "proxy/session/message_reader.hpp"
#include "test/proxy/session/live_fixture.hpp"

#include <array>
#include <chrono>
#include <string>
#include <thread>

namespace pgveil::session {
namespace {

using testing_support::Connection;
using testing_support::LiveLogin;
using testing_support::postgres;

TEST_F(LiveLogin, WorksWithEveryChannelBindingSettingOverTlsOnBothLegs) {
    start();
    for (const char* const binding : {"prefer", "disable", "require"}) {
        const Connection connection =
            connect("sslmode=require channel_binding=" + std::string(binding));
        ASSERT_EQ(PQstatus(connection.get()), CONNECTION_OK) << error_of(connection);
        EXPECT_EQ(
            query(connection, "SELECT current_user || '@' || current_database()"), "nurse@clinic"
        );
        EXPECT_EQ(
            query(connection, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), "t"
        );
        EXPECT_STREQ(PQparameterStatus(connection.get(), "client_encoding"), "UTF8");
        EXPECT_EQ(
            std::to_string(PQbackendPID(connection.get())),
            query(connection, "SELECT pg_backend_pid()")
        );
    }
}

TEST_F(LiveLogin, LetsTheClientVerifyTheProxysCertificate) {
    start();
    const std::string verify = "sslmode=verify-full sslrootcert=";
    const Connection right = connect(verify + postgres().file("ca.crt"));
    EXPECT_EQ(PQstatus(right.get()), CONNECTION_OK) << error_of(right);
    const Connection wrong = connect(verify + postgres().file("other-ca.crt"));
    EXPECT_EQ(PQstatus(wrong.get()), CONNECTION_BAD);
}

TEST_F(LiveLogin, WorksWithoutTlsOnEitherLegWhereThatIsAllowed) {
    setup_.rules.requires_tls = false;
    setup_.target.tls = nullptr;
    start();
    for (const char* const mode : {"sslmode=disable", "sslmode=require"}) {
        const Connection connection = connect(mode);
        ASSERT_EQ(PQstatus(connection.get()), CONNECTION_OK) << error_of(connection);
        EXPECT_EQ(
            query(connection, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), "f"
        );
    }
}

TEST_F(LiveLogin, ReachesAServerOnAUnixSocketWithoutTls) {
    setup_.target.host = postgres().folder();
    start();
    const Connection connection = connect("sslmode=require");
    ASSERT_EQ(PQstatus(connection.get()), CONNECTION_OK) << error_of(connection);
    EXPECT_EQ(query(connection, "SELECT inet_client_addr() IS NULL"), "t");
}

TEST_F(LiveLogin, RefusesPlainConnectionsWhereTlsIsRequired) {
    start();
    const Connection connection = connect("sslmode=disable");
    EXPECT_EQ(
        error_of(connection),
        "FATAL:  this proxy accepts only connections with TLS\n"
        "HINT:  Connect with sslmode=require or stronger.\n"
    );
}

TEST_F(LiveLogin, AnswersWrongPasswordAndUnknownUserAsTheServerDoes) {
    start();
    for (const char* const who : {"password=wrong", "user=ghost", "user=ghost password=wrong"}) {
        const std::string options = "sslmode=require " + std::string(who);
        const Connection direct = connect(options, postgres().port());
        const Connection proxied = connect(options);
        EXPECT_EQ(error_of(direct), error_of(proxied));
        EXPECT_NE(error_of(proxied).find("password authentication failed"), std::string::npos);
    }
}

TEST_F(LiveLogin, PassesTheServersRefusalOn) {
    start();
    const Connection direct = connect("sslmode=require dbname=nowhere", postgres().port());
    const Connection proxied = connect("sslmode=require dbname=nowhere");
    EXPECT_EQ(error_of(proxied), "FATAL:  database \"nowhere\" does not exist\n");
    EXPECT_EQ(error_of(direct), error_of(proxied));
}

TEST_F(LiveLogin, SaysWhichServerIsUnreachable) {
    setup_.target.port = testing_support::free_port();
    start();
    const Connection connection = connect("sslmode=require");
    const std::string server = "\"127.0.0.1:" + std::to_string(setup_.target.port) + "\"";
    EXPECT_NE(
        error_of(connection).find("could not reach the database server " + server),
        std::string::npos
    ) << error_of(connection);
}

TEST_F(LiveLogin, RefusesADatabaseServerItCannotVerify) {
    setup_.target.tls = std::move(*net::TlsContext::load_client(postgres().file("other-ca.crt")));
    start();
    const Connection connection = connect("sslmode=require");
    EXPECT_NE(
        error_of(connection).find("no TLS connection to the database server"), std::string::npos
    ) << error_of(connection);
}

TEST_F(LiveLogin, NamesTheUsersFileWhenItsSecretIsNotTheServers) {
    const auto other_salt =
        verifier_of_password(core::as_bytes("pencil"), core::Bytes(16, 1), 4096);
    users_ = users_with(to_text(*other_salt));
    start();
    const Connection connection = connect("sslmode=require");
    EXPECT_NE(error_of(connection).find("users file \"users.txt\""), std::string::npos)
        << error_of(connection);
}

TEST_F(LiveLogin, NamesTheUsersFileWhenOnlyThePasswordDiffers) {
    const auto real = parse_scram_verifier(
        postgres().sql("SELECT rolpassword FROM pg_authid WHERE rolname='nurse'")
    );
    ASSERT_TRUE(real.has_value());
    const auto stale = verifier_of_password(core::as_bytes("stale"), real->salt, real->iterations);
    users_ = users_with(to_text(*stale));
    start();
    const Connection connection = connect("sslmode=require password=stale");
    EXPECT_NE(error_of(connection).find("password authentication failed"), std::string::npos);
    EXPECT_NE(error_of(connection).find("users.txt"), std::string::npos) << error_of(connection);
}

TEST_F(LiveLogin, SaysThatMd5RolesCannotLogInAndAcceptsTrustedOnes) {
    start();
    const Connection old = connect("sslmode=require user=old");
    EXPECT_NE(error_of(old).find("asks for authentication by md5"), std::string::npos)
        << error_of(old);
    const Connection guest = connect("sslmode=require user=guest");
    EXPECT_EQ(PQstatus(guest.get()), CONNECTION_OK) << error_of(guest);
}

TEST_F(LiveLogin, RefusesSharesWithoutTlsAndReplication) {
    setup_.rules.requires_tls = false;
    start();
    const Connection exposed =
        connect("sslmode=disable options='-c pgveil.app_share=pgva1.secret'");
    EXPECT_NE(error_of(exposed).find("is now exposed"), std::string::npos) << error_of(exposed);
    EXPECT_EQ(error_of(exposed).find("pgva1.secret"), std::string::npos);
    const Connection replication = connect("sslmode=require replication=database");
    EXPECT_NE(error_of(replication).find("replication connections"), std::string::npos);
}

TEST_F(LiveLogin, CancelsARunningQuery) {
    start();
    const Connection connection = connect("sslmode=require");
    ASSERT_EQ(PQstatus(connection.get()), CONNECTION_OK) << error_of(connection);
    ASSERT_EQ(PQsendQuery(connection.get(), "SELECT pg_sleep(60)"), 1);
    const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel(
        PQgetCancel(connection.get()), PQfreeCancel
    );
    // The query may not have begun yet: the server ignores a cancel then, as it does without a
    // proxy.
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    std::array<char, 256> reason{};
    ASSERT_EQ(PQcancel(cancel.get(), reason.data(), reason.size()), 1) << reason.data();
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQgetResult(connection.get()), PQclear
    );
    EXPECT_STREQ(PQresultErrorField(result.get(), PG_DIAG_SQLSTATE), "57014");
}

TEST_F(LiveLogin, BindsItsLoginToTheServersCertificate) {
    // The server checks the binding: with the hash of another certificate the login must fail, with
    // the one of this connection it succeeds.
    const auto real = parse_scram_verifier(
        postgres().sql("SELECT rolpassword FROM pg_authid WHERE rolname='nurse'")
    );
    ASSERT_TRUE(real.has_value());
    auto keys =
        std::move(*keys_of_password(core::as_bytes("pencil"), real->salt, real->iterations));
    const ScramCredentials credentials{
        std::move(keys.client_key), std::move(keys.server_key), real->salt, real->iterations};
    for (const bool is_right : {true, false}) {
        net::Loop loop;
        std::string outcome;
        loop.spawn(
            [](net::Loop& on,
               const UpstreamTarget& target,
               const ScramCredentials& secret,
               bool right,
               std::string& out) -> net::Awaitable<void> {
                auto opened = co_await open_upstream(on, target);
                net::Stream& stream = *opened->stream;
                UpstreamHandshakeSetup setup;
                setup.user = "nurse";
                setup.credentials = &secret;
                setup.is_tls = true;
                setup.end_point = core::to_bytes(stream.server_end_point());
                setup.end_point.back() ^= right ? 0 : 1;
                setup.nonce = fresh_scram_nonce();
                UpstreamHandshake handshake(std::move(setup));
                const std::array<wire::StartupParameter, 2> parameters{
                    wire::StartupParameter{"user", "nurse"},
                    wire::StartupParameter{"database", "clinic"}};
                wire::Output output;
                wire::append_startup_message(output, wire::kProtocol30, parameters);
                auto next = Result<UpstreamHandshake::Next>(UpstreamHandshake::Next::kContinue);
                while (next.has_value() && *next == UpstreamHandshake::Next::kContinue) {
                    stream.send(output.bytes());
                    output.clear();
                    const auto frame = co_await next_message(stream, *opened->input, 65536);
                    next = handshake.on_message(*frame, output);
                }
                out = next.has_value() ? "ready" : next.error().message;
                on.stop();
            }(loop, setup_.target, credentials, is_right, outcome)
        );
        loop.run();
        EXPECT_EQ(outcome, is_right ? "ready" : "SCRAM channel binding check failed");
    }
}

}  // namespace
}  // namespace pgveil::session
