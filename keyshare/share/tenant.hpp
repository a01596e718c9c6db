#pragma once

#include "keyshare/core/hpke.hpp"
#include "keyshare/core/jws.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/share/app_share.hpp"
#include "keyshare/share/command.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/key_kinds.hpp"
#include "keyshare/share/keyring.hpp"
#include "keyshare/share/receipt.hpp"
#include "keyshare/share/token.hpp"
#include "keyshare/share/triple.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What the tenant's program does with its keys. Pure: files, passphrases and prompts are the
/// program's.
namespace pgveil::share {

/// The tenant's own two key pairs: signing (ES256) and sealing (HPKE, receives the hand-over).
struct TenantIdentity {
    core::SigningKey signing;
    core::HpkeKeyPair sealing;

    static TenantIdentity generate();
};

/// Binary form for the tenant's (encrypted) home.
core::SecretBytes serialize(const TenantIdentity& identity);
Result<TenantIdentity> parse_tenant_identity(core::ByteView bytes);
/// SHA-256(LP("pgveil/1 tenant keys", signing point, sealing point)): what the provider may be told
/// beforehand.
Digest fingerprint_of(const core::PublicPoint& signing, const core::PublicPoint& sealing);
Digest fingerprint_of(const TenantIdentity& identity);
/// 64 hexadecimal digits in groups of eight, for people; `parse_fingerprint` ignores case, blanks
/// and colons.
std::string fingerprint_text(const Digest& fingerprint);
Result<Digest> parse_fingerprint(std::string_view text);

/// One group's TK as the tenant keeps it.
struct GroupKey {
    std::string group;
    std::uint32_t tk_epoch;
    TenantKey key;
};

/// What the tenant holds of one proxy: the result of the bootstrap, updated by each receipt.
struct Enrolment {
    std::string tenant;
    core::PublicPoint proxy_identity;  ///< pinned
    std::vector<GroupKey> groups;
    Keyring keyring;
    CommandPublicKey command_key;     ///< for the next command
    ChainHead head;                   ///< of the last command made
    std::uint64_t store_version = 0;  ///< the highest seen in a receipt
};

core::SecretBytes serialize(const Enrolment& enrolment);
Result<Enrolment> parse_enrolment(core::ByteView bytes);
/// Checks that TK of each group fits key check, "0" and wrap of its live keyring row, and of its
/// next one.
Result<void> check_keys(const Enrolment& enrolment);
/// Takes over command key, keyring and store version from a verified receipt. Refuses a keyring or
/// store older than the one known (kOutOfOrder). Repeating a receipt changes nothing.
Result<void> absorb(Enrolment& enrolment, const Receipt& receipt);

/// The three parts of one user in every group granted.
struct UserShares {
    std::string user_id;
    std::uint32_t epoch = 0;       ///< share epoch of TKa and TKp
    std::uint32_t user_epoch = 0;  ///< of TKu: lower than `epoch` once the others were renewed

    struct GroupTriple {
        std::string group;
        Triple triple;
    };

    std::vector<GroupTriple> groups;
};

/// A fresh independent triple per group. `epoch`: 1 for a new user, one more than the last for a
/// user added again. kUnknownGroup if a group is not the tenant's; kInvalidArgument for a bad user
/// id or no group.
Result<UserShares> make_user(
    const Enrolment& enrolment,
    std::string_view user_id,
    const std::vector<std::string>& groups,
    std::uint32_t epoch,
    core::RandomSource& random
);
/// Fresh TKa and TKp beside the TKu that the user has, in every group of his key. `epoch`: higher
/// than any made for him. kUnknownGroup if a group is not the tenant's; kInvalidArgument if the
/// epoch is not higher than the key's.
Result<UserShares> renew_user(
    const Enrolment& enrolment, const UserKey& kept, std::uint32_t epoch, core::RandomSource& random
);
/// The same while TK of one of the groups is renewed: shares of that group give `renewed`.
Result<UserShares> renew_user(
    const Enrolment& enrolment,
    const GroupKey& renewed,
    const UserKey& kept,
    std::uint32_t epoch,
    core::RandomSource& random
);
/// What goes into the user's key file and into A's share table.
UserKey user_key_of(const UserShares& shares, const Enrolment& enrolment);
AppShare app_share_of(const UserShares& shares, const Enrolment& enrolment);

/// When a command was made and until when P may apply it (Unix seconds).
struct CommandTimes {
    std::int64_t issued_at_s;
    std::int64_t expires_at_s;
};

/// The signed add_user (or change_key: the same with the user's next triple); advances
/// `enrolment.head`: store the enrolment before the command leaves the house.
Result<std::string> make_add_user(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    const UserShares& shares,
    CommandTimes times
);
Result<std::string> make_change_key(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    const UserShares& shares,
    CommandTimes times
);
/// The signed renew_shares, with what renew_user made; advances `enrolment.head`. Until its expiry
/// P may hold the former TKp, too.
Result<std::string> make_renew_shares(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    const UserShares& shares,
    CommandTimes times
);

/// A key group to be made, and the id of its first data key: higher than any in the keyring or in a
/// command on its way. Or a group, and the id of its next one.
struct NewGroup {
    std::string name;
    std::uint32_t key_id = 0;
};

/// Makes the group's TK and DEK, keeps TK in `enrolment.groups`, and signs the create_group that
/// gives P the wrap; advances `enrolment.head`. kInvalidArgument for a bad or known name, or if
/// there are kGroupsMax already.
Result<std::string> make_create_group(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    const NewGroup& group,
    CommandTimes times,
    core::RandomSource& random
);
/// Another TK for a group of the tenant: of the next epoch, random. kUnknownGroup if it is none.
Result<GroupKey> next_key(
    const Enrolment& enrolment, std::string_view group, core::RandomSource& random
);

/// The signed new_data_key: a fresh DEK for the group of `row`, wrapped under the tenant's TK, with
/// an id higher than any in the keyring or in a command on its way; advances `enrolment.head`.
/// kUnknownGroup if the group is none of the tenant's; kInvalidArgument if it has a next key.
Result<std::string> make_new_data_key(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    const NewGroup& key,
    CommandTimes times,
    core::RandomSource& random
);
/// The signed retire_data_key: the group's next key is its only one from then on; advances
/// `enrolment.head`. kInvalidArgument if the group has no next key.
Result<std::string> make_retire_data_key(
    Enrolment& enrolment, const TenantIdentity& identity, std::string_view group, CommandTimes times
);

/// What a renew_tk brings of one user.
struct RenewedUser {
    UserRenewal renewal;
    GroupParts<ProxyPart> parts;
};

RenewedUser renewed_user(const Enrolment& enrolment, const UserShares& shares);
/// The signed renew_tk: the group's DEKs, as the enrolment's keyring holds them, wrapped under
/// `renewed`, and the new parts of `users`, who must be all that have the group (in any order);
/// advances `enrolment.head`. The enrolment goes on with the former TK until take_over(). kForged
/// if the enrolment's TK does not open its keyring.
Result<std::string> make_renew_tk(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    const GroupKey& renewed,
    std::vector<RenewedUser> users,
    CommandTimes times,
    core::RandomSource& random
);
/// Puts the renewed TK in the place of the former one, which is wiped.
void take_over(Enrolment& enrolment, GroupKey renewed);

/// The signed withdraw_user, which never expires; advances `enrolment.head`.
Result<std::string> make_withdraw_user(
    Enrolment& enrolment,
    const TenantIdentity& identity,
    std::string_view user_id,
    std::int64_t issued_at_s
);

}  // namespace pgveil::share
