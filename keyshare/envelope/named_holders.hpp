#pragma once

#include "keyshare/core/hash.hpp"
#include "keyshare/envelope/custodian_holder.hpp"
#include "keyshare/envelope/file_holder.hpp"
#include "keyshare/envelope/header.hpp"
#include "keyshare/envelope/opening.hpp"
#include "keyshare/envelope/protected_share.hpp"
#include "keyshare/user/passphrase.hpp"
#include "keyshare/user/terminal.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pgveil::envelope {

/// Whom a person names to have a file opened.
struct HolderArguments {
    std::vector<std::string> directories;
    CustodianFiles custodians;   ///< instead of directories and password
    bool with_password = false;  ///< also where the directories alone would do
    user::SecretSource password;
    user::SecretSource code;

    bool needs_password() const {
        return with_password || (!custodians.are_named() && directories.size() < kThreshold);
    }
};

/// What opens the third share, as a person gives it.
Result<Secrets> read_secrets(
    const user::SecretSource& of_password, const user::SecretSource& of_code
);

/// Who asks these holders for this, now: custodians know the name in the certificate; else it is
/// `named`, or the login's.
Result<Opener> opener_for(
    const HolderArguments& arguments, const std::string& named, const std::string& purpose
);

/// The holders that were named, as one list to ask: directories first, then custodians, then the
/// password. One thread.
class NamedHolders {
public:
    explicit NamedHolders(const user::Console& console) : console_(console) {}

    /// All of the below that the arguments ask for.
    Result<void> add(const HolderArguments& arguments, const Header& header, const Opener& opener);

    /// One that cannot be used is told and passed over: two others may do. Who fell behind in a
    /// renewal catches up.
    void add_directories(const std::vector<std::string>& directories);

    /// The members of a group; one whose place is not known is told and passed over.
    Result<void> add_custodians(const CustodianFiles& files);

    /// The third share, which the first of the directories keeps and hands out: asks for password
    /// and code.
    Result<void> add_password(
        const HolderArguments& arguments, const Header& header, const Opener& opener
    );

    /// Valid as long as this object lives.
    std::vector<Holder*> all() const;

    /// The directories and custodians that could not be used.
    const std::vector<std::string>& unusable() const { return unusable_; }

private:
    void catch_up(FileHolder& behind, const quorum::Group& group);
    Result<core::Bytes> handed_out(const Header& header, const Opener& opener);

    const user::Console& console_;
    std::vector<std::unique_ptr<FileHolder>> files_;
    std::vector<std::unique_ptr<CustodianHolder>> custodians_;
    std::unique_ptr<PasswordHolder> password_;
    std::vector<std::string> unusable_;
};

}  // namespace pgveil::envelope
