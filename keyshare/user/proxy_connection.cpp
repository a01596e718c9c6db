#include "keyshare/user/proxy_connection.hpp"

#include <algorithm>
#include <string_view>

namespace pgveil::user {

namespace {

std::string explained(const postgres::Failure& failure) {
    if (failure.primary.empty()) {
        return failure.text;
    }
    return failure.primary + " (" + failure.sqlstate + ")" +
           (failure.hint.empty() ? "" : ": " + failure.hint);
}

Error no_connection(const postgres::Failure& failure) {
    return failed("no connection to the proxy: " + failure.text);
}

}  // namespace

bool is_database_url(const std::string& text) {
    return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

Result<ProxyConnection> ProxyConnection::as_login(const std::string& url) {
    auto session = postgres::Session::connect_url(
        {{"dbname", url.c_str()}, {"fallback_application_name", "pgveil"}}
    );
    return session ? Result<ProxyConnection>(ProxyConnection(*std::move(session)))
                   : no_connection(session.error());
}

Result<ProxyConnection> ProxyConnection::for_bootstrap(
    const std::string& url, const core::SecretBytes& one_time_password
) {
    core::SecretBytes password(one_time_password.size() + 1);  // libpq wants a final NUL
    std::ranges::copy(one_time_password.reveal(), password.reveal_mutable().begin());
    auto session = postgres::Session::connect_url(
        {{"dbname", url.c_str()},
         {"user", "bootstrap"},
         {"password", core::as_text(password.reveal()).data()},
         {"sslmode", "verify-full"},
         {"channel_binding", "require"},
         {"gssencmode", "disable"},
         {"application_name", "pgveil-tenant"}}
    );
    if (!session) {
        return failed(
            no_connection(session.error()).message +
            "\nThe bootstrap always verifies the proxy's certificate and the one-time password "
            "(sslmode=verify-full, channel_binding=require): name the host as in the certificate, "
            "and "
            "the certificate's authority by sslrootcert=FILE in the URL."
        );
    }
    return ProxyConnection(*std::move(session));
}

Result<std::string> ProxyConnection::statement(
    const std::string& function, const std::vector<std::optional<std::string>>& arguments
) {
    std::string text = "SELECT pgveil." + function + "(";
    std::string_view separator;
    for (const auto& argument : arguments) {
        text += separator;
        separator = ", ";
        if (!argument) {
            text += "NULL";
            continue;
        }
        const auto literal = session_.literal(*argument);
        if (!literal) {
            return failed(
                "an argument of " + function + " cannot be sent: " + literal.error().text
            );
        }
        text += *literal;
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
    const auto answer = session_.run(*text);
    if (!answer) {
        return failed(peer() + " refused pgveil." + function + ": " + explained(answer.error()));
    }
    if (answer->rows() != 1 || answer->columns() != 1 || answer->is_null(0, 0)) {
        return failed(
            peer() + " answered pgveil." + function +
            " with something else than one value: is it a pgveil proxy?"
        );
    }
    return answer->text(0, 0);
}

Result<std::vector<std::vector<ProxyConnection::Value>>> ProxyConnection::rows(
    const std::string& statement, const std::vector<Value>& parameters, const std::string& what
) {
    const auto answer = session_.run(statement, postgres::parameters_of(parameters));
    if (!answer) {
        return failed(peer() + " refused " + what + ": " + explained(answer.error()));
    }
    return answer->cells();
}

bool ProxyConnection::is_alive() const {
    return session_.is_open();
}

std::string ProxyConnection::peer() const {
    return session_.host() + ":" + session_.port();
}

}  // namespace pgveil::user
