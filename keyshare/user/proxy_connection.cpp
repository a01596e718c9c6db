#include "keyshare/user/proxy_connection.hpp"

#include <algorithm>
#include <array>
#include <libpq-fe.h>
#include <string_view>

namespace pgveil::user {

namespace {

using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

void ignore_notice(void* /*unused*/, const char* /*unused*/) {}

std::string trimmed(std::string_view text) {
    const std::size_t end = text.find_last_not_of(" \n");
    return std::string(text.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

std::string field_of(const PGresult* result, int field) {
    const char* text = PQresultErrorField(result, field);
    return text == nullptr ? std::string() : std::string(text);
}

std::string explained(const PGresult* result, const PGconn* connection) {
    const std::string primary = field_of(result, PG_DIAG_MESSAGE_PRIMARY);
    if (primary.empty()) {
        return trimmed(PQerrorMessage(connection));
    }
    const std::string hint = field_of(result, PG_DIAG_MESSAGE_HINT);
    const std::string state = field_of(result, PG_DIAG_SQLSTATE);
    return primary + " (" + state + ")" + (hint.empty() ? "" : ": " + hint);
}

}  // namespace

void ProxyConnection::Close::operator()(pg_conn* connection) const {
    PQfinish(connection);
}

bool is_database_url(const std::string& text) {
    return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

Result<ProxyConnection> ProxyConnection::checked(pg_conn* connection) {
    ProxyConnection proxy(connection);
    if (connection == nullptr) {
        return failed("out of memory");
    }
    if (PQstatus(connection) != CONNECTION_OK) {
        return failed("no connection to the proxy: " + trimmed(PQerrorMessage(connection)));
    }
    PQsetNoticeProcessor(connection, &ignore_notice, nullptr);
    return proxy;
}

Result<ProxyConnection> ProxyConnection::as_login(const std::string& url) {
    const std::array keywords = {
        "dbname", "fallback_application_name", static_cast<const char*>(nullptr)};
    const std::array values = {url.c_str(), "pgveil", static_cast<const char*>(nullptr)};
    return checked(PQconnectdbParams(keywords.data(), values.data(), 1));
}

Result<ProxyConnection> ProxyConnection::for_bootstrap(
    const std::string& url, const core::SecretBytes& one_time_password
) {
    core::SecretBytes password(one_time_password.size() + 1);  // libpq wants a final NUL
    std::ranges::copy(one_time_password.reveal(), password.reveal_mutable().begin());
    // libpq lets a later keyword win over what the URL, expanded in place of dbname, has set.
    const std::array keywords = {
        "dbname",
        "user",
        "password",
        "sslmode",
        "channel_binding",
        "gssencmode",
        "application_name",
        static_cast<const char*>(nullptr)};
    const std::array values = {
        url.c_str(),
        "bootstrap",
        core::as_text(password.reveal()).data(),
        "verify-full",
        "require",
        "disable",
        "pgveil-tenant",
        static_cast<const char*>(nullptr)};
    auto proxy = checked(PQconnectdbParams(keywords.data(), values.data(), 1));
    if (!proxy) {
        return failed(
            proxy.error().message +
            "\nThe bootstrap always verifies the proxy's certificate and the one-time password "
            "(sslmode=verify-full, channel_binding=require): name the host as in the certificate, "
            "and "
            "the certificate's authority by sslrootcert=FILE in the URL."
        );
    }
    return proxy;
}

Result<std::string> ProxyConnection::statement(
    const std::string& function, const std::vector<std::optional<std::string>>& arguments
) const {
    std::string text = "SELECT pgveil." + function + "(";
    std::string_view separator;
    for (const auto& argument : arguments) {
        text += separator;
        separator = ", ";
        if (!argument) {
            text += "NULL";
            continue;
        }
        const std::unique_ptr<char, decltype(&PQfreemem)> literal(
            PQescapeLiteral(connection_.get(), argument->data(), argument->size()), &PQfreemem
        );
        if (!literal) {
            return failed(
                "an argument of " + function +
                " cannot be sent: " + trimmed(PQerrorMessage(connection_.get()))
            );
        }
        text += literal.get();
    }
    return text + ")";
}

Result<std::string> ProxyConnection::call(
    const std::string& function, const std::vector<std::optional<std::string>>& arguments
) {
    const auto text = statement(function, arguments);
    if (!text) {
        return text.error();
    }
    const Answer answer(
        PQexecParams(connection_.get(), text->c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0),
        &PQclear
    );
    if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK) {
        return failed(
            peer() + " refused pgveil." + function + ": " +
            explained(answer.get(), connection_.get())
        );
    }
    const bool is_one_value = PQntuples(answer.get()) == 1 && PQnfields(answer.get()) == 1 &&
                              PQgetisnull(answer.get(), 0, 0) == 0;
    if (!is_one_value) {
        return failed(
            peer() + " answered pgveil." + function +
            " with something else than one value: is it a pgveil proxy?"
        );
    }
    return std::string(
        PQgetvalue(answer.get(), 0, 0), static_cast<std::size_t>(PQgetlength(answer.get(), 0, 0))
    );
}

Result<std::vector<std::vector<ProxyConnection::Value>>> ProxyConnection::rows(
    const std::string& statement, const std::vector<Value>& parameters, const std::string& what
) {
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const Value& parameter : parameters) {
        values.push_back(parameter ? parameter->c_str() : nullptr);
    }
    const Answer answer(
        PQexecParams(
            connection_.get(),
            statement.c_str(),
            static_cast<int>(values.size()),
            nullptr,
            values.data(),
            nullptr,
            nullptr,
            0
        ),
        &PQclear
    );
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        return failed(
            peer() + " refused " + what + ": " + explained(answer.get(), connection_.get())
        );
    }
    std::vector<std::vector<Value>> all(static_cast<std::size_t>(PQntuples(answer.get())));
    for (int row = 0; row < PQntuples(answer.get()); ++row) {
        for (int field = 0; field < PQnfields(answer.get()); ++field) {
            const bool is_null = PQgetisnull(answer.get(), row, field) != 0;
            all[static_cast<std::size_t>(row)].push_back(
                is_null ? Value() : Value(PQgetvalue(answer.get(), row, field))
            );
        }
    }
    return all;
}

bool ProxyConnection::is_alive() const {
    return PQstatus(connection_.get()) == CONNECTION_OK;
}

std::string ProxyConnection::peer() const {
    return std::string(PQhost(connection_.get())) + ":" + PQport(connection_.get());
}

}  // namespace pgveil::user
