#include "keyshare/envelope/access_log.hpp"

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/descriptor.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/user/private_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace pgveil::envelope {

namespace {

constexpr std::size_t kHashText = 2 * core::kSha256Size;
constexpr std::size_t kLineMax = 4096;
constexpr std::size_t kLogMax = std::size_t{1} << 30U;

std::string log_trouble() {
    return std::generic_category().message(errno);
}

std::string hash_of(std::string_view holder, std::string_view before, std::string_view fields) {
    return core::to_hex(core::sha256(core::length_prefixed(
        {core::as_bytes("pgveil/1 envelope log"),
         core::as_bytes(holder),
         core::as_bytes(before),
         core::as_bytes(fields)}
    )));
}

std::string first_hash() {
    return std::string(kHashText, '0');
}

/// Printable ASCII as it is; what is not becomes a question mark, so that no field can look like
/// two.
std::string spoken(std::string text) {
    std::ranges::replace_if(
        text, [](char letter) { return letter < ' ' || letter > '~'; }, '?'
    );
    return text;
}

std::string fields_of(const Access& access) {
    return std::to_string(access.at_s) + "\t" + spoken(access.request) + "\t" +
           spoken(access.requester) + "\t" + spoken(access.purpose) + "\t" + spoken(access.file) +
           "\t" + spoken(access.result);
}

/// What stands in the last bytes of a log: the hash of its last whole line, and how long the log is
/// with whole lines only.
struct End {
    std::string hash = first_hash();
    off_t size = 0;
};

Result<End> end_of(int file, const std::string& path) {
    struct stat status {};

    if (::fstat(file, &status) != 0) {
        return user::failed(path + " cannot be read: " + log_trouble());
    }
    const off_t start = std::max<off_t>(0, status.st_size - static_cast<off_t>(2 * kLineMax));
    std::string tail(static_cast<std::size_t>(status.st_size - start), '\0');
    const ssize_t got = ::pread(file, tail.data(), tail.size(), start);
    if (got != static_cast<ssize_t>(tail.size())) {
        return user::failed(path + " cannot be read: " + log_trouble());
    }
    const std::size_t last = tail.rfind('\n');
    if (last == std::string::npos) {
        return start == 0 ? Result<End>(End{}) : user::failed(path + " is no access log");
    }
    if (last < kHashText) {
        return user::failed(path + " is no access log");
    }
    return End{tail.substr(last - kHashText, kHashText), start + static_cast<off_t>(last) + 1};
}

Result<void> append(int file, const End& end, const std::string& line, const std::string& path) {
    const bool is_written =
        ::ftruncate(file, end.size) == 0 &&
        ::pwrite(file, line.data(), line.size(), end.size) == static_cast<ssize_t>(line.size()) &&
        ::fdatasync(file) == 0;
    if (!is_written) {
        return user::failed(path + " cannot be written: " + log_trouble());
    }
    return {};
}

}  // namespace

Result<void> AccessLog::add(const Access& access) {
    const core::Descriptor file(
        ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)
    );
    if (!file.is_open() || ::flock(file.get(), LOCK_EX) != 0) {
        return user::failed(path_ + " cannot be opened: " + log_trouble());
    }
    const auto end = end_of(file.get(), path_);
    if (!end) {
        return end.error();
    }
    const std::string fields = fields_of(access);
    return append(
        file.get(), *end, fields + "\t" + hash_of(holder_, end->hash, fields) + "\n", path_
    );
}

Result<std::string> AccessLog::verified() const {
    if (!user::exists(path_)) {
        return std::string();
    }
    auto text = user::read_public_file(path_, kLogMax);
    if (!text) {
        return text;
    }
    std::string before = first_hash();
    std::size_t number = 1;
    for (std::size_t at = 0; at < text->size(); ++number) {
        const std::size_t end = text->find('\n', at);
        const std::string_view line = std::string_view(*text).substr(at, end - at);
        const bool has_hash = end != std::string::npos && line.size() > kHashText;
        const std::size_t fields = has_hash ? line.size() - kHashText - 1 : 0;
        const std::string hash = hash_of(holder_, before, line.substr(0, fields));
        if (!has_hash || line[fields] != '\t' || line.substr(fields + 1) != hash) {
            return user::failed(
                path_ + ", line " + std::to_string(number) +
                ": it does not follow from the line before: the log was altered here"
            );
        }
        before = hash;
        at = end + 1;
    }
    return text;
}

}  // namespace pgveil::envelope
