#pragma once

#include "keyshare/core/jws.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/share/command.hpp"
#include "keyshare/share/receipt.hpp"
#include "keyshare/store/records.hpp"
#include "keyshare/store/sealed_store.hpp"
#include "keyshare/store/snapshot.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::store {

/// What deciding about a command looks at. Borrowed for the call; under the writer's lock.
struct CommandContext {
    const CustodyState& state;
    const Snapshot& snapshot;
    const core::SigningKey& identity;
    core::RandomSource& random;
    std::int64_t now_s;
    std::int64_t clock_skew_s;
};

/// The shares that a renewal replaces, with their TKp.
struct FormerParts {
    FormerShares shares;
    share::GroupParts<share::ProxyPart> parts;
};

/// What a command makes of one user.
struct UserChange {
    std::string user_id;
    UserRecord record;
    std::optional<share::GroupParts<share::ProxyPart>> parts;  ///< nothing: TKp is deleted
    std::optional<FormerParts> former;                         ///< nothing: none are held
};

/// What a command changes: the new state (its keyring may be the next one), users, and the receipt
/// to give back.
struct CommandEffect {
    CustodyState state;
    std::vector<UserChange> users;  ///< one at most, unless TK of a key group is renewed
    bool forgets = false;           ///< a TKp or a data key that was in the store is deleted
    std::string receipt;
};

/// A command that was decided about.
struct Decided {
    CommandEffect effect;
    share::Digest hash{};  ///< of the command
    share::Operation operation = share::Operation::kAddUser;
    core::Bytes signature = {};  ///< the tenant's, of the command
};

/// Whether a command may be committed together with those before it: all of them give shares to
/// users of their own, and none looks at what the others change.
bool may_join(const std::vector<Decided>& batch, const share::Command& command);

/// Whether a command may come next: kOutOfOrder says what is missing. Not for commands applied
/// already.
Result<void> check_order(const CommandContext& context, const share::Command& command);

/// Decides: applied, expired or refused; all three consume the number and give a receipt. Changes
/// nothing itself.
CommandEffect decide(
    const CommandContext& context, const share::Command& command, const share::Digest& hash
);

/// The command key of that id; nullptr if it was destroyed.
const CommandKey* find_command_key(const CustodyState& state, std::uint32_t key_id);

/// The refusal of a command that is sealed to it then.
Error command_key_destroyed();

/// Adds a fresh command key as the one that receipts name.
void add_command_key(CustodyState& state);

}  // namespace pgveil::store
