#pragma once

#include "proxy/wire/output.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgveil::session {

/// Why a login ends before the session begins, in the words the client is to read.
/// Three endings: our own FATAL (`sqlstate` and texts), the upstream's ErrorResponse passed on byte
/// for byte (`verbatim`), or silence (`is_silent`): the peer is gone or never spoke the protocol,
/// as with port scans and health checks, and there is neither an answer nor a log line.
struct LoginError {
    LoginError() = default;

    std::string sqlstate;
    std::string message;
    std::string detail;
    std::string hint;
    std::vector<std::uint8_t> verbatim;
    bool is_silent = false;

    /// What a server log or an operator may read; never contains a secret.
    std::string summary() const;
};

template <class T>
using Result = boost::system::result<T, LoginError>;

/// @param why for a debug log line; the client gets no answer
LoginError silence(std::string why = "connection closed by the client");
LoginError refuse(std::string_view sqlstate, std::string message);
LoginError refuse(std::string_view sqlstate, std::string message, std::string detail);

inline constexpr std::string_view kWrongPasswordState = "28P01";

/// 28P01 `password authentication failed for user "x"`: the only text PostgreSQL gives for an
/// unknown user, a missing secret and a wrong password.
LoginError password_failed(std::string_view user);

/// 08P01 "malformed SCRAM message" and its detail, in the words of auth-scram.c.
LoginError malformed_scram(std::string detail);

/// 53200: the arena is full.
LoginError no_memory();

/// Appends an ErrorResponse of severity FATAL (or the upstream's own frame); nothing when silent.
void append_fatal(wire::Output& out, const LoginError& error);

}  // namespace pgveil::session
