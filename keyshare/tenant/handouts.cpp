#include "keyshare/tenant/handouts.hpp"

#include "keyshare/core/random.hpp"
#include "keyshare/tenant/calls.hpp"
#include "keyshare/user/private_file.hpp"

#include <cerrno>
#include <sys/stat.h>
#include <system_error>

namespace pgveil::tenant {

namespace {

constexpr std::size_t kHandoutSizeMax = std::size_t{64} * 1024 * 1024;

user::Error is_taken(const std::string& path) {
    return user::unusable(
        path + " exists already and holds something else: move it away, or choose another directory"
    );
}

core::SecretBytes line_of(core::ByteView text) {
    core::SecretBytes line = core::SecretBytes::copy_of(text);
    line.append(core::as_bytes("\n"));
    return line;
}

/// Creates the file, or finds it there with the same content.
Result<void> write_once(const std::string& path, core::ByteView content, user::Audience audience) {
    if (!user::exists(path)) {
        return user::create_file(path, content, audience);
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
        return is_taken(path);
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

Result<void> write_user(
    const UserRecord& user, const std::string& path, const user::UserFileLock& lock
) {
    if (user::exists(path)) {
        if (!holds_key(path, user, lock)) {
            return is_taken(path);
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
    return user::create_file(path, text->reveal(), user::Audience::kOwner);
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

Result<void> write_handouts(
    const UserRecord& user, const HandoutNames& names, const user::UserFileLock& lock
) {
    if (auto written = write_user(user, names.user, lock); !written) {
        return written;
    }
    return write_app_file(user, names);
}

Result<void> write_user_file(
    const UserRecord& user, const HandoutNames& names, const user::UserFileLock& lock
) {
    return write_user(user, names.user, lock);
}

Result<void> write_app_file(const UserRecord& user, const HandoutNames& names) {
    const core::SecretBytes app = line_of(user.app_share.reveal());
    return write_once(names.app, app.reveal(), user::Audience::kOwner);
}

Result<std::vector<std::string>> write_sql(const HomeState& state, const std::string& directory) {
    std::vector<std::string> paths;
    for (const Call& call : calls_for(state)) {
        const std::string path = directory + "/" + sql_file_name(call);
        const std::string text = sql_file(state, call);
        auto written = write_once(path, core::as_bytes(text), user::Audience::kAnybody);
        if (!written) {
            return written.error();
        }
        paths.push_back(path);
    }
    return paths;
}

}  // namespace pgveil::tenant
