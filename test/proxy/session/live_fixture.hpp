#pragma once

#include "proxy/session/bootstrap_conversation.hpp"
#include "proxy/session/users_file.hpp"
#include "test/proxy/session/small_proxy.hpp"
#include "test/proxy/session/throwaway_postgres.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <libpq-fe.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pgveil::session::testing_support {

/// The one server of the test program; starts at the first use.
inline const ThrowawayPostgres& postgres() {
    static const ThrowawayPostgres server;
    return server;
}

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

/// A bootstrap that repeats what it is asked; one-time password `one-time`.
class FixedSteps final : public BootstrapSteps {
public:
    std::optional<std::string> verifier() const override { return verifier_text; }

    Answer call(std::string_view step, std::string_view argument) override {
        return std::string(step) + "/" + std::string(argument);
    }

    std::optional<std::string> verifier_text =
        to_text(*verifier_of_password(core::as_bytes("one-time"), core::Bytes(16, 5), 4096));
};

/// libpq on one side, PostgreSQL on the other, the login half of the proxy between them.
class LiveLogin : public testing::Test {
protected:
    void SetUp() override {
        users_ =
            users_with(postgres().sql("SELECT rolpassword FROM pg_authid WHERE rolname='nurse'"));
        setup_.rules.tls = std::move(*net::TlsContext::load_server(
            postgres().file("proxy.crt"), postgres().file("proxy.key")
        ));
        setup_.target.host = "127.0.0.1";
        setup_.target.port = postgres().port();
        setup_.target.tls = std::move(*net::TlsContext::load_client(postgres().file("ca.crt")));
        setup_.steps = &steps_;
    }

    /// A users file in which every test role has this secret.
    static std::shared_ptr<const Users> users_with(const std::string& secret) {
        std::string text;
        for (const char* const role : {"nurse", "guest", "old", "gone"}) {
            text += "\"" + std::string(role) + "\" \"" + secret + "\"\n";
        }
        auto users = parse_users("users.txt", text);
        EXPECT_TRUE(users.has_value());
        return std::move(*users);
    }

    void start() {
        setup_.users = users_;
        proxy_ = std::make_unique<SmallProxy>(setup_);
    }

    Connection connect(const std::string& options, std::uint16_t port = 0) {
        const std::string where =
            "host=127.0.0.1 port=" + std::to_string(port == 0 ? proxy_->port() : port) +
            " user=nurse password=pencil dbname=clinic connect_timeout=10 " + options;
        return {PQconnectdb(where.c_str()), PQfinish};
    }

    static std::string query(const Connection& connection, const std::string& sql) {
        const std::unique_ptr<PGresult, decltype(&PQclear)> result(
            PQexec(connection.get(), sql.c_str()), PQclear
        );
        return PQresultStatus(result.get()) == PGRES_TUPLES_OK
                   ? PQgetvalue(result.get(), 0, 0)
                   : std::string(PQresultErrorMessage(result.get()));
    }

    /// What libpq says, without the line that names host and port.
    static std::string error_of(const Connection& connection) {
        const std::string text = PQerrorMessage(connection.get());
        const auto fatal = text.find("FATAL");
        return fatal == std::string::npos ? text : text.substr(fatal);
    }

    FixedSteps steps_;
    SmallProxy::Setup setup_;
    std::shared_ptr<const Users> users_;
    std::unique_ptr<SmallProxy> proxy_;
};

}  // namespace pgveil::session::testing_support
