#include "proxy/session/users_file.hpp"

#include "keyshare/core/random.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace pgveil::session {

namespace {

// What initdb and ALTER ROLE ... PASSWORD give with PostgreSQL's defaults.
constexpr std::uint32_t kUsualIterations = 4096;
constexpr std::size_t kUsualSaltSize = 16;
constexpr std::string_view kBlanks = " \t\r";

std::string_view without_leading_blanks(std::string_view text) {
    const auto start = text.find_first_not_of(kBlanks);
    return start == std::string_view::npos ? std::string_view() : text.substr(start);
}

/// Takes one `"quoted"` word off the front; `""` inside stands for one quote. In secret memory,
/// because the second word of a line holds a server key.
std::optional<core::SecretBytes> take_quoted(std::string_view& line) {
    line = without_leading_blanks(line);
    if (!line.starts_with('"')) {
        return std::nullopt;
    }
    core::SecretBytes word;
    for (std::size_t at = 1; at < line.size(); ++at) {
        if (line[at] != '"') {
            word.append(core::as_bytes(line.substr(at, 1)));
            continue;
        }
        const bool is_doubled = at + 1 < line.size() && line[at + 1] == '"';
        if (!is_doubled) {
            line.remove_prefix(at + 1);
            return word;
        }
        word.append(core::as_bytes("\""));
        ++at;
    }
    return std::nullopt;
}

char* chunk_text(core::SecretBytes& chunk) {
    // The stream wants characters where the secret holds bytes.
    return static_cast<char*>(static_cast<void*>(chunk.reveal_mutable().data()));
}

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
        line = without_leading_blanks(line);
        if (line.empty() || line.front() == ';' || line.front() == '#') {
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
    struct stat status {};

    std::ifstream file(path, std::ios::binary);
    if (!file || ::stat(path.c_str(), &status) != 0) {
        return UsersError{
            "cannot read users file " + path + ": " + std::generic_category().message(errno)};
    }
    if ((status.st_mode & S_IWOTH) != 0) {
        return UsersError{
            "users file " + path +
            " can be written by everybody; chmod 600 it, then look whether "
            "its lines are yours"};
    }
    constexpr std::size_t kChunkSize = 4096;
    core::SecretBytes chunk(kChunkSize);
    core::SecretBytes content;
    while (file) {
        file.read(chunk_text(chunk), static_cast<std::streamsize>(chunk.size()));
        content.append(chunk.reveal().first(static_cast<std::size_t>(file.gcount())));
    }
    if (file.bad()) {
        return UsersError{
            "cannot read users file " + path + ": " + std::generic_category().message(errno)};
    }
    UsersReader reader(path);
    if ((status.st_mode & S_IROTH) != 0) {
        reader.warn("users file " + path + " can be read by everybody; chmod 600 it");
    }
    return reader.read(core::as_text(content.reveal()));
}

}  // namespace pgveil::session
