#pragma once

#include "keyshare/core/jws.hpp"
#include "keyshare/share/proxy_bootstrap.hpp"
#include "keyshare/store/command_book.hpp"
#include "keyshare/store/nonce_book.hpp"
#include "keyshare/store/opened_tokens.hpp"
#include "keyshare/store/pending_locks.hpp"
#include "keyshare/store/proxy_custody.hpp"
#include "keyshare/store/rebuild.hpp"
#include "keyshare/store/records.hpp"
#include "keyshare/store/sealed_store.hpp"
#include "keyshare/store/snapshot.hpp"
#include "keyshare/store/store_watch.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::store {

/// Names of the rows that exist once.
RowName identity_row();
RowName bootstrap_row();
RowName state_row();
RowName token_key_row(std::uint32_t key_id);
RowName receipt_row(std::uint64_t sequence);
RowName spent_token_key_row(std::uint32_t key_id);
/// There while a renewal of the store key is due.
RowName renewal_row();
/// The change that makes it due: whoever opens the store next renews the key.
Change renewal_due();

/// There, with the place as text, when the store has moved: it serves nobody any more.
RowName moved_row();
/// kUnavailable, with what to do, if it has moved.
Result<void> check_not_moved(const SealedStore& store, const std::string& place);
/// Seals claims of tokens in a shared store.
std::shared_ptr<const RowSeal> claim_seal(
    const core::SigningKey& identity, const std::string& tenant
);

/// Opens the store under the key in force, or under the successor of a renewal that was cut short
/// after the store was sealed anew; either way one key is left.
Result<SealedStore> open_under(seal::Seal& seal, const std::filesystem::path& path, bool create);

/// The same for whatever place. A shared store is held against this machine's high-water mark:
/// kBroken if it is older. The seal follows a key that other proxies have renewed.
Result<SealedStore> open_place(seal::Seal& seal, const StorePlace& place, bool create);

/// Puts the store's key into the seal, if another one is there.
Result<void> follow_store_key(seal::Seal& seal, const SealedStore& store);

/// Why a token gives nothing more, and why it gives nothing here.
share::Denial spent(Counted what, std::uint32_t limit);
share::Denial token_taken();
share::Denial token_forgotten();

/// P's identity key in the store.
Result<core::SigningKey> read_identity(const SealedStore& store);

/// A fresh token key with a random id, so that a token for another proxy is named as such.
TokenKeyRecord make_token_key(
    std::int64_t now_s, const TokenLimits& limits, core::RandomSource& random
);

/// share's errors as the store's callers see them.
Error from_share(const share::Error& error);

/// What stands behind ProxyCustody. `writer_` guards store_ and state_; readers use the snapshot
/// alone. Of a shared store, claims of tokens go past `writer_`.
class ProxyCustody::Impl {
public:
    static Result<std::unique_ptr<Impl>> open(
        const CustodyOptions& options, std::unique_ptr<seal::Seal> seal
    );

    share::Verdict<share::RequestKeys> rebuild(
        const share::PresentedShares& presented, std::int64_t now_s, OpenedTokens::Slot& slot
    );

    share::TokenScopePtr scope_of(const share::PresentedShares& presented, std::int64_t now_s)
        const;
    share::Verdict<void> count_statement(const share::RequestKeys& keys);

    /// What the arguments of the SQL call say about the last command of the argument.
    struct Expected {
        std::optional<share::Operation> operation;
        std::string_view user_id;
        const core::SecretBytes* app_share = nullptr;
    };

    Result<std::string> apply(
        std::string_view argument, const Expected& expected, std::int64_t now_s
    );

    Result<std::string> token_key_statement(std::int64_t now_s);
    Result<void> maintain(std::int64_t now_s);

    share::KeyringPtr keyring() const;
    std::vector<share::MirrorRow> mirror_rows() const;
    bool knows_key(std::uint32_t key_id) const;
    Result<MirrorVerdict> check_zero(std::span<const share::MirrorRow> rows);

    std::optional<std::string> bootstrap_verifier() const;
    Result<std::string> bootstrap_call(
        std::string_view step, std::string_view argument, std::int64_t now_s
    );

    Result<void> lock_user(const std::string& user_id, std::int64_t until_s, std::int64_t now_s);
    Result<bool> unlock_user(const std::string& user_id, std::int64_t now_s);
    UserLocks locked_users(std::int64_t now_s) const;

    CustodyReport report() const;

    /// Opened tokens that sessions hold.
    void wipe_opened() { opened_.wipe_all(); }

    /// The other proxies' doings, from the watch's thread: takes over what they have written.
    Result<void> follow();

    std::uint64_t known_version() const { return snapshot_.current()->store_version; }

    void note_trouble(std::string trouble);

    const std::string& tenant() const { return tenant_; }

    const core::SigningKey& identity() const { return identity_; }

private:
    struct Parts {
        CustodyOptions options;
        std::unique_ptr<seal::Seal> seal;
        SealedStore store;
        core::SigningKey identity;
        CustodyState state;
    };

    explicit Impl(Parts parts);

    /// Runs a step that writes, under writer_: on a shared store after taking over what others
    /// wrote, and again if they were faster.
    template <class Step>
    auto in_turn(Step step) -> decltype(step()) {
        if (!store_.is_shared()) {
            return step();
        }
        for (int attempt = 0;; ++attempt) {
            const auto fresh = catch_up();
            if (!fresh.has_value()) {
                return fresh.error();
            }
            auto done = step();
            static_cast<void>(raise_mark());  // maintain() says what is wrong
            if (done.has_value() || done.error().code != ErrorCode::kSuperseded ||
                attempt == kAttemptsMax) {
                return done;
            }
        }
    }

    Result<std::string> apply_all(std::span<const std::string_view> commands, std::int64_t now_s);
    Result<void> look_after(std::int64_t now_s);
    bool is_untidy(std::int64_t now_s) const;
    Result<void> catch_up();
    Result<void> take_over();
    void wipe_changed(const Snapshot& before);
    Result<void> raise_mark();
    Result<void> check_mark() const;
    Result<void> keep_shared_in_order();
    share::Verdict<void> check_freshness() const;
    void seal_claims_apart();
    share::Verdict<void> claim_shared(const Rebuilt& rebuilt, const std::string& login);
    share::Verdict<void> give_shared(const share::Nonce& nonce, Counted what, std::uint32_t limit);
    Result<bool> count_shared(const share::Nonce& nonce, Counted what, std::uint32_t limit);

    std::mutex& claiming(const share::Nonce& nonce) {
        return claiming_[nonce[1] % claiming_.size()];
    }

    Result<void> load();
    Result<void> begin_sharing();
    void start_watch();
    Result<void> load_snapshot();
    void keep_zeros(Snapshot& next) const;
    Result<std::shared_ptr<const User>> load_user(const std::string& user_id) const;
    Result<User::Former> load_former(const std::string& user_id) const;
    Result<share::ProxyBootstrap> load_bootstrap() const;
    std::shared_ptr<Snapshot> copy_snapshot() const;
    Result<void> commit(std::vector<Change> changes, std::shared_ptr<Snapshot> next);

    CommandContext command_context(
        const CustodyState& state, const Snapshot& snapshot, std::int64_t now_s
    ) const;
    Result<share::Command> verify(std::string_view jws) const;
    Result<void> check_arguments(std::string_view jws, const Expected& expected) const;
    Result<std::string> apply_one(
        std::string_view jws, std::int64_t now_s, std::vector<Decided>& batch
    );
    Result<std::string> newest_receipt();
    Result<std::string> repeat_receipt(std::uint64_t sequence, const share::Digest& hash) const;
    Result<void> carry_out(std::vector<Decided> batch);
    std::vector<Change> changes_of(const std::vector<Decided>& batch) const;
    Result<void> forget_password(Snapshot& next, std::vector<Change>& changes) const;
    Result<void> reload_users(const std::vector<Decided>& batch, Snapshot& next) const;
    void write_user(const UserChange& user, std::vector<Change>& changes) const;

    Result<void> forget_former(const std::vector<std::string>& user_ids);
    void end_renewal(const std::string& user_id, std::uint32_t share_epoch);
    Result<void> forget_late_former(std::int64_t now_s);

    Result<UserLocks> load_locks() const;
    Result<void> write_pending_locks();
    Result<void> write_locks(const UserLocks& locks);
    Result<bool> erase_lock(const std::string& user_id);
    Result<void> forget_ended_locks(std::int64_t now_s);
    share::Verdict<void> check_lock(
        const Snapshot& snapshot, const std::string& user_id, std::int64_t now_s
    ) const;

    Result<void> roll_token_keys(std::int64_t now_s);
    bool must_roll_token_keys(const Snapshot& snapshot, std::int64_t now_s) const;
    void destroy_token_keys(Snapshot& next, std::vector<Change>& changes, std::int64_t now_s) const;

    static void make_renewal_due(std::vector<Change>& changes);
    Result<void> renew_store_key();
    /// What was decided is done all the same: where it fails, the next maintain() tries again and
    /// says what is wrong.
    void renew_store_key_soon();
    Result<void> seal_anew();
    Result<void> reseal_shared();
    Result<void> publish_resealed();
    Result<void> settle_successor();
    Result<void> load_claims();
    Result<void> forget_claims(std::int64_t now_s);
    share::Verdict<Rebuilt> rebuild_and_claim(
        const share::PresentedShares& presented,
        std::int64_t now_s,
        const OpenedTokenPtr& opened,
        OpenedTokens::Slot& slot
    );
    share::Verdict<void> claim_token(const Rebuilt& rebuilt, const std::string& login);
    share::Verdict<void> count_use(const Rebuilt& rebuilt, OpenedTokens::Slot& slot);
    share::Verdict<void> give(const share::Nonce& nonce, Counted what, std::uint32_t limit);
    share::Verdict<void> reserve(const share::Nonce& nonce, Counted what, std::uint32_t limit);
    const TokenKeyRecord* usable_token_key(const Snapshot& snapshot, std::int64_t now_s) const;
    bool is_due(const TokenKeyRecord& key, std::int64_t now_s) const;

    Result<std::string> continue_bootstrap(
        std::string_view step, std::string_view argument, std::int64_t now_s
    );
    Result<std::string> step_bootstrap(
        share::ProxyBootstrap& bootstrap,
        std::string_view step,
        std::string_view argument,
        std::int64_t now_s
    );
    Result<std::string> close_bootstrap(
        share::ProxyBootstrap& bootstrap,
        std::string_view step,
        std::string_view argument,
        std::int64_t now_s
    );
    void follow_keyring(Snapshot& next) const;
    bool is_behind(const share::Keyring& keyring, std::span<const share::MirrorRow> rows) const;
    std::string mirror_objection(
        const share::KeyringRow& row, std::span<const share::MirrorRow> rows
    ) const;

    const std::string tenant_;
    const TokenLimits limits_;
    const TokenOpening opening_;
    const core::SigningKey identity_;
    const share::Digest fingerprint_;
    SnapshotCell snapshot_;
    NonceBook nonces_;
    OpenedTokens opened_;
    PendingLocks pending_locks_;

    mutable std::mutex writer_;
    const std::unique_ptr<seal::Seal> seal_;
    bool successor_in_force_ = false;  // the store is sealed under it, the seal does not know yet
    std::int64_t tidied_s_ = 0;
    std::int64_t noted_until_s_ = 0;      // what was forgotten of claims, as it stands on disk
    std::uint64_t mirrored_version_ = 0;  // of the keyring that D was last seen to hold
    SealedStore store_;
    CustodyState state_;

    // Of a shared store.
    static constexpr int kAttemptsMax = 10;
    const std::optional<PostgresqlPlace> place_;
    std::atomic<std::int64_t> seen_ms_ = 0;
    mutable std::mutex trouble_mutex_;
    std::string trouble_;                  // of the watch; empty: none
    std::array<std::mutex, 16> claiming_;  // one first use of a token at a time
    std::uint64_t marked_version_ = 0;     // that stands in the high-water mark
    std::unique_ptr<StoreWatch> watch_;    // last: its thread uses all the others
};

}  // namespace pgveil::store
