#include "keyshare/tenant/handouts.hpp"

#include "keyshare/core/random.hpp"
#include "keyshare/tenant/calls.hpp"
#include "keyshare/user/private_file.hpp"

#include <cerrno>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace pgveil::tenant {

namespace {

constexpr std::size_t kHandoutSizeMax = std::size_t{64} * 1024 * 1024;
constexpr std::size_t kFilesAtOnce = 1000;
constexpr const char* kHoldsSomethingElse = " exists already and holds something else";

user::Error is_taken(const std::string& path, const char* by = " exists already") {
    return user::unusable(path + by + ": move it away, or choose another directory");
}

core::SecretBytes line_of(core::ByteView text) {
    core::SecretBytes line = core::SecretBytes::copy_of(text);
    line.append(core::as_bytes("\n"));
    return line;
}

/// Adds the file, or finds it there with the same content.
Result<void> add_once(
    user::NewFiles& files, const std::string& path, core::ByteView content, user::Audience audience
) {
    if (!user::exists(path)) {
        return files.add(path, content, audience);
    }
    bool is_same = false;
    if (audience == user::Audience::kOwner) {
        const auto present = user::read_private_file(path, kHandoutSizeMax);
        is_same = present && core::equal_in_constant_time(present->reveal(), content);
    } else {
        const auto present = user::read_public_file(path, kHandoutSizeMax);
        is_same = present && *present == core::as_text(content);
    }
    if (!is_same) {
        return is_taken(path, kHoldsSomethingElse);
    }
    return {};
}

/// Whether the file opens under the lock and holds exactly this user's key.
bool holds_key(const std::string& path, const UserRecord& user, const user::UserFileLock& lock) {
    const auto text = user::read_private_file(path, user::kUserFileSizeMax);
    if (!text) {
        return false;
    }
    const auto file = user::UserFile::parse(text->reveal(), path);
    if (!file || file->needs_passphrase() != (lock.passphrase != nullptr)) {
        return false;
    }
    const auto key = file->open(lock.passphrase);
    if (!key) {
        return false;
    }
    const core::SecretBytes found = share::serialize(*key);
    return core::equal_in_constant_time(found.reveal(), user.user_key.reveal());
}

Result<void> add_user_file(
    user::NewFiles& files,
    const UserRecord& user,
    const std::string& path,
    const user::UserFileLock& lock
) {
    if (user::exists(path)) {
        if (!holds_key(path, user, lock)) {
            return is_taken(path, kHoldsSomethingElse);
        }
        return {};
    }
    const auto key = share::parse_user_key(user.user_key.reveal());
    if (!key) {
        return user::failed(
            "the key of " + user.user_id + " does not read: " + key.error().message
        );
    }
    const auto text = user::write_user_file(*key, lock, core::system_random());
    if (!text) {
        return text.error();
    }
    return files.add(path, text->reveal(), user::Audience::kOwner);
}

Result<void> add_app_file(user::NewFiles& files, const UserRecord& user, const std::string& path) {
    const core::SecretBytes app = line_of(user.app_share.reveal());
    return add_once(files, path, app.reveal(), user::Audience::kOwner);
}

}  // namespace

HandoutNames handout_names(const std::string& directory, const std::string& user_id) {
    return {directory + "/" + user_id + ".user", directory + "/" + user_id + ".app"};
}

Result<void> make_out_directory(const std::string& directory) {
    constexpr mode_t kOwnerDirectory = 0700;
    if (::mkdir(directory.c_str(), kOwnerDirectory) != 0 && errno != EEXIST) {
        return user::unusable(
            directory + " cannot be made: " + std::generic_category().message(errno)
        );
    }
    return {};
}

Result<void> require_free(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
        if (user::exists(path)) {
            return is_taken(path);
        }
    }
    return {};
}

Result<core::SecretBytes> passphrase_of_all(const HandoutArguments& arguments) {
    if (!arguments.has_passphrase) {
        return core::SecretBytes();
    }
    return user::read_secret(
        arguments.user_passphrase, "passphrase of all files UID.user", user::Asking::kNew
    );
}

Result<void> write_handouts(
    const std::vector<const UserRecord*>& users,
    const std::string& directory,
    const user::UserFileLock& lock
) {
    user::NewFiles files;
    for (const UserRecord* user : users) {
        const HandoutNames names = handout_names(directory, user->user_id);
        if (auto added = add_user_file(files, *user, names.user, lock); !added) {
            return added;
        }
        if (auto added = add_app_file(files, *user, names.app); !added) {
            return added;
        }
        if (files.size() < kFilesAtOnce) {
            continue;
        }
        if (auto finished = files.finish(); !finished) {
            return finished;
        }
    }
    return files.finish();
}

Result<void> write_user_file(
    const UserRecord& user, const HandoutNames& names, const user::UserFileLock& lock
) {
    user::NewFiles files;
    const auto added = add_user_file(files, user, names.user, lock);
    return added ? files.finish() : added;
}

Result<void> write_app_files(
    const std::vector<const UserRecord*>& users, const std::string& directory
) {
    user::NewFiles files;
    for (const UserRecord* user : users) {
        const HandoutNames names = handout_names(directory, user->user_id);
        if (auto added = add_app_file(files, *user, names.app); !added) {
            return added;
        }
    }
    return files.finish();
}

Result<std::vector<std::string>> write_sql(const HomeState& state, const std::string& directory) {
    user::NewFiles files;
    std::vector<std::string> paths;
    for (const Call& call : calls_for(state)) {
        const std::string path = directory + "/" + sql_file_name(call);
        const std::string text = sql_file(state, call);
        const auto added = add_once(files, path, core::as_bytes(text), user::Audience::kAnybody);
        if (!added) {
            return added.error();
        }
        paths.push_back(path);
    }
    const auto finished = files.finish();
    return finished ? Result<std::vector<std::string>>(std::move(paths)) : finished.error();
}

}  // namespace pgveil::tenant
