#include "keyshare/envelope/files.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace pgveil::envelope {

namespace {

constexpr mode_t kOwnerMode = 0600;
constexpr mode_t kAnybodyMode = 0644;

std::string why() {
    return std::generic_category().message(errno);
}

/// Another one for each process, so that two that write one name do not mix.
std::string temporary_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::size_t name = slash == std::string::npos ? 0 : slash + 1;
    return path.substr(0, name) + "." + path.substr(name) + "." + std::to_string(::getpid()) +
           ".new";
}

Result<void> write_all(int descriptor, core::ByteView bytes, const std::string& name) {
    if (!core::write_all(descriptor, bytes)) {
        return user::failed(name + " cannot be written: " + why());
    }
    return {};
}

user::Error taken(const std::string& path) {
    return user::unusable(
        path + " exists already: choose another name with --out, or replace it with --force"
    );
}

class StandardOutput final : public Output {
public:
    Result<void> write(core::ByteView bytes) override {
        return write_all(STDOUT_FILENO, bytes, "standard output");
    }

    Result<void> finish() override { return {}; }
};

/// A file without a name, or, where the file system has none of that kind, with a temporary one.
struct Unfinished {
    core::Descriptor file;
    std::string temporary;  ///< empty: it has no name
};

Result<Unfinished> start_file(const std::string& path, mode_t mode) {
    Unfinished started;
    started.file = core::Descriptor(
        ::open(core::folder_of(path).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode)
    );
    if (started.file.is_open()) {
        return started;
    }
    started.temporary = temporary_of(path);
    ::unlink(started.temporary.c_str());
    started.file = core::Descriptor(::open(
        started.temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode
    ));
    if (!started.file.is_open()) {
        return user::unusable(path + " cannot be created: " + why());
    }
    return started;
}

class NewFile final : public Output {
public:
    NewFile(Unfinished started, std::string path, Existing existing)
        : file_(std::move(started.file)),
          path_(std::move(path)),
          temporary_(std::move(started.temporary)),
          existing_(existing) {}

    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    NewFile(NewFile&&) = delete;
    NewFile& operator=(NewFile&&) = delete;

    ~NewFile() override {
        if (!temporary_.empty()) {
            ::unlink(temporary_.c_str());
        }
    }

    Result<void> write(core::ByteView bytes) override {
        return write_all(file_.get(), bytes, path_);
    }

    Result<void> finish() override {
        if (::fsync(file_.get()) != 0) {
            return user::failed(path_ + " cannot be written: " + why());
        }
        if (auto named = existing_ == Existing::kReplace ? replace() : create(); !named) {
            return named;
        }
        if (!core::sync_folder(core::folder_of(path_))) {
            return user::failed(
                path_ + " may not survive a power cut: its directory cannot be synced"
            );
        }
        return {};
    }

private:
    bool link_to(const std::string& name) const {
        // A file without a name gets one through /proc: open(2), O_TMPFILE.
        const std::string from =
            temporary_.empty() ? "/proc/self/fd/" + std::to_string(file_.get()) : temporary_;
        return ::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
    }

    // link, unlike rename, fails where the name was taken meanwhile.
    Result<void> create() {
        if (link_to(path_)) {
            return {};
        }
        return errno == EEXIST ? taken(path_)
                               : user::failed(path_ + " cannot be created: " + why());
    }

    Result<void> replace() {
        if (temporary_.empty()) {
            const std::string name = temporary_of(path_);
            ::unlink(name.c_str());
            if (!link_to(name)) {
                return user::failed(path_ + " cannot be created: " + why());
            }
            temporary_ = name;
        }
        if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
            return user::failed(path_ + " cannot be replaced: " + why());
        }
        temporary_.clear();
        return {};
    }

    core::Descriptor file_;
    std::string path_;
    std::string temporary_;  ///< empty: there is none
    Existing existing_;
};

}  // namespace

Result<std::unique_ptr<FileSource>> FileSource::open(const std::string& path) {
    if (path == kStandardStream) {
        // A copy, because the object closes what it holds.
        core::Descriptor input(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
        if (!input.is_open()) {
            return user::unusable("standard input is not open");
        }
        return std::unique_ptr<FileSource>(new FileSource(std::move(input), "standard input"));
    }
    core::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) {
        return user::unusable(path + " cannot be opened: " + why());
    }
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    return std::unique_ptr<FileSource>(new FileSource(std::move(file), path));
}

Result<std::size_t> FileSource::read(core::MutableByteView out) {
    const ssize_t size = core::read_up_to(file_, out);
    if (size < 0) {
        return user::failed(name_ + " cannot be read: " + why());
    }
    return static_cast<std::size_t>(size);
}

Result<std::unique_ptr<Output>> open_output(
    const std::string& path, user::Audience audience, Existing existing
) {
    if (path == kStandardStream) {
        if (::isatty(STDOUT_FILENO) != 0) {
            return user::unusable(
                "standard output is a terminal: name a file with --out, or send it into a pipe"
            );
        }
        return std::make_unique<StandardOutput>();
    }
    if (existing == Existing::kKeep && user::exists(path)) {
        return taken(path);
    }
    const mode_t mode = audience == user::Audience::kOwner ? kOwnerMode : kAnybodyMode;
    auto started = start_file(path, mode);
    if (!started) {
        return started.error();
    }
    return std::make_unique<NewFile>(*std::move(started), path, existing);
}

}  // namespace pgveil::envelope
