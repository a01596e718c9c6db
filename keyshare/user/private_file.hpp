#pragma once

#include "keyshare/core/descriptor.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/user/error.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace pgveil::user {

/// Who may read a file that is created.
enum class Audience { kOwner /*0600*/, kAnybody /*0644 and the umask*/ };

/// Reads a file that holds a secret. It must be a regular file that belongs to the caller (or root;
/// root reads anybody's) and is closed to group and others; anything else is refused with the chmod
/// that mends it. A file of more than size_max bytes is refused.
Result<core::SecretBytes> read_private_file(const std::string& path, std::size_t size_max);

/// Reads a file that holds nothing secret; the same limit.
Result<std::string> read_public_file(const std::string& path, std::size_t size_max);

/// Creates a file with this content, whole or not at all: it is written beside its name, synced,
/// and then linked to it. Never overwrites: an existing name is refused. A kill leaves at most a
/// `.<name>.new` that the next attempt replaces.
Result<void> create_file(const std::string& path, core::ByteView content, Audience audience);

/// Many files of one directory, created as create_file does it, but synced to the disk all at once.
/// What was added and not finished leaves nothing behind but, after a kill, `.<name>.new`. One
/// thread.
class NewFiles {
public:
    NewFiles() = default;
    NewFiles(const NewFiles&) = delete;
    NewFiles& operator=(const NewFiles&) = delete;
    NewFiles(NewFiles&&) = delete;
    NewFiles& operator=(NewFiles&&) = delete;
    ~NewFiles();

    /// Writes the content beside its name.
    Result<void> add(const std::string& path, core::ByteView content, Audience audience);

    std::size_t size() const { return paths_.size(); }

    /// Syncs what was added and gives each its name; may then be used anew. A name that is taken is
    /// an error, the others are there all the same.
    Result<void> finish();

private:
    core::Descriptor directory_;
    std::vector<std::string> paths_;
};

/// Replaces, or creates, a private file atomically: temporary file beside it, fsync, rename, fsync
/// of the directory. A reader, or a kill at any moment, finds the old or the new content, never a
/// mix. Two processes that replace the same file must exclude each other (lock_directory).
Result<void> replace_private_file(const std::string& path, core::ByteView content);

/// Creates the directory with mode 0700 if it is missing (not its parents); an existing one must
/// belong to the caller and be closed to group and others.
Result<void> make_private_directory(const std::string& path);

/// Takes the directory's lock file for as long as the descriptor lives, or refuses at once because
/// another process holds it. The lock dies with its process.
Result<core::Descriptor> lock_directory(const std::string& path);

bool exists(const std::string& path);

}  // namespace pgveil::user
