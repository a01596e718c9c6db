#include "proxy/session/scram_server.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/invariant.hpp"

#include <utility>

namespace pgveil::session {

namespace {

constexpr std::string_view kProofMarker = ",p=";

std::string printable(char byte) {
    constexpr unsigned char kFirst = 0x21;
    constexpr unsigned char kLast = 0x7e;
    const auto code = static_cast<unsigned char>(byte);
    if (code >= kFirst && code <= kLast) {
        return {byte};
    }
    constexpr std::string_view kDigits = "0123456789abcdef";
    return std::string("0x") + kDigits[code >> 4U] + kDigits[code & 0xFU];
}

LoginError binding_missing() {
    return malformed_scram(
        "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel "
        "binding data."
    );
}

LoginError binding_downgraded() {
    return refuse(
        "28000",
        "SCRAM channel binding negotiation error",
        "The client supports SCRAM channel binding but thinks the server does not.  However, this "
        "server does support channel binding."
    );
}

LoginError attribute_missing(char name) {
    return malformed_scram(std::string("Expected attribute \"") + name + "\".");
}

}  // namespace

ScramServer::ScramServer(ScramServerSetup setup) : setup_(std::move(setup)) {
    core::invariant(setup_.verifier != nullptr, "a SCRAM exchange has a verifier, real or mock");
    core::invariant(is_printable_nonce(setup_.nonce), "our nonce half is printable");
}

Result<void> ScramServer::choose_mechanism(std::string_view mechanism) {
    uses_binding_ = mechanism == kScramSha256Plus && !setup_.end_point.empty();
    const bool is_plain = mechanism == kScramSha256 && !setup_.requires_binding;
    if (!uses_binding_ && !is_plain) {
        return refuse("08P01", "client selected an invalid SASL authentication mechanism");
    }
    return {};
}

Result<std::string> ScramServer::on_client_first(
    std::string_view mechanism, std::string_view message
) {
    core::invariant(state_ == State::kAwaitsFirst, "a SCRAM exchange is used once");
    state_ = State::kEnded;
    if (auto chosen = choose_mechanism(mechanism); !chosen.has_value()) {
        return chosen.error();
    }
    auto bare = read_gs2_header(message);
    if (!bare.has_value()) {
        return bare.error();
    }
    if (auto read = read_first_bare(*bare); !read.has_value()) {
        return read.error();
    }
    server_first_ = "r=" + nonce_ + ",s=" + core::base64_encode(setup_.verifier->salt) +
                    ",i=" + std::to_string(setup_.verifier->iterations);
    state_ = State::kAwaitsFinal;
    return server_first_;
}

Result<void> ScramServer::read_binding_flag(std::string_view flag) {
    if (flag == "n" || flag == "y") {
        if (uses_binding_) {
            return binding_missing();
        }
        if (flag == "y" && !setup_.end_point.empty()) {
            return binding_downgraded();
        }
        return {};
    }
    if (!flag.starts_with('p')) {
        return malformed_scram(
            "Unexpected channel-binding flag \"" + printable(flag.empty() ? '\0' : flag.front()) +
            "\"."
        );
    }
    if (!uses_binding_) {
        return malformed_scram(
            "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message "
            "includes channel binding data."
        );
    }
    if (flag != "p=" + std::string(kEndPointBinding)) {
        return refuse("08P01", "unsupported SCRAM channel-binding type");
    }
    return {};
}

/// Takes `flag,[authzid],` off and returns client-first-message-bare.
Result<std::string_view> ScramServer::read_gs2_header(std::string_view message) {
    if (message.empty()) {
        return malformed_scram("The message is empty.");
    }
    const auto flag_end = message.find(',');
    if (flag_end == std::string_view::npos) {
        return malformed_scram("Comma expected, but found end of string.");
    }
    if (auto flag = read_binding_flag(message.substr(0, flag_end)); !flag.has_value()) {
        return flag.error();
    }
    const std::string_view rest = message.substr(flag_end + 1);
    if (rest.starts_with("a=")) {
        return refuse("0A000", "client uses authorization identity, but it is not supported");
    }
    if (!rest.starts_with(',')) {
        return malformed_scram("Unexpected attribute in client-first-message.");
    }
    gs2_header_ = message.substr(0, flag_end + 2);
    return rest.substr(1);
}

Result<void> ScramServer::read_first_bare(std::string_view bare) {
    if (bare.starts_with("m=")) {
        return refuse("0A000", "client requires an unsupported SCRAM extension");
    }
    ScramAttributes attributes(bare);
    // The name is ignored, as by PostgreSQL: the startup packet has already said who it is.
    if (!attributes.expect('n')) {
        return attribute_missing('n');
    }
    const auto client_nonce = attributes.expect('r');
    if (!client_nonce) {
        return attribute_missing('r');
    }
    if (!is_printable_nonce(*client_nonce)) {
        return refuse("08P01", "non-printable characters in SCRAM nonce");
    }
    while (!attributes.at_end()) {
        if (!attributes.next()) {
            return malformed_scram("Attribute expected, but found something else.");
        }
    }
    first_bare_ = bare;
    nonce_ = std::string(*client_nonce) + setup_.nonce;
    return {};
}

Result<ScramServer::Done> ScramServer::on_client_final(std::string_view message) {
    core::invariant(state_ == State::kAwaitsFinal, "client-final follows an accepted client-first");
    state_ = State::kEnded;
    auto proof = read_final(message);
    if (!proof.has_value()) {
        return proof.error();
    }
    return check_proof(*proof);
}

/// Reads `c=...,r=...[,extensions],p=...` and returns the proof.
Result<core::Sha256Digest> ScramServer::read_final(std::string_view message) {
    ScramAttributes attributes(message);
    const auto binding = attributes.expect('c');
    if (!binding) {
        return attribute_missing('c');
    }
    if (!is_expected_binding(*binding)) {
        return uses_binding_ ? refuse("28000", "SCRAM channel binding check failed")
                             : refuse(
                                   "08P01",
                                   "unexpected SCRAM channel-binding attribute in "
                                   "client-final-message"
                               );
    }
    const auto nonce = attributes.expect('r');
    if (!nonce) {
        return attribute_missing('r');
    }
    auto attribute = attributes.next();
    while (attribute && attribute->name != 'p') {
        attribute = attributes.next();
    }
    if (!attribute) {
        return attribute_missing('p');
    }
    const auto proof = decode_key(attribute->value);
    if (!proof) {
        return malformed_scram("Malformed proof in client-final-message.");
    }
    if (!attributes.at_end()) {
        return malformed_scram("Garbage found at the end of client-final-message.");
    }
    if (*nonce != nonce_) {
        return refuse("08P01", "invalid SCRAM response", "Nonce does not match.");
    }
    final_without_proof_ =
        message.substr(0, message.size() - attribute->value.size() - kProofMarker.size());
    return *proof;
}

bool ScramServer::is_expected_binding(std::string_view attribute) const {
    const core::ByteView bound =
        uses_binding_ ? core::ByteView(setup_.end_point) : core::ByteView();
    return attribute == channel_binding_attribute(gs2_header_, bound);
}

/// RFC 5802 section 3: ClientKey = ClientProof XOR HMAC(StoredKey, AuthMessage), right if and only
/// if its hash is the StoredKey.
Result<ScramServer::Done> ScramServer::check_proof(const core::Sha256Digest& proof) {
    const std::string auth_message = first_bare_ + "," + server_first_ + "," + final_without_proof_;
    const ScramVerifier& verifier = *setup_.verifier;
    auto client_key = recover_client_key(proof, scram_signature(verifier.stored_key, auth_message));
    const bool matches =
        core::equal_in_constant_time(stored_key_of(client_key), verifier.stored_key);
    if (!matches || setup_.is_mock) {
        return password_failed(setup_.user);
    }
    const core::Sha256Digest signature =
        scram_signature(verifier.server_key.reveal(), auth_message);
    return Done{"v=" + core::base64_encode(signature), std::move(client_key)};
}

}  // namespace pgveil::session
