#include "keyshare/tenant/home.hpp"

#include "keyshare/core/random.hpp"
#include "keyshare/user/private_file.hpp"

#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace pgveil::tenant {

namespace {

std::string file_of(const std::string& directory) {
    return directory + "/home";
}

}  // namespace

bool Home::is_present(const std::string& directory) {
    return user::exists(file_of(directory));
}

std::size_t Home::room_for(const std::string& directory) {
    return room_for_file(file_of(directory));
}

std::size_t Home::room_for_file(const std::string& file) {
    // A user and his commands take 1.4 KB of the file or more, and 0.7 KB of secret memory.
    std::error_code missing;
    const auto size = std::filesystem::file_size(file, missing);
    return missing ? 0 : static_cast<std::size_t>(size) / 2;
}

Result<Home> Home::prepare(
    std::string directory, HomeState state, const core::SecretBytes& passphrase, unsigned log_n
) {
    auto key = HomeKey::fresh(passphrase, log_n, core::system_random());
    if (!key) {
        return key.error();
    }
    return Home(std::move(directory), std::move(state), std::move(*key), core::Descriptor());
}

Result<Home> Home::open(std::string directory, const core::SecretBytes& passphrase) {
    if (!is_present(directory)) {
        return user::unusable(
            "there is no tenant's home in " + directory +
            ": make one with `pgveil-tenant bootstrap`, or name it with --home"
        );
    }
    if (auto closed = user::make_private_directory(directory); !closed) {
        return closed.error();
    }
    auto lock = user::lock_directory(directory);
    if (!lock) {
        return lock.error();
    }
    const auto file = user::read_private_file(file_of(directory), kSizeMax);
    if (!file) {
        return file.error();
    }
    auto key = HomeKey::of_file(passphrase, file->reveal());
    if (!key) {
        return key.error();
    }
    const auto plain = key->open(file->reveal());
    if (!plain) {
        return plain.error();
    }
    auto state = parse_home_state(plain->reveal());
    if (!state) {
        return state.error();
    }
    return Home(std::move(directory), std::move(*state), std::move(*key), std::move(*lock));
}

Result<void> Home::save() {
    if (auto made = user::make_private_directory(directory_); !made) {
        return made.error();
    }
    if (!lock_.is_open()) {
        auto lock = user::lock_directory(directory_);
        if (!lock) {
            return lock.error();
        }
        lock_ = std::move(*lock);
        if (is_present(directory_)) {
            return user::failed(directory_ + " was made by another process meanwhile: start again");
        }
    }
    const core::SecretBytes plain = serialize(state_);
    return user::replace_private_file(
        file_of(directory_), key_.seal(plain.reveal(), core::system_random())
    );
}

void Home::remove() const {
    ::unlink(file_of(directory_).c_str());
    ::unlink((directory_ + "/lock").c_str());
    ::rmdir(directory_.c_str());
}

}  // namespace pgveil::tenant
