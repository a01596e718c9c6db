#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/custodian/group_policy.hpp"
#include "keyshare/custodian/refusal.hpp"
#include "keyshare/quorum/group.hpp"
#include "keyshare/store/sealed_store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The rows of a custodian's store and their forms (docs/FORMATS.md). Sessions and group ids are
/// base64url everywhere outside the library.
namespace pgveil::custodian {

/// Row "member"/session: this custodian's fresh key for one run, and what it said about it.
struct MemberRecord {
    std::string statement;
    quorum::MemberKey key;
};

enum class RunState { kRunning, kDone, kFailed, kAbandoned };

/// Row "run"/session. No secret in it.
struct RunRecord {
    std::string session;
    std::string kind;   ///< "generate" or "reshare"
    std::string setup;  ///< the request that began it, in one form: a repeated one must be equal
    std::string policy;
    std::vector<std::string> names;  ///< of the members, in their order
    std::uint32_t index = 0;         ///< this custodian's among them; 0: none of them
    std::uint32_t from_index = 0;  ///< in the group that a reshare starts from; 0: no member of it
    RunState state = RunState::kRunning;
    core::Bytes run;  ///< quorum's state, while it runs
    /// What this member has said in each round so far; what comes again is the same.
    std::vector<core::Bytes> sent;
    std::vector<std::uint32_t> dealers;  ///< of a reshare: whose dealings all new members use
    std::vector<core::Bytes> dealings;   ///< of a reshare, by the dealer's index; empty: not here
    std::string group;                   ///< when done
    Refusal failure;                     ///< when failed
};

/// Row "group"/id. No secret in it.
struct GroupRecord {
    quorum::Group group;
    std::uint32_t index = 0;  ///< this custodian's
    std::vector<std::string> names;
    GroupPolicy policy;
    core::Bytes certificate;
    bool is_reshared = false;  ///< the certificate is one of a reshare
    core::Bytes shredded;      ///< quorum::shred()'s statement; empty: live
    std::int64_t made_at_s = 0;
};

/// The highest version of a proxy's share store that was reported: row "version"/group/store.
store::RowName version_row(const std::string& group, const std::string& store);

/// The clock of an asker's TPM when its evidence was last believed: row "clock"/group/key.
store::RowName clock_row(const std::string& group, const core::PublicPoint& attestation_key);

/// A group and, while it is live, row "share"/id: this custodian's share and member key.
struct Holding {
    GroupRecord record;
    std::optional<quorum::KeyShare> share;
    std::optional<quorum::MemberKey> key;

    bool is_live() const { return share.has_value() && key.has_value(); }
};

std::string id_of(const quorum::Group& group);

store::RowName identity_row();
/// Where the log stood at the last change.
store::RowName log_row();
store::RowName member_row(const std::string& session);
store::RowName run_row(const std::string& session);
store::RowName group_row(const std::string& id);
store::RowName share_row(const std::string& id);
/// How the group went on from this epoch.
store::RowName next_row(const std::string& id, std::uint32_t epoch);

// Parsing: empty for anything that the other function does not write.
core::SecretBytes serialize(const MemberRecord& record);
std::optional<MemberRecord> parse_member(core::ByteView bytes);
core::SecretBytes serialize(const RunRecord& record);
std::optional<RunRecord> parse_run(core::ByteView bytes);
core::SecretBytes serialize(const GroupRecord& record);
std::optional<GroupRecord> parse_group_record(core::ByteView bytes);
/// Of a live holding (invariant).
core::SecretBytes serialize_share(const Holding& holding);
/// False when it is none, or not of this group.
bool take_share(core::ByteView bytes, Holding& holding);

}  // namespace pgveil::custodian
