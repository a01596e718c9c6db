#pragma once

#include "keyshare/core/bytes.hpp"
#include "proxy/session/login_error.hpp"
#include "proxy/session/scram.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgveil::session {

/// What a finished client login leaves for the login upstream. Move-only.
struct ScramCredentials {
    ScramClientKey client_key;
    ScramServerKey server_key;  // to check that the upstream knows the user's secret, too
    core::Bytes salt;
    std::uint32_t iterations;
};

enum class ScramBinding {
    kNone,        // gs2 `n`: no TLS
    kNotOffered,  // gs2 `y`: TLS, and the server offered no PLUS
    kEndPoint     // gs2 `p=tls-server-end-point`
};

/// What one exchange needs; `credentials` and `password` must outlive it. One of them is there; the
/// password counts if both are.
struct ScramClientSetup {
    std::string user;        // for error texts
    std::string users_file;  // for error texts: which file to correct
    const ScramCredentials* credentials = nullptr;
    const core::SecretBytes* password = nullptr;  // ASCII: there is no SASLprep here
    ScramBinding binding = ScramBinding::kNone;
    core::Bytes end_point;  // of the upstream's certificate, with kEndPoint
    std::string nonce;
};

/// The client's side of one SCRAM exchange, by ClientKey instead of a password where there is none.
///
///     ScramClient scram(std::move(setup));
///     scram.first_message();          // -> SASLInitialResponse of mechanism()
///     scram.on_server_first(text);    // -> SASLResponse
///     scram.on_server_final(text);    // the server has proved itself, too
///
/// A ClientKey works only with the salt and iteration count it was made with: if the server's
/// differ, the error names the users file. Use once; one thread.
class ScramClient {
public:
    explicit ScramClient(ScramClientSetup setup);

    std::string_view mechanism() const;
    std::string first_message() const;
    Result<std::string> on_server_first(std::string_view message);
    Result<void> on_server_final(std::string_view message) const;

private:
    Result<void> check_parameters(const core::Bytes& salt, std::uint32_t iterations);
    Result<void> derive_keys(const core::Bytes& salt, std::uint32_t iterations);
    std::string final_message(std::string_view server_first, std::string_view nonce);

    ScramClientSetup setup_;
    std::optional<ScramCredentials> derived_;  ///< from the password
    std::string gs2_header_;
    std::string first_bare_;
    std::string auth_message_;
};

}  // namespace pgveil::session
