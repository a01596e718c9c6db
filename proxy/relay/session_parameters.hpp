#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/share/challenge.hpp"
#include "keyshare/store/opened_tokens.hpp"
#include "sql/analysis/plan.hpp"

#include <array>
#include <map>
#include <string>
#include <string_view>

namespace pgveil::relay {

inline constexpr std::size_t kSessionParameterCount = 3;

/// One handle for each session parameter, in the order of the enum; empty: not set.
using ShareHandles = std::array<std::string, kSessionParameterCount>;

/// What the session was given as shares, by the handles that stand for them at the server
/// (SQL.md section 7).
///
/// The server keeps the handles and does with them what SET, SET LOCAL, savepoints, rollbacks and
/// RESET do; the secrets stay here. After anything that may have changed them (`touched`), the
/// current handles must be read back before they count again. Belongs to one session.
class SessionParameters {
public:
    explicit SessionParameters(core::RandomSource& random) : random_(&random) {}

    /// Remembers a value and returns the fresh random handle that stands for it. RESET goes back to
    /// what the startup packet said, so a value `from_startup` is never superseded.
    std::string remember(
        analysis::SessionParameter which, core::ByteView value, bool from_startup = false
    );

    /// A value of this size (bytes) may be remembered.
    static bool fits(std::size_t size) { return size <= kValueSizeMax; }

    /// False when so many values are held that superseded ones must be wiped first.
    bool has_room() const { return values_.size() < kValuesMax; }

    /// So many values are held that superseded ones should be wiped between two transactions.
    bool is_crowded() const { return values_.size() >= kValuesMax / 2; }

    /// The current handles as the server reports them; empty: not set. Handles nobody gave out
    /// mean "no share". With `superseded_die` (outside a transaction) all others are wiped.
    void read_back(const ShareHandles& handles, bool superseded_die);

    /// The handles of the last read-back.
    const ShareHandles& in_force() const { return current_; }

    /// Something may have changed the server's values: read them back before the next use.
    void touch() {
        opened_token_.wipe();
        touched_ = true;
        settled_ = false;
    }

    /// The server's values were changed on our own behalf: known now, but not for good.
    void unsettle() { settled_ = false; }

    /// A transaction or savepoint ended, or a statement failed: only matters after touch().
    void touch_if_unsettled() {
        if (!settled_) {
            opened_token_.wipe();
            touched_ = true;
        }
    }

    bool must_read_back() const { return touched_; }

    /// The value now in force, or null.
    const core::SecretBytes* current(analysis::SessionParameter which) const;

    /// What `SHOW` answers for a handle: the user id itself, "(hidden)" for a share, and the empty
    /// string for anything that is no handle of ours.
    std::string shown(std::string_view handle) const;

    /// Wipes token and app share (they have expired); the user id stays.
    void wipe_shares();

    /// Where the token in force is kept open. Whatever may take the token out of force wipes it.
    store::OpenedTokens::Slot& opened_token() { return opened_token_; }

    /// What the session was given for its tokens to answer.
    share::Challenges& challenges() { return challenges_; }

    /// False if no value was ever given.
    bool any() const { return !values_.empty(); }

private:
    static constexpr std::size_t kValueSizeMax = 8192;
    static constexpr std::size_t kValuesMax = 48;

    struct Value {
        analysis::SessionParameter which;
        core::SecretBytes secret;
        bool from_startup = false;
    };

    core::RandomSource* random_;
    std::map<std::string, Value, std::less<>> values_;
    ShareHandles current_;
    store::OpenedTokens::Slot opened_token_;
    share::Challenges challenges_;
    bool touched_ = true;  // a role may bring settings of its own
    bool settled_ = true;  // no change since the last read-back outside a transaction
};

}  // namespace pgveil::relay
