#include "keyshare/user/private_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <span>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace pgveil::user {

namespace {

constexpr mode_t kOthersMask = 077;
constexpr mode_t kOwnerFile = 0600;
constexpr mode_t kPublicFile = 0644;
constexpr mode_t kOwnerDirectory = 0700;

std::string reason() {
    return std::generic_category().message(errno);
}

std::string temporary_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::size_t name = slash == std::string::npos ? 0 : slash + 1;
    return path.substr(0, name) + "." + path.substr(name) + ".new";
}

Result<core::Descriptor> open_to_read(const std::string& path) {
    core::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.is_open()) {
        return unusable(path + " cannot be opened: " + reason());
    }
    return file;
}

Result<void> require_private(const struct stat& status, const std::string& path) {
    const uid_t self = ::geteuid();
    if (self != 0 && status.st_uid != self && status.st_uid != 0) {
        return unusable(path + " belongs to another user: refusing to trust it");
    }
    if ((status.st_mode & kOthersMask) != 0) {
        return unusable(
            path + " is open to group or others: close it with `chmod go= " + path +
            "`, and consider what it holds as seen"
        );
    }
    return {};
}

/// One byte more than a regular file has, to see whether it grew, and at most `size_max` + 1: the
/// limit alone would have hundreds of MiB wiped for a file of one KiB.
std::size_t room_for(const core::Descriptor& file, std::size_t size_max) {
    struct stat status {};

    const bool has_size =
        ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
    return has_size ? std::min(static_cast<std::size_t>(status.st_size), size_max) + 1
                    : size_max + 1;
}

Result<core::SecretBytes> read_limited(
    const core::Descriptor& file, const std::string& path, std::size_t size_max
) {
    const std::size_t room = room_for(file, size_max);
    core::SecretBytes content(room);
    const ssize_t size = core::read_up_to(file, content.reveal_mutable());
    if (size < 0) {
        return unusable(path + " cannot be read: " + reason());
    }
    if (static_cast<std::size_t>(size) > size_max) {
        return unusable(path + " is larger than " + std::to_string(size_max) + " bytes");
    }
    if (static_cast<std::size_t>(size) == room) {
        return unusable(path + " grew while it was read: try again when nobody writes it");
    }
    content.resize_down(static_cast<std::size_t>(size));
    return content;
}

bool sync_file(const std::string& path) {
    const core::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    return file.is_open() && ::fsync(file.get()) == 0;
}

enum class Sync { kNow, kLater };

Result<std::string> write_temporary(
    const std::string& path, core::ByteView content, mode_t mode, Sync sync
) {
    std::string temporary = temporary_of(path);
    ::unlink(temporary.c_str());
    const core::Descriptor file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    );
    if (!file.is_open()) {
        return unusable(temporary + " cannot be created: " + reason());
    }
    if (!core::write_all(file.get(), content) || (sync == Sync::kNow && ::fsync(file.get()) != 0)) {
        const std::string why = reason();
        ::unlink(temporary.c_str());
        return failed(temporary + " cannot be written: " + why);
    }
    return temporary;
}

mode_t mode_of(Audience audience) {
    return audience == Audience::kOwner ? kOwnerFile : kPublicFile;
}

/// The temporary is gone afterwards.
Result<void> give_name(const std::string& temporary, const std::string& path) {
    // link, unlike rename, fails where the name is taken.
    const bool linked = ::link(temporary.c_str(), path.c_str()) == 0;
    const int why = errno;
    ::unlink(temporary.c_str());
    if (!linked) {
        return unusable(
            why == EEXIST ? path + " exists already: move it away, or choose another directory"
                          : path + " cannot be created: " + std::generic_category().message(why)
        );
    }
    return {};
}

Result<void> sync_name(const std::string& path) {
    if (!core::sync_folder(core::folder_of(path))) {
        return failed(path + " may not survive a power cut: its directory cannot be synced");
    }
    return {};
}

}  // namespace

Result<core::SecretBytes> read_private_file(const std::string& path, std::size_t size_max) {
    auto file = open_to_read(path);
    if (!file) {
        return file.error();
    }

    struct stat status {};

    if (::fstat(file->get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return unusable(path + " is not a regular file");
    }
    if (auto closed = require_private(status, path); !closed) {
        return closed.error();
    }
    return read_limited(*file, path, size_max);
}

Result<std::string> read_public_file(const std::string& path, std::size_t size_max) {
    auto file = open_to_read(path);
    if (!file) {
        return file.error();
    }
    auto content = read_limited(*file, path, size_max);
    if (!content) {
        return content.error();
    }
    return std::string(content->reveal().begin(), content->reveal().end());
}

Result<void> create_file(const std::string& path, core::ByteView content, Audience audience) {
    auto temporary = write_temporary(path, content, mode_of(audience), Sync::kNow);
    if (!temporary) {
        return temporary.error();
    }
    if (auto linked = give_name(*temporary, path); !linked) {
        return linked;
    }
    return sync_name(path);
}

NewFiles::~NewFiles() {
    for (const std::string& path : paths_) {
        ::unlink(temporary_of(path).c_str());
    }
}

Result<void> NewFiles::add(const std::string& path, core::ByteView content, Audience audience) {
    if (!directory_.is_open()) {
        // Before the first byte is written: syncfs() tells what went wrong since then.
        directory_ = core::Descriptor(
            ::open(core::folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        );
    }
    const auto temporary = write_temporary(path, content, mode_of(audience), Sync::kLater);
    if (!temporary) {
        return temporary.error();
    }
    paths_.push_back(path);
    return {};
}

Result<void> NewFiles::finish() {
    if (paths_.empty()) {
        return {};
    }
    // One call for many files, but it waits for what other programs wrote, too.
    constexpr std::size_t kFew = 20;
    const bool is_synced =
        paths_.size() <= kFew
            ? std::ranges::all_of(
                  paths_, [](const std::string& path) { return sync_file(temporary_of(path)); }
              )
            : directory_.is_open() && ::syncfs(directory_.get()) == 0;
    if (!is_synced) {
        return failed(core::folder_of(paths_.front()).string() + " cannot be written: " + reason());
    }
    const std::vector<std::string> paths = std::exchange(paths_, {});
    Result<void> outcome;
    for (const std::string& path : paths) {
        if (auto linked = give_name(temporary_of(path), path); !linked) {
            outcome = linked;
        }
    }
    return outcome ? sync_name(paths.front()) : outcome;
}

Result<void> replace_private_file(const std::string& path, core::ByteView content) {
    auto temporary = write_temporary(path, content, kOwnerFile, Sync::kNow);
    if (!temporary) {
        return temporary.error();
    }
    if (::rename(temporary->c_str(), path.c_str()) != 0) {
        return failed(path + " cannot be replaced: " + reason());
    }
    return sync_name(path);
}

Result<void> make_private_directory(const std::string& path) {
    if (::mkdir(path.c_str(), kOwnerDirectory) == 0) {
        core::sync_folder(core::folder_of(path));
        return {};
    }
    if (errno != EEXIST) {
        return unusable(path + " cannot be created: " + reason());
    }

    struct stat status {};

    if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
        return unusable(path + " is not a directory");
    }
    return require_private(status, path);
}

Result<core::Descriptor> lock_directory(const std::string& path) {
    const std::string name = path + "/lock";
    core::Descriptor lock(
        ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kOwnerFile)
    );
    if (!lock.is_open()) {
        return unusable(name + " cannot be opened: " + reason());
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        return failed(path + " is in use by another process: wait until it has finished");
    }
    return lock;
}

bool exists(const std::string& path) {
    struct stat status {};

    return ::lstat(path.c_str(), &status) == 0;
}

}  // namespace pgveil::user
