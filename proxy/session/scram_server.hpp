#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hash.hpp"
#include "proxy/session/login_error.hpp"
#include "proxy/session/scram.hpp"

#include <string>
#include <string_view>

namespace pgveil::session {

/// What one exchange needs. `verifier` must outlive the exchange. With `is_mock` the user is
/// unknown: the exchange runs to its end with the same messages and the same work, and then fails.
struct ScramServerSetup {
    std::string user;  // for the error text only; the SCRAM message's name is ignored
    const ScramVerifier* verifier = nullptr;  // never null; a made-up one if `is_mock`
    bool is_mock = false;
    bool requires_binding = false;  // only SCRAM-SHA-256-PLUS is offered
    core::Bytes end_point;          // tls-server-end-point of our certificate; empty without TLS
    std::string nonce;              // our half, printable
};

/// The server's side of one SCRAM exchange.
///
///     ScramServer scram(std::move(setup));
///     auto first = scram.on_client_first(mechanism, message);   // -> AuthenticationSASLContinue
///     auto last  = scram.on_client_final(message);              // -> AuthenticationSASLFinal
///
/// Promises: accepts only a proof made with the ClientKey whose hash is the StoredKey; with PLUS
/// only on this TLS channel's certificate; answers gs2 `y` with a refusal when PLUS was on offer
/// (RFC 5802 section 6). Error codes and texts are those of PostgreSQL's auth-scram.c.
/// Not promised: limits on attempts and time. Use once; one thread.
class ScramServer {
public:
    struct Done {
        std::string server_final;
        ScramClientKey client_key;
    };

    explicit ScramServer(ScramServerSetup setup);

    Result<std::string> on_client_first(std::string_view mechanism, std::string_view message);
    Result<Done> on_client_final(std::string_view message);

private:
    enum class State { kAwaitsFirst, kAwaitsFinal, kEnded };

    Result<void> choose_mechanism(std::string_view mechanism);
    Result<std::string_view> read_gs2_header(std::string_view message);
    Result<void> read_binding_flag(std::string_view flag);
    Result<void> read_first_bare(std::string_view bare);
    Result<core::Sha256Digest> read_final(std::string_view message);
    bool is_expected_binding(std::string_view attribute) const;
    Result<Done> check_proof(const core::Sha256Digest& proof);

    ScramServerSetup setup_;
    State state_ = State::kAwaitsFirst;
    bool uses_binding_ = false;
    std::string gs2_header_;
    std::string first_bare_;
    std::string nonce_;
    std::string server_first_;
    std::string final_without_proof_;
};

}  // namespace pgveil::session
