#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hpke.hpp"
#include "keyshare/core/jws.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/share/commitment.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/key_kinds.hpp"
#include "keyshare/share/keyring.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::share {

/// What a command does. Others follow; a name that is not here is refused (kUnsupported).
enum class Operation {
    kAddUser,
    kChangeKey,
    kRenewShares,
    kWithdrawUser,
    kCreateGroup,
    kRenewTk,
    kNewDataKey,
    kRetireDataKey
};
/// "add_user", "change_key", "renew_shares", "withdraw_user", "create_group", "renew_tk",
/// "new_data_key", "retire_data_key".
std::string_view name_of(Operation operation);
/// The operation of that name; nothing for another word.
std::optional<Operation> operation_named(std::string_view name);
/// Whether the operation is about one user and leaves him with shares: a fresh triple, or fresh TKa
/// and TKp beside the TKu he has.
bool makes_shares(Operation operation);
/// Whether the operation is about a key group as a whole and brings rows of its keyring.
bool brings_rows(Operation operation);

/// P's public command key.
struct CommandPublicKey {
    std::uint32_t key_id = 0;
    core::PublicPoint point;

    bool operator==(const CommandPublicKey&) const = default;
};

/// What a renew_tk says of one user who has the group: fresh TKa and TKp in all of his groups.
struct UserRenewal {
    std::string user_id;
    std::uint32_t epoch = 0;                   ///< share epoch of TKa and TKp
    std::vector<GroupCommitment> commitments;  ///< one per group, by name
};

/// One signed order of the tenant to P. Every operation has the same fields; those it does not use
/// are empty.
struct Command {
    std::string tenant;
    Operation operation = Operation::kAddUser;
    std::string user_id;         ///< empty where the operation brings rows
    std::uint32_t epoch = 0;     ///< share epoch of the new parts; 0 where there are none
    std::uint64_t sequence = 0;  ///< 1, 2, 3, ...
    Digest previous{};  ///< SHA-256 of the previous JWS signing input; of the close receipt's for
                        ///< sequence 1
    std::int64_t issued_at_s = 0;
    std::int64_t expires_at_s = 0;  ///< 0: never (withdraw_user only, and always there)
    std::uint32_t command_key_id = 0;
    core::Bytes sealed_parts;                  ///< TKp per group, HPKE to the command key
    std::vector<GroupCommitment> commitments;  ///< one per group, in the order of the sealed parts
    /// create_group: the first row of the new group; renew_tk: all rows of the group, rewrapped;
    /// new_data_key: the next row of the group; retire_data_key: that row, live.
    std::vector<KeyringRow> wraps;
    std::vector<UserRenewal> users;  ///< renew_tk: everybody who has the group, by user id
};

/// Where the tenant's chain stands: what the next command continues. Start: the close receipt
/// (sequence 0).
struct ChainHead {
    std::uint64_t sequence = 0;
    Digest hash{};
};

/// JWS by the tenant's signing key, typ "pgveil-command".
std::string sign_command(const Command& command, const core::SigningKey& tenant_key);
/// Verifies signature and form; nothing about sequence, time or user. kForeign for another
/// tenant's.
Result<Command> verify_command(
    std::string_view jws, const core::VerifyingKey& tenant_key, std::string_view tenant
);
/// HPKE info = LP("pgveil/1 command", tenant, key id), AAD = LP(uid, epoch, sequence).
core::Bytes seal_parts(
    const GroupParts<ProxyPart>& parts, const Command& command, const CommandPublicKey& key
);
Result<GroupParts<ProxyPart>> open_parts(const Command& command, const core::HpkeKeyPair& key);

/// The same for the users of a renew_tk, in their order.
using PartsOfUsers = std::vector<GroupParts<ProxyPart>>;
core::Bytes seal_parts_of_users(
    const PartsOfUsers& parts, const Command& command, const CommandPublicKey& key
);
Result<PartsOfUsers> open_parts_of_users(const Command& command, const core::HpkeKeyPair& key);

/// Most commands that one `command` argument may carry.
inline constexpr std::size_t kCommandsMax = 1000;
/// The `command` argument of the SQL calls: one or several compact JWS, oldest first, separated by
/// one comma. At most kCommandsMax; none may be empty.
Result<std::vector<std::string_view>> split_commands(std::string_view argument);
std::string join_commands(const std::vector<std::string>& commands);

}  // namespace pgveil::share
