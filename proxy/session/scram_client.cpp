#include "proxy/session/scram_client.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/invariant.hpp"

#include <optional>
#include <utility>

namespace pgveil::session {

namespace {

LoginError upstream_broke_scram(std::string_view what) {
    return refuse("08P01", "the database server sent a malformed SCRAM message", std::string(what));
}

std::string gs2_header_for(ScramBinding binding) {
    switch (binding) {
        case ScramBinding::kNone: return "n,,";
        case ScramBinding::kNotOffered: return "y,,";
        case ScramBinding::kEndPoint: return "p=" + std::string(kEndPointBinding) + ",,";
    }
    core::invariant(false, "every ScramBinding has its gs2 header");
    return {};
}

}  // namespace

ScramClient::ScramClient(ScramClientSetup setup)
    : setup_(std::move(setup)),
      gs2_header_(gs2_header_for(setup_.binding)),
      // The name stays empty as in libpq: PostgreSQL takes the one of the startup packet.
      first_bare_("n=,r=" + setup_.nonce) {
    core::invariant(
        setup_.credentials != nullptr || setup_.password != nullptr,
        "a SCRAM client has credentials"
    );
    core::invariant(is_printable_nonce(setup_.nonce), "our nonce half is printable");
    core::invariant(
        (setup_.binding == ScramBinding::kEndPoint) != setup_.end_point.empty(),
        "binding bytes are given exactly when the channel is bound"
    );
}

std::string_view ScramClient::mechanism() const {
    return setup_.binding == ScramBinding::kEndPoint ? kScramSha256Plus : kScramSha256;
}

std::string ScramClient::first_message() const {
    return gs2_header_ + first_bare_;
}

Result<std::string> ScramClient::on_server_first(std::string_view message) {
    core::invariant(auth_message_.empty(), "a SCRAM exchange is used once");
    ScramAttributes attributes(message);
    const auto nonce = attributes.expect('r');
    if (!nonce || !is_printable_nonce(*nonce)) {
        return upstream_broke_scram("The nonce is missing or not printable.");
    }
    if (nonce->size() <= setup_.nonce.size() || !nonce->starts_with(setup_.nonce)) {
        return upstream_broke_scram("The nonce does not continue ours.");
    }
    const auto salt_text = attributes.expect('s');
    const auto iterations_text = salt_text ? attributes.expect('i') : std::nullopt;
    const auto iterations = iterations_text ? parse_iterations(*iterations_text) : std::nullopt;
    if (!iterations) {
        return upstream_broke_scram("Salt or iteration count is missing or malformed.");
    }
    const auto salt = core::base64_decode(*salt_text);
    if (!salt.has_value()) {
        return upstream_broke_scram("The salt is not base64.");
    }
    if (auto same = check_parameters(*salt, *iterations); !same.has_value()) {
        return same.error();
    }
    return final_message(message, *nonce);
}

/// A server that asks for more would hold up the worker.
constexpr std::uint32_t kIterationsMax = 100000;

Result<void> ScramClient::derive_keys(const core::Bytes& salt, std::uint32_t iterations) {
    if (iterations > kIterationsMax) {
        return upstream_broke_scram("The iteration count is above 100000.");
    }
    auto keys = keys_of_password(setup_.password->reveal(), salt, iterations);
    if (!keys.has_value()) {
        return upstream_broke_scram("Salt or iteration count cannot be used.");
    }
    derived_.emplace(ScramCredentials{
        std::move(keys->client_key), std::move(keys->server_key), salt, iterations});
    setup_.credentials = &*derived_;
    return {};
}

Result<void> ScramClient::check_parameters(const core::Bytes& salt, std::uint32_t iterations) {
    if (setup_.password != nullptr) {
        return derive_keys(salt, iterations);
    }
    if (salt == setup_.credentials->salt && iterations == setup_.credentials->iterations) {
        return {};
    }
    LoginError error = refuse(
        "28000",
        "the database server's secret of user \"" + setup_.user +
            "\" is not the one in the proxy's users file \"" + setup_.users_file + "\"",
        "Salt or iteration count differ, so the client's proof cannot be used at the server."
    );
    error.hint =
        "Copy the server's secret into the users file again (SELECT rolpassword FROM "
        "pg_catalog.pg_authid WHERE rolname = ...) and reload the proxy.";
    return error;
}

std::string ScramClient::final_message(std::string_view server_first, std::string_view nonce) {
    const std::string without_proof =
        "c=" + channel_binding_attribute(gs2_header_, setup_.end_point) +
        ",r=" + std::string(nonce);
    auth_message_ = first_bare_ + "," + std::string(server_first) + "," + without_proof;
    const ScramClientKey& client_key = setup_.credentials->client_key;
    const core::Sha256Digest signature = scram_signature(stored_key_of(client_key), auth_message_);
    return without_proof + ",p=" + core::base64_encode(client_proof(client_key, signature));
}

Result<void> ScramClient::on_server_final(std::string_view message) const {
    core::invariant(!auth_message_.empty(), "server-final follows client-final");
    ScramAttributes attributes(message);
    const auto attribute = attributes.next();
    if (attribute && attribute->name == 'e') {
        return refuse(
            "28P01", "the database server refused the SCRAM exchange", std::string(attribute->value)
        );
    }
    if (!attribute || attribute->name != 'v') {
        return upstream_broke_scram("The server signature is missing.");
    }
    const auto signature = core::base64_decode(attribute->value);
    const core::Sha256Digest expected =
        scram_signature(setup_.credentials->server_key.reveal(), auth_message_);
    if (!signature.has_value() || !core::equal_in_constant_time(*signature, expected)) {
        return refuse(
            "28000",
            "the database server could not prove that it knows the secret of user \"" +
                setup_.user + "\"",
            "The server signature of the SCRAM exchange is wrong: this is not the right server."
        );
    }
    return {};
}

}  // namespace pgveil::session
