#include "keyshare/share/one_time_password.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/hmac.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/core/password.hpp"

#include <array>

namespace pgveil::share {
namespace {

// Crockford's base32: no I, L, O, U, so that the password survives being read out.
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kRandomSize = 16;
constexpr std::size_t kCharacters =
    26;  // 128 bits in groups of five, the last one padded with zeros
constexpr std::size_t kGroup = 5;
constexpr std::size_t kSaltSize = 16;
constexpr std::uint32_t kIterations = 4096;

// The five bits that character `index` stands for.
unsigned bits_at(core::ByteView bytes, std::size_t index) {
    unsigned value = 0;
    for (std::size_t bit = index * 5; bit < index * 5 + 5; ++bit) {
        const unsigned byte = bit / 8 < bytes.size() ? bytes[bit / 8] : 0U;
        value = value << 1U | (byte >> (7 - bit % 8) & 1U);
    }
    return value;
}

core::SecretBytes to_words(core::ByteView random) {
    core::SecretBytes text;
    text.reserve(kCharacters + kCharacters / kGroup);
    for (std::size_t at = 0; at < kCharacters; ++at) {
        if (at != 0 && at % kGroup == 0 && at + 1 < kCharacters) {
            text.append(core::as_bytes("-"));
        }
        text.append(core::as_bytes(kAlphabet.substr(bits_at(random, at), 1)));
    }
    return text;
}

}  // namespace

std::string scram_verifier(core::ByteView password, core::ByteView salt, std::uint32_t iterations) {
    const auto salted = core::pbkdf2_sha256(password, salt, iterations, core::kSha256Size);
    core::invariant(salted.has_value(), "the iteration count of a SCRAM verifier is in range");
    const core::SecretBytes client_key =
        core::secret_hmac_sha256(salted->reveal(), core::as_bytes("Client Key"));
    const core::Sha256Digest stored_key = core::sha256(client_key.reveal());
    const core::Sha256Digest server_key =
        core::hmac_sha256(salted->reveal(), core::as_bytes("Server Key"));
    return "SCRAM-SHA-256$" + std::to_string(iterations) + ":" + core::base64_encode(salt) + "$" +
           core::base64_encode(stored_key) + ":" + core::base64_encode(server_key);
}

OneTimePassword make_one_time_password(core::RandomSource& random) {
    std::array<std::uint8_t, kSaltSize> salt{};
    random.fill(salt);
    core::SecretBytes text = to_words(core::random_secret(random, kRandomSize).reveal());
    std::string verifier = scram_verifier(text.reveal(), salt, kIterations);
    return {std::move(text), std::move(verifier)};
}

}  // namespace pgveil::share
