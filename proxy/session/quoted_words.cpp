#include "proxy/session/quoted_words.hpp"

#include <cerrno>
#include <fstream>
#include <sys/stat.h>
#include <system_error>

namespace pgveil::session {

namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view without_leading_blanks(std::string_view text) {
    const auto start = text.find_first_not_of(kBlanks);
    return start == std::string_view::npos ? std::string_view() : text.substr(start);
}

char* chunk_text(core::SecretBytes& chunk) {
    // The stream wants characters where the secret holds bytes.
    return static_cast<char*>(static_cast<void*>(chunk.reveal_mutable().data()));
}

std::string unreadable(const std::string& what, const std::string& path) {
    return "cannot read " + what + " " + path + ": " + std::generic_category().message(errno);
}

}  // namespace

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

bool is_without_words(std::string_view line) {
    line = without_leading_blanks(line);
    return line.empty() || line.front() == ';' || line.front() == '#';
}

boost::system::result<SecretFile, std::string> read_secret_file(
    const std::string& what, const std::string& path
) {
    struct stat status {};

    std::ifstream file(path, std::ios::binary);
    if (!file || ::stat(path.c_str(), &status) != 0) {
        return unreadable(what, path);
    }
    if ((status.st_mode & S_IWOTH) != 0) {
        return what + " " + path +
               " can be written by everybody; chmod 600 it, then look whether its lines are yours";
    }
    constexpr std::size_t kChunkSize = 4096;
    core::SecretBytes chunk(kChunkSize);
    SecretFile result;
    while (file) {
        file.read(chunk_text(chunk), static_cast<std::streamsize>(chunk.size()));
        result.content.append(chunk.reveal().first(static_cast<std::size_t>(file.gcount())));
    }
    if (file.bad()) {
        return unreadable(what, path);
    }
    if ((status.st_mode & S_IROTH) != 0) {
        result.warning = what + " " + path + " can be read by everybody; chmod 600 it";
    }
    return result;
}

}  // namespace pgveil::session
