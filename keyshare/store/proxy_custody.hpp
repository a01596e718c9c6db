#pragma once

#include "keyshare/core/secret.hpp"
#include "keyshare/seal/seal.hpp"
#include "keyshare/share/denial.hpp"
#include "keyshare/share/keyring.hpp"
#include "keyshare/share/request_keys.hpp"
#include "keyshare/store/error.hpp"
#include "keyshare/store/limits.hpp"
#include "keyshare/store/opened_tokens.hpp"
#include "keyshare/store/store_place.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::store {

/// Where the custody lives and for whom.
struct CustodyOptions {
    std::filesystem::path path;  ///< the SQLite file
    std::string tenant;
    TokenLimits limits;
    TokenOpening opening = TokenOpening::kPerRequest;
    std::optional<PostgresqlPlace> postgresql = {};  ///< instead of `path`: shared with others

    StorePlace place() const { return {path, postgresql}; }
};

/// What the provider gets from an order, once.
struct Order {
    core::SecretBytes one_time_password;  ///< to show once and hand over out of band
    std::string
        identity_fingerprint;  ///< of P's identity key, for people (share::fingerprint_text)
};

struct OrderOptions {
    std::optional<share::Digest>
        expected_tenant;  ///< share::parse_fingerprint of the tenant's keys, if known
    bool again = false;   ///< replace an order that was not finished (new keys, new password)
};

/// For SHOW STATE and `pgveil check`.
struct CustodyReport {
    bool ordered = false, pinned = false, closed = false;
    std::string tenant_fingerprint;  ///< empty until pinned
    std::string identity_fingerprint;
    std::int64_t pinned_at_s = 0, closed_at_s = 0;
    std::uint64_t store_version = 0, last_sequence = 0;
    std::size_t active_users = 0, withdrawn_users = 0;
    std::size_t renewing_users = 0;  ///< their former shares are still taken, too
    bool zero_read = false;
    bool mirror_behind = false;  ///< D lacks the newest rows of the keyring
    bool locked = false;         ///< the rest is as it was then
    bool renewal_due = false;    ///< the store key still has to be renewed: maintain() says why
};

/// What became of the mirror rows read from D.
struct MirrorVerdict {
    bool accepted = false;  ///< the "0" of every group was taken over: requests can be served
    /// Why not: "missing", "older", "foreign" or "altered", with the group. Empty where nobody
    /// touched the rows: the newest ones were not written yet.
    std::string reason;
    std::vector<share::MirrorRow>
        rewrite;  ///< not accepted: replace the whole table by these, then read it again
};

/// P's custody: identity, token keys, command key, keyring and every user's TKp over the sealed
/// store. All functions may be called from any thread. Readers (rebuild, reports) work on an
/// immutable snapshot that a writer swaps after its transaction: a withdrawn user is refused by the
/// very next rebuild of every thread. TKp rows stay sealed in the snapshot and are opened per
/// request. Times are Unix seconds given by the caller.
///
/// Whenever a secret was deleted that an older copy of the store still holds (withdraw, change_key,
/// the end of a user's renewal, a token key whose time is over, its part of TK), the store key is
/// renewed, everything is sealed anew and the old key is destroyed: older copies of the store open
/// no more.
///
/// On a shared store several of these are one P. What another one has committed is taken over
/// within PostgresqlPlace::max_age_ms, or nothing is served any more (kStoreUnavailable) until the
/// store answers again. The first presentation of a token, and each use that its scope counts, wait
/// for the store.
class ProxyCustody {
public:
    /// The order step: makes store, identity, first token key, command key and one-time password.
    /// kRefused if a tenant is already bootstrapped, or ordered and not `again`.
    static Result<Order> order(
        const CustodyOptions& options,
        seal::Seal& seal,
        const OrderOptions& order,
        std::int64_t now_s
    );
    /// Opens what `order` made, and ends a renewal of the store key that was cut short.
    /// kUnavailable (says: run the order step) if there is nothing; kBroken if it does not open.
    static Result<std::shared_ptr<ProxyCustody>> open(
        const CustodyOptions& options, std::unique_ptr<seal::Seal> seal
    );
    ~ProxyCustody();
    ProxyCustody(const ProxyCustody&) = delete;
    ProxyCustody& operator=(const ProxyCustody&) = delete;

    // ---- each request ----

    /// Opens the token, checks everything, rebuilds TK per group, checks key check and "0", and
    /// gives the request's keys. Nothing is kept after the RequestKeys die, except which login
    /// first used the token's nonce, and that is written down before the keys are given; and with
    /// TokenOpening::kPerToken the opened token, in the session's `slot`: until the session wipes
    /// it, the next call finds it unfit, a command for its user is applied, or maintain() finds it
    /// expired.
    share::Verdict<share::RequestKeys> rebuild(
        const share::PresentedShares& presented, std::int64_t now_s, OpenedTokens::Slot& slot
    ) const;

    /// What the presented token may be used for, for statements that need no keys. Claims and
    /// counts nothing. Null: everything, or the token would give no keys now.
    share::TokenScopePtr scope_of(const share::PresentedShares& presented, std::int64_t now_s)
        const;

    /// Counts a statement that gets `keys`, if their token counts them (share::TokenScope). What
    /// was counted once is never given again, whatever happens to process or machine. Denied:
    /// kTokenSpent if none is left, kStoreUnavailable if it cannot be written down.
    share::Verdict<void> count_statement(const share::RequestKeys& keys) const;

    // ---- locks of users ----

    /// An alarm locks the user: no keys for him before `until_s`, here at once, at the other
    /// proxies of a shared store as a withdrawal, and after a restart. Nothing if he is locked
    /// already. On an error the lock counts here, and maintain() writes it down when it can.
    Result<void> lock_user(const std::string& user_id, std::int64_t until_s, std::int64_t now_s);
    /// Ends it, everywhere. False: he is not locked.
    Result<bool> unlock_user(const std::string& user_id, std::int64_t now_s);
    /// Who is locked, and until when (Unix seconds). Empty while the proxy is locked.
    std::map<std::string, std::int64_t, std::less<>> locked_users(std::int64_t now_s) const;

    /// A data key of this tenant has this id, live or retired. Tells a stored value from bytes that
    /// look like one.
    bool knows_key(std::uint32_t key_id) const;

    /// The keyring now in force; null before the bootstrap is closed.
    share::KeyringPtr keyring() const;

    // ---- SQL calls ----

    /// pgveil.add_user(uid, app_share, command). The last JWS of `command` must be add_user of
    /// `user_id`; a given app_share must fit its commitments. Returns one receipt per JWS, joined
    /// by commas. Commands before a failing one stay applied; a repetition returns the same
    /// receipts.
    Result<std::string> add_user(
        std::string_view user_id,
        const core::SecretBytes* app_share,
        std::string_view command,
        std::int64_t now_s
    );
    /// pgveil.change_key(uid, app_share, command): as add_user, for a user that has shares. The old
    /// triple is forgotten at once.
    Result<std::string> change_key(
        std::string_view user_id,
        const core::SecretBytes* app_share,
        std::string_view command,
        std::int64_t now_s
    );
    /// pgveil.withdraw_user(uid, command).
    Result<std::string> withdraw_user(
        std::string_view user_id, std::string_view command, std::int64_t now_s
    );
    /// pgveil.apply(command): any operations; of renew_shares the former TKp goes when the new
    /// shares first give keys, or when its time is over. "": the newest receipt, or the
    /// bootstrap's.
    Result<std::string> apply(std::string_view command, std::int64_t now_s);
    /// pgveil.token_key(): the signed statement; makes a new token key when the epoch is over.
    Result<std::string> token_key_statement(std::int64_t now_s);
    /// Wipes expired tokens that are kept open, rolls token keys and destroys old ones, forgets
    /// expired nonces and former shares whose deadline has passed, and renews the store key when
    /// that is due, also after a renewal that failed. Cheap when nothing
    /// is due: call about once a second.
    Result<void> maintain(std::int64_t now_s);

    // ---- the home database of D ----

    /// The rows for pgveil.keyring. Empty before the bootstrap is closed.
    std::vector<share::MirrorRow> mirror_rows() const;
    /// Gives back what was read from D. Until it was accepted once per keyring version, rebuild
    /// denies (kZeroNotRead).
    Result<MirrorVerdict> check_zero_from_database(std::span<const share::MirrorRow> rows);

    // ---- bootstrap ----

    /// PostgreSQL's SCRAM-SHA-256 verifier for user "bootstrap" in database "pgveil"; nullopt: no
    /// such login any more. It stays until the first command proves that the tenant holds the close
    /// receipt, so that a lost last answer can be repeated; after the close nothing else is
    /// answered.
    std::optional<std::string> bootstrap_verifier() const;
    /// step: "hello", "contribute", "confirm" or "adopt"; argument and answer are compact JWS. The
    /// same call gets the same answer.
    Result<std::string> bootstrap_call(
        std::string_view step, std::string_view argument, std::int64_t now_s
    );

    CustodyReport report() const;
    const std::string& tenant() const;

    // ---- lock and unlock ----

    /// Closes the store and wipes its key and everything that was opened with it, at the latest
    /// when the calls that are under way return. From then on every request is denied (kLocked),
    /// and whatever else needs the store is kUnavailable. False: that was so already.
    bool lock();
    /// Opens it again with the key that this seal gives; kBroken if it is another proxy's store.
    /// The "0" has to be read from D again. False: it was not locked.
    Result<bool> unlock(std::unique_ptr<seal::Seal> seal);

    /// Signs that the audit log held line `sequence` with this hash (share::AuditHead). Empty while
    /// locked.
    std::string sign_audit_head(
        std::uint64_t sequence, const share::Digest& hash, std::int64_t now_s
    ) const;
    /// The public half of the identity key.
    const core::PublicPoint& identity() const;

private:
    class Impl;
    ProxyCustody(const CustodyOptions& options, std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl() const;

    const CustodyOptions options_;
    const core::PublicPoint identity_;
    mutable std::mutex mutex_;
    std::shared_ptr<Impl> impl_;  // null while locked
    // What is public, as it was when it was locked.
    share::KeyringPtr keyring_;
    CustodyReport report_;
};

}  // namespace pgveil::store
