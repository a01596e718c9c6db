#include "proxy/session/login_error.hpp"

#include "proxy/wire/error_response.hpp"

namespace pgveil::session {

LoginError silence(std::string why) {
    LoginError error;
    error.message = std::move(why);
    error.is_silent = true;
    return error;
}

LoginError refuse(std::string_view sqlstate, std::string message) {
    return refuse(sqlstate, std::move(message), {});
}

LoginError refuse(std::string_view sqlstate, std::string message, std::string detail) {
    LoginError error;
    error.sqlstate = sqlstate;
    error.message = std::move(message);
    error.detail = std::move(detail);
    return error;
}

LoginError password_failed(std::string_view user) {
    return refuse(
        kWrongPasswordState, "password authentication failed for user \"" + std::string(user) + "\""
    );
}

LoginError malformed_scram(std::string detail) {
    return refuse("08P01", "malformed SCRAM message", std::move(detail));
}

LoginError no_memory() {
    LoginError error = refuse("53200", "out of memory for secrets");
    error.hint = "Raise memory.arena_bytes or lower the limits in the proxy's settings.";
    return error;
}

std::string LoginError::summary() const {
    if (is_silent) {
        return message;
    }
    const std::string text = sqlstate + ": " + message;
    return detail.empty() ? text : text + " (" + detail + ")";
}

void append_fatal(wire::Output& out, const LoginError& error) {
    if (error.is_silent) {
        return;
    }
    if (!error.verbatim.empty()) {
        out.append(error.verbatim);
        return;
    }
    wire::Report report;
    report.severity = "FATAL";
    report.sqlstate = error.sqlstate;
    report.message = error.message;
    report.detail = error.detail;
    report.hint = error.hint;
    wire::append_error(out, report);
}

}  // namespace pgveil::session
