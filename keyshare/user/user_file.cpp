#include "keyshare/user/user_file.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/password.hpp"
#include "keyshare/core/xaes.hpp"
#include "keyshare/share/tenant.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace pgveil::user {

namespace {

constexpr std::string_view kTitle = "pgveil user key 1\n";
constexpr std::string_view kNone = "none";
constexpr std::string_view kPbkdf2 = "pbkdf2-sha256 ";
constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kKeySize = 32;
constexpr std::uint32_t kIterationsMax = 10'000'000;

/// Takes the file apart line by line, in the one order there is.
class LineReader {
public:
    explicit LineReader(std::string_view text) : rest_(text) {}

    bool skip(std::string_view expected) {
        const bool fits = rest_.starts_with(expected);
        rest_.remove_prefix(fits ? expected.size() : 0);
        return fits;
    }

    /// The value of the line "name: value\n".
    std::optional<std::string_view> value(std::string_view name) {
        if (!skip(name) || !skip(": ")) {
            return std::nullopt;
        }
        const std::size_t end = rest_.find('\n');
        if (end == std::string_view::npos) {
            return std::nullopt;
        }
        const std::string_view found = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return found;
    }

    bool at_end() const { return rest_.empty(); }

    std::size_t left() const { return rest_.size(); }

private:
    std::string_view rest_;
};

struct Protection {
    std::uint32_t iterations = 0;
    core::Bytes salt;
};

std::optional<Protection> parse_protection(std::string_view text) {
    if (text == kNone) {
        return Protection{};
    }
    if (!text.starts_with(kPbkdf2)) {
        return std::nullopt;
    }
    text.remove_prefix(kPbkdf2.size());
    Protection found;
    const auto [end, problem] =
        std::from_chars(text.data(), text.data() + text.size(), found.iterations);
    const std::string digits = std::to_string(found.iterations);
    const bool is_canonical = problem == std::errc() && text.starts_with(digits + " ");
    if (!is_canonical || found.iterations == 0 || found.iterations > kIterationsMax) {
        return std::nullopt;
    }
    auto salt = core::base64url_decode(text.substr(digits.size() + 1));
    if (!salt || salt->size() != kSaltSize) {
        return std::nullopt;
    }
    found.salt = std::move(*salt);
    return found;
}

Result<core::SecretBytes> file_key(
    const core::SecretBytes& passphrase, core::ByteView salt, std::uint32_t iterations
) {
    auto key = core::pbkdf2_sha256(passphrase.reveal(), salt, iterations, kKeySize);
    if (!key) {
        return unusable(key.error().message);
    }
    return std::move(*key);
}

std::string fingerprint_of_proxy(const share::UserKey& key) {
    return share::fingerprint_text(key.proxy_identity.fingerprint());
}

std::string head_of(const share::UserKey& key, const std::string& protection) {
    return std::string(kTitle) + "tenant: " + key.tenant + "\nuser: " + key.user_id +
           "\nproxy: " + fingerprint_of_proxy(key) + "\nprotection: " + protection + "\n";
}

core::SecretBytes file_of(const std::string& head, core::ByteView key) {
    const core::SecretBytes text = core::base64url_encode_secret(key);
    core::SecretBytes file;
    file.append(core::as_bytes(head));
    file.append(core::as_bytes("key: "));
    file.append(text.reveal());
    file.append(core::as_bytes("\n"));
    return file;
}

}  // namespace

Result<core::SecretBytes> write_user_file(
    const share::UserKey& key, const UserFileLock& lock, core::RandomSource& random
) {
    const core::SecretBytes plain = share::serialize(key);
    if (lock.passphrase == nullptr) {
        return file_of(head_of(key, std::string(kNone)), plain.reveal());
    }
    std::array<std::uint8_t, kSaltSize> salt{};
    random.fill(salt);
    const std::string head = head_of(
        key,
        std::string(kPbkdf2) + std::to_string(lock.iterations) + " " + core::base64url_encode(salt)
    );
    const auto closing_key = file_key(*lock.passphrase, salt, lock.iterations);
    if (!closing_key) {
        return closing_key.error();
    }
    return file_of(
        head, core::xaes_seal(closing_key->reveal(), core::as_bytes(head), plain.reveal(), random)
    );
}

Result<UserFile> UserFile::parse(core::ByteView text, std::string name) {
    const Error malformed = unusable(
        name +
        " is not a user key file of this version: use the .user file that pgveil-tenant wrote"
    );
    const std::string_view all = core::as_text(text);
    LineReader lines(all);
    const bool is_ours = lines.skip(kTitle);
    const auto tenant = lines.value("tenant");
    const auto user = lines.value("user");
    const auto proxy = lines.value("proxy");
    const auto protection_text = lines.value("protection");
    if (!is_ours || !tenant || !user || !proxy || !protection_text) {
        return malformed;
    }
    const std::size_t head_size = all.size() - lines.left();
    const auto key_text = lines.value("key");
    auto protection = parse_protection(*protection_text);
    if (!key_text || !lines.at_end() || !protection) {
        return malformed;
    }
    auto key = core::base64url_decode_secret(*key_text);
    if (!key) {
        return malformed;
    }
    UserFile file;
    file.name_ = std::move(name);
    file.head_ = all.substr(0, head_size);
    file.tenant_ = *tenant;
    file.user_id_ = *user;
    file.proxy_ = *proxy;
    file.iterations_ = protection->iterations;
    file.salt_ = std::move(protection->salt);
    file.key_ = std::move(*key);
    return file;
}

Result<core::SecretBytes> UserFile::unlocked(const core::SecretBytes* passphrase) const {
    if (!needs_passphrase()) {
        return core::SecretBytes::copy_of(key_.reveal());
    }
    core::invariant(passphrase != nullptr, "a passphrase is given where the file needs one");
    const auto opening_key = file_key(*passphrase, salt_, iterations_);
    if (!opening_key) {
        return opening_key.error();
    }
    auto plain = core::xaes_open(opening_key->reveal(), core::as_bytes(head_), key_.reveal());
    if (!plain) {
        return failed(name_ + " does not open: the passphrase is wrong, or the file was altered");
    }
    return std::move(*plain);
}

Result<share::UserKey> UserFile::open(const core::SecretBytes* passphrase) const {
    const auto plain = unlocked(passphrase);
    if (!plain) {
        return plain.error();
    }
    auto key = share::parse_user_key(plain->reveal());
    if (!key) {
        return unusable(name_ + " holds no usable key: " + key.error().message);
    }
    const bool head_agrees =
        key->tenant == tenant_ && key->user_id == user_id_ && fingerprint_of_proxy(*key) == proxy_;
    if (!head_agrees) {
        return unusable(name_ + " was altered: its head and its key name different owners");
    }
    return std::move(*key);
}

}  // namespace pgveil::user
