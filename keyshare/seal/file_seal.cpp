#include "keyshare/seal/file_seal.hpp"

#include "keyshare/core/descriptor.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace pgveil::seal {
namespace {

constexpr std::size_t kKeySize = StoreKey::kSize;
constexpr mode_t kForbiddenBits = S_IRWXG | S_IRWXO | S_IXUSR;

Error failure(const std::filesystem::path& path, std::string_view what) {
    return Error{"store key file " + path.string() + ": " + std::string(what)};
}

Error failure(const std::filesystem::path& path, std::string_view what, int error) {
    return failure(path, std::string(what) + ": " + std::generic_category().message(error));
}

// Why this file is not taken as a store key; empty if it is.
std::string objection(const struct stat& status) {
    if (!S_ISREG(status.st_mode)) {
        return "it is not a regular file";
    }
    if (status.st_uid != ::geteuid()) {
        return "it belongs to another user: give it to the user that runs pgveil (chown)";
    }
    if ((status.st_mode & kForbiddenBits) != 0) {
        return "others may read it: set its mode to 0600 (chmod 600), and if it was exposed have "
               "the store made anew";
    }
    if (static_cast<std::size_t>(status.st_size) != kKeySize) {
        return "it must hold exactly 32 bytes, but has " + std::to_string(status.st_size) +
               ": restore it from its backup";
    }
    return {};
}

// Makes DRAFT with the key, synced.
Result<void> write_draft(const std::filesystem::path& draft, const StoreKey& key) {
    ::unlink(draft.c_str());
    const core::Descriptor file(
        ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)
    );
    if (!file.is_open()) {
        return failure(draft, "cannot be made", errno);
    }
    if (!core::write_all(file.get(), key.reveal()) || ::fsync(file.get()) != 0) {
        const int error = errno;
        ::unlink(draft.c_str());
        return failure(draft, "cannot be written", error);
    }
    return {};
}

Result<void> sync_folder_of(const std::filesystem::path& path) {
    return core::sync_folder(core::folder_of(path))
               ? Result<void>()
               : failure(path, "its folder cannot be synced to disk", errno);
}

// Written beside and linked, so that a crash never leaves half a key under the real name. The link
// fails if another process was faster: then that one's key counts.
Result<void> create(const std::filesystem::path& path, const StoreKey& key) {
    const std::filesystem::path draft = path.string() + ".new";
    auto written = write_draft(draft, key);
    if (!written.has_value()) {
        return written;
    }
    const bool linked = ::link(draft.c_str(), path.c_str()) == 0;
    const int error = errno;
    ::unlink(draft.c_str());
    if (!linked && error != EEXIST) {
        return failure(path, "cannot be made", error);
    }
    return sync_folder_of(path);
}

// The bytes of a key file that has lost its name. A file that may only be read stays as it is.
void wipe_file(const core::Descriptor& file) {
    static constexpr std::array<std::uint8_t, kKeySize> kNothing{};
    if (file.is_open() && core::write_all(file.get(), kNothing)) {
        static_cast<void>(::fsync(file.get()));
    }
}

bool is_missing(const std::filesystem::path& path) {
    struct stat status {};

    return ::lstat(path.c_str(), &status) != 0 && errno == ENOENT;
}

Result<StoreKey> read_key(const std::filesystem::path& path) {
    const core::Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    );
    if (!file.is_open()) {
        if (errno == ENOENT) {
            return failure(
                path,
                "there is none: the store cannot be opened without it; restore it, or order a new "
                "proxy"
            );
        }
        return failure(path, errno == ELOOP ? "it is a symbolic link" : "cannot be opened", errno);
    }

    struct stat status {};

    if (::fstat(file.get(), &status) != 0) {
        return failure(path, "cannot be examined", errno);
    }
    const std::string why_not = objection(status);
    if (!why_not.empty()) {
        return failure(path, why_not);
    }
    StoreKey key;
    if (core::read_up_to(file, key.reveal_mutable()) != static_cast<ssize_t>(kKeySize)) {
        return failure(path, "cannot be read");
    }
    return key;
}

}  // namespace

Result<void> FileSeal::create_if_missing(core::RandomSource& random) {
    return is_missing(path_) ? create(path_, core::random_secret<StoreKey>(random))
                             : Result<void>();
}

Result<void> FileSeal::keep(const StoreKey& key) const {
    return is_missing(path_) ? create(path_, key)
                             : failure(path_, "there is a file of this name: it stays as it is");
}

Result<StoreKey> FileSeal::current() const {
    return read_key(path_);
}

Result<std::optional<StoreKey>> FileSeal::successor() const {
    if (is_missing(next_path())) {
        return std::optional<StoreKey>();
    }
    auto key = read_key(next_path());
    if (!key.has_value()) {
        return key.error();
    }
    return std::optional<StoreKey>(*std::move(key));
}

Result<StoreKey> FileSeal::begin_renewal(core::RandomSource& random) {
    auto key = core::random_secret<StoreKey>(random);
    const auto begun = begin_return(key);
    return begun.has_value() ? Result<StoreKey>(std::move(key)) : begun.error();
}

Result<void> FileSeal::begin_return(const StoreKey& key) {
    const std::filesystem::path draft = next_path().string() + ".new";
    auto written = write_draft(draft, key);
    if (!written.has_value()) {
        return written.error();
    }
    if (::rename(draft.c_str(), next_path().c_str()) != 0) {
        return failure(next_path(), "cannot be made", errno);
    }
    return sync_folder_of(path_);
}

Result<void> FileSeal::finish_renewal() {
    const core::Descriptor former(::open(path_.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    if (::rename(next_path().c_str(), path_.c_str()) != 0) {
        return failure(path_, "cannot be replaced by its successor", errno);
    }
    auto synced = sync_folder_of(path_);
    if (synced.has_value()) {
        wipe_file(former);
    }
    return synced;
}

Result<void> FileSeal::abandon_renewal() {
    {
        const core::Descriptor successor(
            ::open(next_path().c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC)
        );
        wipe_file(successor);
    }
    if (::unlink(next_path().c_str()) != 0 && errno != ENOENT) {
        return failure(next_path(), "cannot be removed", errno);
    }
    return sync_folder_of(path_);
}

}  // namespace pgveil::seal
