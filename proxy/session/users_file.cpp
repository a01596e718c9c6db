#include "proxy/session/users_file.hpp"

#include "keyshare/core/random.hpp"
#include "proxy/session/quoted_words.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace pgveil::session {

namespace {

// What initdb and ALTER ROLE ... PASSWORD give with PostgreSQL's defaults.
constexpr std::uint32_t kUsualIterations = 4096;
constexpr std::size_t kUsualSaltSize = 16;

std::string advice_for(std::string_view secret) {
    if (secret.starts_with("md5")) {
        return "an md5 password cannot be used; set password_encryption = 'scram-sha-256', set the "
               "password again and copy pg_authid.rolpassword";
    }
    if (secret.starts_with("SCRAM-SHA-256$")) {
        return "the SCRAM-SHA-256 secret is malformed; copy pg_authid.rolpassword as it is";
    }
    return "a plain password cannot be used; copy the SCRAM-SHA-256 secret from "
           "pg_authid.rolpassword";
}

/// Random, once for the process: whoever begins a login sees salts made with it. Made from a user's
/// secret it would let a stranger try passwords without ever logging in.
core::ByteView mock_key() {
    static const core::SecretBytes key = [] {
        core::SecretBytes drawn(kScramKeySize);
        core::system_random().fill(drawn.reveal_mutable());
        return drawn;
    }();
    return key.reveal();
}

}  // namespace

class UsersReader {
public:
    explicit UsersReader(std::string_view path) : users_(new Users()) { users_->path_ = path; }

    UsersResult read(std::string_view text) {
        std::size_t number = 0;
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size());
            if (auto problem = read_line(text.substr(0, end), ++number)) {
                return UsersError{*std::move(problem)};
            }
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        return std::shared_ptr<const Users>(std::move(users_));
    }

    void warn(std::string text) { users_->warnings_.push_back(std::move(text)); }

private:
    std::optional<std::string> read_line(std::string_view line, std::size_t number) {
        if (is_without_words(line)) {
            return std::nullopt;
        }
        const auto first = take_quoted(line);
        const auto second = first ? take_quoted(line) : std::nullopt;
        if (!second || first->empty()) {
            return at(number, R"(expected "user" "SCRAM-SHA-256$...")");
        }
        std::string name(core::as_text(first->reveal()));
        const std::string_view secret = core::as_text(second->reveal());
        auto verifier = parse_scram_verifier(secret);
        if (!verifier) {
            return at(number, "user \"" + name + "\": " + advice_for(secret));
        }
        return add(std::move(name), *std::move(verifier), number);
    }

    std::optional<std::string> add(std::string name, ScramVerifier verifier, std::size_t number) {
        if (users_->verifiers_.contains(name)) {
            return at(number, "user \"" + name + "\" stands in the file twice; keep one line");
        }
        if (users_->verifiers_.empty()) {
            take_mock_shape(verifier);
        }
        users_->verifiers_.emplace(std::move(name), std::move(verifier));
        return std::nullopt;
    }

    void take_mock_shape(const ScramVerifier& first) {
        users_->mock_iterations_ = first.iterations;
        users_->mock_salt_size_ = first.salt.size();
    }

    std::string at(std::size_t number, const std::string& what) const {
        return users_->path_ + ":" + std::to_string(number) + ": " + what;
    }

    std::shared_ptr<Users> users_;
};

Users::Users() : mock_iterations_(kUsualIterations), mock_salt_size_(kUsualSaltSize) {}

const ScramVerifier* Users::find(std::string_view user) const {
    const auto found = verifiers_.find(user);
    return found == verifiers_.end() ? nullptr : &found->second;
}

ScramVerifier Users::mock(std::string_view user) const {
    const std::string labelled = "pgveil/1 mock salt " + std::string(user);
    core::Bytes salt = core::to_bytes(scram_signature(mock_key(), labelled));
    salt.resize(std::clamp<std::size_t>(mock_salt_size_, 1, salt.size()));
    return ScramVerifier{mock_iterations_, std::move(salt), {}, ScramServerKey()};
}

UsersResult parse_users(std::string_view path, std::string_view text) {
    return UsersReader(path).read(text);
}

UsersResult load_users(const std::string& path) {
    const auto file = read_secret_file("users file", path);
    if (!file.has_value()) {
        return UsersError{file.error()};
    }
    UsersReader reader(path);
    if (!file->warning.empty()) {
        reader.warn(file->warning);
    }
    return reader.read(core::as_text(file->content.reveal()));
}

}  // namespace pgveil::session
