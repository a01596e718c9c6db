#include "proxy/session/passwords_file.hpp"

#include "keyshare/core/random.hpp"
#include "proxy/session/quoted_words.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace pgveil::session {

namespace {

constexpr std::uint32_t kIterations = 4096;
constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kMd5SecretSize = 35;  // "md5" and 32 digits

bool is_md5_secret(std::string_view text) {
    return text.size() == kMd5SecretSize && text.starts_with("md5") &&
           text.find_first_not_of("0123456789abcdef", 3) == std::string_view::npos;
}

/// SCRAM prepares other texts by SASLprep, which keys_of_password does not do.
bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char letter) {
        return static_cast<unsigned char>(letter) < 0x80;
    });
}

std::optional<ScramVerifier> verifier_for(const core::SecretBytes& password) {
    core::Bytes salt(kSaltSize);
    core::system_random().fill(salt);
    auto verifier = verifier_of_password(password.reveal(), salt, kIterations);
    return verifier.has_value() ? std::optional(std::move(*verifier)) : std::nullopt;
}

}  // namespace

class PasswordsReader {
public:
    explicit PasswordsReader(std::string_view path) : passwords_(new Passwords()) {
        passwords_->path_ = path;
    }

    PasswordsResult read(std::string_view text) {
        std::size_t number = 0;
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size());
            if (auto problem = read_line(text.substr(0, end), ++number)) {
                return *std::move(problem);
            }
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        return std::shared_ptr<const Passwords>(std::move(passwords_));
    }

    void warn(const std::string& text) { passwords_->warnings_.push_back(text); }

private:
    std::optional<std::string> read_line(std::string_view line, std::size_t number) {
        if (is_without_words(line)) {
            return std::nullopt;
        }
        auto user = take_quoted(line);
        auto secret = user ? take_quoted(line) : std::nullopt;
        if (!secret || user->empty() || secret->empty()) {
            return at(number, R"(expected "user" "password")");
        }
        std::string name(core::as_text(user->reveal()));
        if (core::as_text(secret->reveal()).starts_with("SCRAM-SHA-256$")) {
            return at(number, "user \"" + name + "\": a SCRAM secret belongs into the users file");
        }
        return add(std::move(name), *std::move(secret), number);
    }

    std::optional<std::string> add(std::string name, core::SecretBytes secret, std::size_t number) {
        if (passwords_->passwords_.contains(name)) {
            return at(number, "user \"" + name + "\" stands in the file twice; keep one line");
        }
        UpstreamPassword password;
        password.is_md5 = is_md5_secret(core::as_text(secret.reveal()));
        if (!password.is_md5 && is_ascii(core::as_text(secret.reveal()))) {
            password.verifier = verifier_for(secret);
        }
        password.text = std::move(secret);
        passwords_->passwords_.emplace(std::move(name), std::move(password));
        return std::nullopt;
    }

    std::string at(std::size_t number, const std::string& what) const {
        return passwords_->path_ + ":" + std::to_string(number) + ": " + what;
    }

    std::shared_ptr<Passwords> passwords_;
};

const UpstreamPassword* Passwords::find(std::string_view user) const {
    const auto found = passwords_.find(user);
    return found == passwords_.end() ? nullptr : &found->second;
}

PasswordsResult parse_passwords(std::string_view path, std::string_view text) {
    return PasswordsReader(path).read(text);
}

PasswordsResult load_passwords(const std::string& path) {
    const auto file = read_secret_file("passwords file", path);
    if (!file.has_value()) {
        return file.error();
    }
    PasswordsReader reader(path);
    if (!file->warning.empty()) {
        reader.warn(file->warning);
    }
    return reader.read(core::as_text(file->content.reveal()));
}

}  // namespace pgveil::session
