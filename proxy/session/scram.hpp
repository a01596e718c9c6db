#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/secret.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgveil::session {

// SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL speaks it (chapter "SASL Authentication"):
//   scram.hpp         keys, the verifier's text form, the parts both sides share
//   scram_server.hpp  the side towards the client: checks a proof, keeps the ClientKey it reveals
//   scram_client.hpp  the side towards the upstream: makes a proof from that ClientKey
// All of it is pure: bytes in, bytes out; the caller draws the nonces.

inline constexpr std::size_t kScramKeySize = 32;
inline constexpr std::string_view kScramSha256 = "SCRAM-SHA-256";
inline constexpr std::string_view kScramSha256Plus = "SCRAM-SHA-256-PLUS";
inline constexpr std::string_view kEndPointBinding = "tls-server-end-point";

/// PostgreSQL's PG_MAX_SASL_MESSAGE_LENGTH is 1024; a longer message is a protocol error.
inline constexpr std::size_t kSaslMessageSizeMax = 1024;

/// PostgreSQL's SCRAM_RAW_NONCE_LEN: random bytes per side, sent as base64.
inline constexpr std::size_t kScramNonceSize = 18;

/// Whoever holds it can log in as the user wherever the same salt and iteration count are used.
using ScramClientKey = core::Secret<struct ScramClientKeyRole, kScramKeySize>;
/// Whoever holds it can pose as the server of that user.
using ScramServerKey = core::Secret<struct ScramServerKeyRole, kScramKeySize>;

/// What a server keeps instead of a password. `stored_key` = H(ClientKey) opens nothing by itself,
/// but together with a recorded login it gives the ClientKey: keep the file that holds it private.
struct ScramVerifier {
    std::uint32_t iterations;
    core::Bytes salt;
    core::Sha256Digest stored_key;
    ScramServerKey server_key;

    ScramVerifier copy() const;
};

/// Reads `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>` as in pg_authid.rolpassword.
/// Nothing for any other text.
std::optional<ScramVerifier> parse_scram_verifier(std::string_view text);

/// The inverse of parse_scram_verifier.
std::string to_text(const ScramVerifier& verifier);

struct ScramPasswordKeys {
    ScramClientKey client_key;
    ScramServerKey server_key;
};

/// RFC 5802 section 3. The password is used as it is: no SASLprep, so ASCII only. The proxy itself
/// never calls this on a client's password; it is for one-time passwords it made and for tests.
/// kParameter for an iteration count out of range.
core::Result<ScramPasswordKeys> keys_of_password(
    core::ByteView password, core::ByteView salt, std::uint32_t iterations
);

core::Result<ScramVerifier> verifier_of_password(
    core::ByteView password, core::ByteView salt, std::uint32_t iterations
);

/// H(ClientKey).
core::Sha256Digest stored_key_of(const ScramClientKey& client_key);

/// HMAC-SHA-256(key, message): the signatures of RFC 5802; the result is not secret.
core::Sha256Digest scram_signature(core::ByteView key, std::string_view message);

/// ClientProof = ClientKey XOR ClientSignature, and the way back.
core::Sha256Digest client_proof(
    const ScramClientKey& client_key, const core::Sha256Digest& signature
);
ScramClientKey recover_client_key(
    const core::Sha256Digest& proof, const core::Sha256Digest& signature
);

/// The `c=` value: base64(gs2 header, then the binding bytes).
std::string channel_binding_attribute(std::string_view gs2_header, core::ByteView binding);

/// Decimal, above 0; nothing for any other text.
std::optional<std::uint32_t> parse_iterations(std::string_view text);

/// 32 bytes in base64; nothing for any other text.
std::optional<core::Sha256Digest> decode_key(std::string_view text);

/// Cursor over `x=value,y=value`. Views live as long as the message.
class ScramAttributes {
public:
    explicit ScramAttributes(std::string_view rest) : rest_(rest) {}

    bool at_end() const { return rest_.empty(); }

    std::string_view rest() const { return rest_; }

    struct Attribute {
        char name;
        std::string_view value;
    };

    /// The next attribute of any name; nothing if the text is not `letter=value`.
    std::optional<Attribute> next();

    /// The value of the next attribute if it has this name.
    std::optional<std::string_view> expect(char name);

private:
    std::string_view rest_;
};

/// Nonce characters of RFC 5802: printable ASCII without the comma. False for an empty text.
bool is_printable_nonce(std::string_view text);

}  // namespace pgveil::session
