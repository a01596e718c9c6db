#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/share/token.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace pgveil::store {

/// A token that was opened. Holds TKu.
struct OpenedToken {
    share::TokenContents contents;
    std::uint32_t key_id = 0;  ///< of the token key it is sealed to
    share::Digest text{};      ///< SHA-256 of its text form
    /// share::commitment_of() each of contents.groups, in their order.
    std::vector<share::Digest> commitments = {};
    share::TokenScopePtr scope = nullptr;  ///< contents.scope, read; null: not restricted
};

using OpenedTokenPtr = std::shared_ptr<const OpenedToken>;

/// The opened tokens of all sessions, where tokens are opened once and not per request. Each
/// session has a Slot for the one it presents; what a slot holds dies with it.
///
/// It saves the opening and nothing else: who takes a token from here checks it as if it had just
/// been opened. Any thread; a slot belongs to one.
class OpenedTokens {
    struct Place {
        std::mutex mutex;
        OpenedTokenPtr token;
        bool is_over = false;  ///< nobody looks after it any more
    };

public:
    class Slot {
    public:
        Slot() = default;
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;
        Slot(Slot&&) noexcept = default;
        Slot& operator=(Slot&&) noexcept = default;
        ~Slot() = default;

        /// Forgets the token. A request that is being rebuilt from it may still end; then TKu is
        /// wiped.
        void wipe() noexcept;

        /// The session's use of this token is counted (share::TokenScope::uses), until it begins
        /// to use another one that is counted. Not forgotten with the token.
        bool is_counted(const share::Nonce& nonce) const { return counted_ == nonce; }

        void note_counted(const share::Nonce& nonce) { counted_ = nonce; }

    private:
        friend class OpenedTokens;

        std::shared_ptr<Place> place_;
        std::optional<share::Nonce> counted_;
    };

    /// The token of this text, if the slot holds it; else null.
    static OpenedTokenPtr find(const Slot& slot, core::ByteView text);

    /// How often something was wiped because of what the tenant said.
    std::uint64_t wipes() const { return wipes_; }

    /// Keeps the token in the slot, in place of what is there. Not if wipe_of() was called since
    /// wipes() said `wipes_before`: then it was checked against what the tenant has taken back.
    void keep(Slot& slot, OpenedTokenPtr token, std::uint64_t wipes_before);

    /// Wipes the tokens of one user, in every slot.
    void wipe_of(std::string_view user_id);

    /// Wipes all of them, in every slot, and looks after none of these slots any more.
    void wipe_all();

    /// Wipes the tokens that have expired at this time (Unix seconds).
    void wipe_expired(std::int64_t now_s);

private:
    static bool is_over(Place& place);
    template <class Predicate>
    void wipe_if(Predicate is_over);

    std::atomic<std::uint64_t> wipes_ = 0;
    std::mutex mutex_;
    std::vector<std::weak_ptr<Place>> places_;  // of slots that were used, some of them gone
};

}  // namespace pgveil::store
