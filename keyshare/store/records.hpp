#pragma once

#include "keyshare/core/hpke.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/share/command.hpp"
#include "keyshare/share/commitment.hpp"
#include "keyshare/share/keyring.hpp"
#include "keyshare/share/token.hpp"
#include "keyshare/store/error.hpp"
#include "keyshare/store/row_seal.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The rows of the custody and their binary forms (docs/FORMATS.md).
namespace pgveil::store {

/// Names of a user's rows.
RowName user_row(std::string_view user_id);
RowName part_row(std::string_view user_id);
RowName former_row(std::string_view user_id);
RowName former_part_row(std::string_view user_id);
RowName lock_row(std::string_view user_id);

using HpkeKeyPairPtr = std::shared_ptr<const core::HpkeKeyPair>;

/// Row "user"/uid: what the tenant said about a user. No secret in it.
struct UserRecord {
    bool active = false;
    std::uint32_t epoch = 0;  ///< share epoch of the last add
    std::int64_t changed_at_s = 0;
    std::vector<share::GroupCommitment> commitments;
};

core::SecretBytes serialize(const UserRecord& record);
Result<UserRecord> parse_user_record(core::ByteView bytes);

/// Row "former"/uid: the shares that a renewal replaces, while P still takes them. No secret in it;
/// their TKp is row "former_part"/uid.
struct FormerShares {
    std::int64_t until_s = 0;  ///< the deadline of the renewal; after it they are not taken
    std::vector<share::GroupCommitment> commitments;
};

core::SecretBytes serialize(const FormerShares& former);
Result<FormerShares> parse_former_shares(core::ByteView bytes);

/// Row "lock"/uid: an alarm has locked the user until then (Unix seconds).
core::SecretBytes serialize_lock(std::int64_t until_s);
Result<std::int64_t> parse_lock(core::ByteView bytes);

/// Row "token_key"/id.
struct TokenKeyRecord {
    std::uint32_t key_id = 0;
    std::int64_t not_before_s = 0;
    std::int64_t not_after_s = 0;
    HpkeKeyPairPtr pair;

    share::TokenPublicKey public_key() const { return {key_id, pair->point}; }
};

core::SecretBytes serialize(const TokenKeyRecord& record);
Result<TokenKeyRecord> parse_token_key(core::ByteView bytes);

/// Row "spent_token_key"/id: that there was one, to tell an old token from a foreign one.
struct SpentTokenKey {
    std::uint32_t key_id = 0;
    std::int64_t destroyed_at_s = 0;
};

core::SecretBytes serialize(const SpentTokenKey& record);
Result<SpentTokenKey> parse_spent_token_key(core::ByteView bytes);

struct CommandKey {
    std::uint32_t key_id = 0;
    HpkeKeyPairPtr pair;

    share::CommandPublicKey public_key() const { return {key_id, pair->point}; }
};

/// Row "custody"/"state".
struct CustodyState {
    std::string tenant;
    std::uint64_t last_sequence = 0;
    share::Digest last_hash{};
    share::Keyring keyring;                ///< version 0 until the bootstrap is closed
    std::vector<CommandKey> command_keys;  ///< oldest first; the last one is what receipts name
    std::uint32_t command_keys_made = 0;
};

core::SecretBytes serialize(const CustodyState& state);
Result<CustodyState> parse_custody_state(core::ByteView bytes);

/// Row "receipt"/sequence number: the answer to repeat.
struct ReceiptRecord {
    share::Digest command_hash{};
    std::string receipt;
};

core::SecretBytes serialize(const ReceiptRecord& record);
Result<ReceiptRecord> parse_receipt_record(core::ByteView bytes);

/// Rows "part"/uid and "former_part"/uid: TKp of every group. The rows that stay sealed in memory.
core::SecretBytes serialize(const share::GroupParts<share::ProxyPart>& parts);
Result<share::GroupParts<share::ProxyPart>> parse_parts(core::ByteView bytes);

}  // namespace pgveil::store
