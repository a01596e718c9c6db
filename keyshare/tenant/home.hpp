#pragma once

#include "keyshare/core/descriptor.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/tenant/home_file.hpp"
#include "keyshare/tenant/home_state.hpp"
#include "keyshare/user/error.hpp"

#include <string>

namespace pgveil::tenant {

/// A tenant's home: DIR (mode 0700) with `home` (0600, the sealed state) and `lock`. The lock is
/// held as long as the object lives, so that two processes never write one home. One thread.
///
/// Change `state()`, then save() before anything that depends on the change leaves the house.
class Home {
public:
    static constexpr std::size_t kSizeMax = std::size_t{256} * 1024 * 1024;  ///< of the file

    /// A home that is not on disk yet: only the first save() makes directory and file.
    static Result<Home> prepare(
        std::string directory, HomeState state, const core::SecretBytes& passphrase, unsigned log_n
    );

    /// Takes the lock and opens the file. Refuses a home that others may read.
    static Result<Home> open(std::string directory, const core::SecretBytes& passphrase);

    /// Bytes of secret memory that the home in that directory takes when it is open, beyond a few
    /// users; 0 if there is none.
    static std::size_t room_for(const std::string& directory);

    /// The same of one home file, or of a backup.
    static std::size_t room_for_file(const std::string& file);

    /// Whether there is a home file (it may still be in use, or not open).
    static bool is_present(const std::string& directory);

    /// Replaces the file atomically; after a kill at any moment the old or the new state is there.
    Result<void> save();

    /// Takes a home back that was made in this run and must not stay.
    void remove() const;

    const std::string& directory() const { return directory_; }

    HomeState& state() { return state_; }

    const HomeState& state() const { return state_; }

private:
    Home(std::string directory, HomeState initial, HomeKey key, core::Descriptor lock)
        : state_(std::move(initial)),
          directory_(std::move(directory)),
          key_(std::move(key)),
          lock_(std::move(lock)) {}

    HomeState state_;
    std::string directory_;
    HomeKey key_;
    core::Descriptor lock_;
};

}  // namespace pgveil::tenant
