#pragma once

#include "keyshare/core/hash.hpp"
#include "keyshare/envelope/file_holder.hpp"
#include "keyshare/envelope/header.hpp"
#include "keyshare/envelope/opening.hpp"
#include "keyshare/user/passphrase.hpp"
#include "keyshare/user/terminal.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pgveil::envelope {

/// Whom a person names to have a file opened.
struct HolderArguments {
    std::vector<std::string> directories;
    bool with_password = false;  ///< also where the directories alone would do
    user::SecretSource password;
    user::SecretSource code;

    bool needs_password() const { return with_password || directories.size() < kThreshold; }
};

/// The holders that were named, as one list to ask: directories first, then the password. One
/// thread.
class NamedHolders {
public:
    explicit NamedHolders(const user::Console& console) : console_(console) {}

    /// One that cannot be used is told and passed over: two others may do. Who fell behind in a
    /// renewal catches up.
    void add_directories(const std::vector<std::string>& directories);

    /// The third share, which the first of the directories keeps and hands out: asks for password
    /// and code.
    Result<void> add_password(
        const HolderArguments& arguments, const Header& header, const Opener& opener
    );

    /// Valid as long as this object lives.
    std::vector<Holder*> all() const;

    /// The directories that could not be used.
    const std::vector<std::string>& unusable() const { return unusable_; }

private:
    void catch_up(FileHolder& behind, const quorum::Group& group);
    Result<core::Bytes> handed_out(const Header& header, const Opener& opener);

    const user::Console& console_;
    std::vector<std::unique_ptr<FileHolder>> files_;
    std::unique_ptr<PasswordHolder> password_;
    std::vector<std::string> unusable_;
};

}  // namespace pgveil::envelope
