#include "proxy/session/upstream_handshake.hpp"

#include "keyshare/core/md5.hpp"
#include "proxy/wire/error_response.hpp"
#include "proxy/wire/password.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::session {

namespace {

// More than any server says before it is ready; keeps a hostile one from filling the memory.
constexpr std::size_t kGreetingSizeMax = std::size_t{1} << 20U;

bool is_offered(const wire::Strings& mechanisms, std::string_view mechanism) {
    return std::find(mechanisms.begin(), mechanisms.end(), mechanism) != mechanisms.end();
}

}  // namespace

UpstreamHandshake::UpstreamHandshake(UpstreamHandshakeSetup setup) : setup_(std::move(setup)) {}

Result<UpstreamHandshake::Next> UpstreamHandshake::on_message(
    const wire::Frame& frame, wire::Output& to_upstream
) {
    const wire::BackendType type = wire::backend_type(frame.type);
    if (type == wire::BackendType::kErrorResponse) {
        return on_error(frame);
    }
    Result<void> understood;
    if (type == wire::BackendType::kNoticeResponse) {
        understood = keep(frame);
    } else if (state_ == State::kAuthenticated) {
        if (type == wire::BackendType::kReadyForQuery) {
            return on_ready(frame.body);
        }
        understood = on_greeting(frame);
    } else if (type == wire::BackendType::kAuthentication) {
        understood = on_authentication(frame.body, to_upstream);
    } else if (type == wire::BackendType::kNegotiateProtocolVersion) {
        understood = on_negotiation(frame.body);
    } else {
        understood = out_of_order();
    }
    if (!understood.has_value()) {
        return understood.error();
    }
    return Next::kContinue;
}

Result<void> UpstreamHandshake::on_authentication(wire::ByteView body, wire::Output& to_upstream) {
    const auto request = wire::decode_authentication(body);
    if (!request.has_value()) {
        return out_of_order();
    }
    const std::string_view content = wire::as_text(request->content);
    switch (request->type) {
        case wire::AuthenticationType::kOk: return on_ok();
        case wire::AuthenticationType::kSASL: return on_sasl(request->mechanisms, to_upstream);
        case wire::AuthenticationType::kSASLContinue: return on_sasl_continue(content, to_upstream);
        case wire::AuthenticationType::kSASLFinal: return on_sasl_final(content);
        case wire::AuthenticationType::kCleartextPassword: return on_cleartext(to_upstream);
        case wire::AuthenticationType::kMD5Password: return on_md5(request->content, to_upstream);
        case wire::AuthenticationType::kGSS:
        case wire::AuthenticationType::kGSSContinue:
        case wire::AuthenticationType::kKerberosV5: return unusable_method("gss");
        case wire::AuthenticationType::kSSPI: return unusable_method("sspi");
    }
    return out_of_order();
}

/// The server speaks an older minor version than it was asked for. It may not answer with a newer.
Result<void> UpstreamHandshake::on_negotiation(wire::ByteView body) const {
    const auto negotiation = wire::decode_negotiate_protocol_version(body);
    const bool is_in_order = state_ == State::kAwaitsRequest && negotiation.has_value();
    if (!is_in_order || negotiation->version > wire::kProtocol32) {
        return out_of_order();
    }
    return {};
}

Result<void> UpstreamHandshake::on_sasl(
    const wire::Strings& mechanisms, wire::Output& to_upstream
) {
    if (state_ != State::kAwaitsRequest) {
        return out_of_order();
    }
    // The whole list counts, not its first entry: servers put -PLUS first, poolers do not.
    const bool binds =
        setup_.is_tls && !setup_.end_point.empty() && is_offered(mechanisms, kScramSha256Plus);
    if (!binds && !is_offered(mechanisms, kScramSha256)) {
        return unusable_method("a SASL mechanism other than SCRAM-SHA-256");
    }
    if (setup_.credentials == nullptr && !knows_text()) {
        return password_unknown("SCRAM-SHA-256");
    }
    ScramClientSetup scram;
    scram.user = setup_.user;
    scram.users_file = setup_.users_file;
    scram.credentials = setup_.credentials;
    scram.password = knows_text() ? &setup_.password->text : nullptr;
    scram.nonce = setup_.nonce;
    // `y` would be a lie when PLUS is offered but its hash is unknown to us: then say `n`.
    const bool lacks_offer = setup_.is_tls && !is_offered(mechanisms, kScramSha256Plus);
    scram.binding = lacks_offer ? ScramBinding::kNotOffered : ScramBinding::kNone;
    if (binds) {
        scram.binding = ScramBinding::kEndPoint;
        scram.end_point = setup_.end_point;
    }
    scram_.emplace(std::move(scram));
    const std::string first = scram_->first_message();
    wire::append_sasl_initial_response(to_upstream, scram_->mechanism(), wire::as_bytes(first));
    state_ = State::kAwaitsContinue;
    return {};
}

Result<void> UpstreamHandshake::on_sasl_continue(
    std::string_view message, wire::Output& to_upstream
) {
    if (state_ != State::kAwaitsContinue) {
        return out_of_order();
    }
    const auto answer = scram_->on_server_first(message);
    if (!answer.has_value()) {
        return answer.error();
    }
    wire::append_sasl_response(to_upstream, wire::as_bytes(*answer));
    state_ = State::kAwaitsFinal;
    return {};
}

Result<void> UpstreamHandshake::on_sasl_final(std::string_view message) {
    if (state_ != State::kAwaitsFinal) {
        return out_of_order();
    }
    state_ = State::kAwaitsOk;
    return scram_->on_server_final(message);
}

Result<void> UpstreamHandshake::on_cleartext(wire::Output& to_upstream) {
    if (state_ != State::kAwaitsRequest) {
        return out_of_order();
    }
    if (!knows_text()) {
        return password_unknown("password");
    }
    if (!setup_.may_send_password) {
        LoginError error = refuse(
            "28000",
            "the database server \"" + setup_.server + "\" asks for the password of user \"" +
                setup_.user + "\" on a connection without TLS",
            "Whoever reads the network would learn it."
        );
        error.hint =
            "Set upstream.tls.mode of the proxy to verify-full, use scram-sha-256 in pg_hba.conf "
            "of "
            "the database server, or set upstream.allow_cleartext_password.";
        return error;
    }
    wire::append_password(to_upstream, core::as_text(setup_.password->text.reveal()));
    state_ = State::kAwaitsOk;
    return {};
}

/// Chapter "Frontend/Backend Protocol", AuthenticationMD5Password: 'md5' and
/// md5(md5(password, user), salt).
Result<void> UpstreamHandshake::on_md5(wire::ByteView salt, wire::Output& to_upstream) {
    if (state_ != State::kAwaitsRequest) {
        return out_of_order();
    }
    if (setup_.password == nullptr) {
        return password_unknown("md5");
    }
    const wire::ByteView known = setup_.password->text.reveal();
    const auto inner = setup_.password->is_md5
                           ? std::optional(core::SecretBytes::copy_of(known.subspan(3)))
                           : core::md5_hex({known, core::as_bytes(setup_.user)});
    const auto outer = inner ? core::md5_hex({inner->reveal(), salt}) : std::nullopt;
    if (!outer) {
        return unusable_method("md5, which this machine's libcrypto forbids,");
    }
    core::SecretBytes answer = core::SecretBytes::copy_of(core::as_bytes("md5"));
    answer.append(outer->reveal());
    wire::append_password(to_upstream, core::as_text(answer.reveal()));
    state_ = State::kAwaitsOk;
    return {};
}

Result<void> UpstreamHandshake::on_ok() {
    if (state_ != State::kAwaitsRequest && state_ != State::kAwaitsOk) {
        return out_of_order();
    }
    state_ = State::kAuthenticated;
    return {};
}

Result<void> UpstreamHandshake::on_greeting(const wire::Frame& frame) {
    if (wire::backend_type(frame.type) == wire::BackendType::kParameterStatus) {
        const auto status = wire::decode_parameter_status(frame.body);
        if (!status.has_value()) {
            return out_of_order();
        }
        greeting_.parameters[std::string(status->name)] = status->value;
        return keep(frame);
    }
    if (wire::backend_type(frame.type) == wire::BackendType::kBackendKeyData) {
        const auto key = wire::decode_backend_key_data(frame.body);
        if (!key.has_value()) {
            return out_of_order();
        }
        greeting_.process_id = key->process_id;
        greeting_.cancel_secret.assign(key->secret.begin(), key->secret.end());
        return keep(frame);
    }
    return out_of_order();
}

Result<void> UpstreamHandshake::keep(const wire::Frame& frame) {
    if (greeting_.frames.size() + frame.bytes.size() > kGreetingSizeMax) {
        return out_of_order();
    }
    greeting_.frames.append(frame.bytes);
    return {};
}

Result<UpstreamHandshake::Next> UpstreamHandshake::on_ready(wire::ByteView body) {
    const auto ready = wire::decode_ready_for_query(body);
    if (!ready.has_value()) {
        return out_of_order();
    }
    greeting_.status = ready->status;
    return Next::kReady;
}

/// The client gets the server's own words; where they blame the password, which the client has just
/// proved to us, a hint says whose mistake it is.
LoginError UpstreamHandshake::on_error(const wire::Frame& frame) const {
    const auto response = wire::decode_error_response(frame.body);
    if (!response.has_value()) {
        return out_of_order();
    }
    LoginError error = refuse(
        response->find('C').value_or("08006"), std::string(response->find('M').value_or(""))
    );
    wire::Output words;
    if (error.sqlstate == kWrongPasswordState) {
        const std::string hint =
            "The client proved itself to the proxy; the secret of this user in "
            "the proxy's users file \"" +
            setup_.users_file + "\" is not the database server's.";
        std::vector<wire::ErrorField> fields(response->fields.begin(), response->fields.end());
        std::erase_if(fields, [](const wire::ErrorField& field) { return field.code == 'H'; });
        fields.push_back(wire::ErrorField{'H', hint});
        wire::append_error_fields(words, wire::BackendType::kErrorResponse, fields);
    } else {
        words.append(frame.bytes);
    }
    error.verbatim.assign(words.bytes().begin(), words.bytes().end());
    return error;
}

LoginError UpstreamHandshake::unusable_method(std::string_view method) const {
    LoginError error = refuse(
        "28000",
        "the database server \"" + setup_.server + "\" asks for authentication by " +
            std::string(method) + " for user \"" + setup_.user + "\"",
        "With the proof the client gave it the proxy can log in only by SCRAM-SHA-256."
    );
    error.hint =
        "Use method scram-sha-256 in pg_hba.conf of the database server for connections "
        "from the proxy, and a secret made with password_encryption = scram-sha-256; or put the "
        "password of this user into upstream.passwords_file of the proxy.";
    return error;
}

LoginError UpstreamHandshake::password_unknown(std::string_view method) const {
    if (setup_.credentials != nullptr) {
        return unusable_method(method);
    }
    LoginError error = refuse(
        "28000",
        "the database server \"" + setup_.server + "\" asks for authentication by " +
            std::string(method) + " for user \"" + setup_.user + "\"",
        "The user came to the proxy with a certificate, which proves nothing to the server."
    );
    error.hint =
        "Put the password of this user into upstream.passwords_file of the proxy, or let the "
        "database server trust connections from the proxy for this user.";
    return error;
}

LoginError UpstreamHandshake::out_of_order() const {
    return refuse(
        "08P01",
        "the database server \"" + setup_.server +
            "\" sent a message that does not belong into its login"
    );
}

}  // namespace pgveil::session
