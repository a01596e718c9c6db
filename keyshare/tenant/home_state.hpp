#pragma once

#include "keyshare/core/secret.hpp"
#include "keyshare/share/command.hpp"
#include "keyshare/share/receipt.hpp"
#include "keyshare/share/tenant.hpp"
#include "keyshare/user/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::tenant {

using user::Result;

/// What the tenant keeps of one user: TKu always (it can be handed out again), the app share only
/// until the command that announces it has its receipt.
struct UserRecord {
    std::string user_id;
    std::uint32_t epoch = 0;  ///< the highest share epoch ever made; none is made twice
    std::vector<std::string> groups;
    core::SecretBytes user_key;    ///< share::serialize(UserKey), the newest
    core::SecretBytes app_share;   ///< pgva1...., or empty
    core::SecretBytes former_key;  ///< as user_key: in force while a change waits for its receipt
};

/// The share epoch of the kept key; 0 if it does not read.
std::uint32_t share_epoch(const UserRecord& user);

/// The names of the key groups that a kept or former key covers; none if it does not read.
std::vector<std::string> groups_of(core::ByteView user_key);

/// What is known of a command's fate.
enum class Fate : std::uint8_t { kPending = 0, kApplied = 1, kExpired = 2, kRefused = 3 };
std::string_view name_of(Fate fate);  ///< "pending", "applied", "expired", "refused"

struct CommandRecord {
    std::uint64_t sequence = 0;
    share::Operation operation = share::Operation::kAddUser;
    std::string user_id;  ///< empty: it is about a key group
    std::int64_t made_at_s = 0;
    std::string jws;
    Fate fate = Fate::kPending;
    std::string reason;   ///< of a refusal
    std::string receipt;  ///< the verified JWS; empty while pending
};

/// Everything in a tenant's home. Move-only: holds TK and every TKu. One thread.
struct HomeState {
    std::string tenant;
    share::TenantIdentity identity;
    /// share::TenantBootstrap::save() until it is done; later share::TenantAdoption::save() while
    /// another proxy is taken over.
    core::SecretBytes bootstrap;
    std::optional<share::Enrolment> enrolment;  ///< once it is done
    std::string proxy;                          ///< host:port of the bootstrap, for people
    std::int64_t bootstrapped_at_s = 0;
    std::vector<UserRecord> users;
    std::vector<CommandRecord> commands;  ///< by sequence
    /// TK of the key group whose renew_tk waits for its receipt; the enrolment has the former one.
    std::optional<share::GroupKey> next_key;
    /// When the home was restored from a backup; 0 once the proxy's newest receipt showed that it
    /// lacks no command. No command is made before that.
    std::int64_t restored_at_s = 0;
    core::SecretBytes attestation;  ///< serialize(Attestation); empty: no TPM is asked for

    UserRecord* find_user(std::string_view user_id);
    const UserRecord* find_user(std::string_view user_id) const;
    /// The last command about this user; nullptr if there is none.
    const CommandRecord* last_command(std::string_view user_id) const;
    /// Whether the last applied command about this user left him with shares.
    bool is_active(std::string_view user_id) const;
};

/// Binary form, inside the sealed home file (docs/FORMATS.md).
core::SecretBytes serialize(const HomeState& state);
/// Strict. The bytes were authenticated; an error means another version.
Result<HomeState> parse_home_state(core::ByteView bytes);

/// The command itself; nullopt: it is not the tenant's own, or of another version.
std::optional<share::Command> read_command(const HomeState& state, const CommandRecord& command);

/// The row that a create_group or new_data_key brings; nullopt: the command is another one, or not
/// the tenant's own.
std::optional<share::KeyringRow> new_row_of(const HomeState& state, const CommandRecord& command);

/// Whom or what a command is about, for people: the user id, or the key group's name.
std::string subject_of(const HomeState& state, const CommandRecord& command);

/// Whether a fresh proxy is being taken over in the place of a lost one (pgveil-tenant adopt).
bool is_adopting(const HomeState& state);

/// Whether TK of one of these groups is under renewal: nobody's shares of it may change then.
bool is_renewed(const HomeState& state, const std::vector<std::string>& groups);

/// "add pending", "active", "active, change-key expired", ... for lists.
std::string status_of(const HomeState& state, std::string_view user_id);

}  // namespace pgveil::tenant
