#pragma once

#include "keyshare/seal/file_seal.hpp"
#include "keyshare/share/tenant.hpp"
#include "keyshare/share/tenant_bootstrap.hpp"
#include "keyshare/share/token_key.hpp"
#include "keyshare/store/proxy_custody.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// A tenant and its proxy on a throwaway store, bootstrapped, with helpers that make what users and
/// applications hold.
namespace pgveil::store::test {

inline constexpr std::int64_t kNow = 1'750'000'000;

/// What one user and the application hold.
struct Holdings {
    share::UserKey user_key;
    share::AppShare app_share;
    std::string command;
};

/// A renew_tk and what comes of it.
struct TkRenewal {
    share::GroupKey key;
    std::vector<Holdings> users;  ///< in the order they were given
    std::string command;
};

class World : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    CustodyOptions options(std::string tenant = "acme") const;

    /// The seal in a file of that name; made if there is none.
    std::unique_ptr<seal::Seal> seal(const char* name = "seal.key") const;

    /// Closes the custody and opens it again from disk.
    void restart();
    /// Gives the mirror rows back as if read from D.
    void read_zero();
    void bootstrap(share::TenantBootstrap& run);

    /// Makes a user's triple and its signed command; does not apply it.
    Holdings make_user(
        std::string_view user_id,
        std::uint32_t epoch = 1,
        const std::vector<std::string>& groups = {"default", "medical"}
    );
    Holdings add_user(std::string_view user_id);
    /// As make_user, for the next triple of a user that has one.
    Holdings make_change(
        std::string_view user_id,
        std::uint32_t epoch,
        const std::vector<std::string>& groups = {"default", "medical"}
    );
    /// Changes the key of a user that is in its first share epoch.
    Holdings change_key(std::string_view user_id);
    /// Fresh shares of the application and the proxy beside the TKu of `held`; does not apply them.
    Holdings make_renewal(
        const Holdings& held, std::uint32_t epoch, std::int64_t until_s = kNow + 600
    );
    /// Applies it, too.
    Holdings renew_shares(const Holdings& held, std::uint32_t epoch);
    /// Another TK for the group, and fresh shares of these users; does not apply it.
    TkRenewal make_tk_renewal(
        std::string_view group, const std::vector<const Holdings*>& users, std::uint32_t epoch
    );
    std::string withdraw(std::string_view user_id);
    share::Receipt receipt_of(std::string_view jws) const;

    share::TokenPublicKey token_key(std::int64_t now_s = kNow);
    core::SecretBytes token(const Holdings& holdings, share::TokenTimes times = {kNow, 60});

    core::SecretBytes app_text(const Holdings& holdings) const {
        return serialize(holdings.app_share);
    }

    /// What the session of `login` presents.
    struct Attempt {
        std::string user_id;
        const core::SecretBytes* token;
        const core::SecretBytes* app_share;
        std::int64_t now_s = kNow;
        std::string login = "clinic";
        bool may_finish = false;
        share::Challenges* challenges = nullptr;
        std::optional<share::Digest> channel = {};
    };

    /// As a session that presents one token after the other: the slot is its own.
    share::Verdict<share::RequestKeys> rebuild(const Attempt& attempt, OpenedTokens::Slot& slot)
        const;
    /// As a session of its own.
    share::Verdict<share::RequestKeys> rebuild(const Attempt& attempt) const;
    /// The kind of the denial; fails the test if keys were given.
    share::DenialKind denial_of(const Attempt& attempt) const;
    /// Whether user_id with a fresh token and the right app share gets keys.
    bool works(const Holdings& holdings);

    std::filesystem::path folder_;
    TokenLimits limits_;  ///< in force from the next restart() on, and so is the next
    TokenOpening opening_ = TokenOpening::kPerRequest;
    share::TenantIdentity identity_ = share::TenantIdentity::generate();
    std::optional<share::Enrolment> enrolment_;
    std::shared_ptr<ProxyCustody> custody_;
};

}  // namespace pgveil::store::test
