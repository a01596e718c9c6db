#include "keyshare/store/records.hpp"

#include "keyshare/share/binary_fields.hpp"
#include "keyshare/share/names.hpp"

#include <utility>

namespace pgveil::store {
namespace {

using share::FieldReader;
using share::FieldWriter;

constexpr std::string_view kUserFormat = "pgveil/1 user record";
constexpr std::string_view kFormerFormat = "pgveil/1 former shares";
constexpr std::string_view kTokenKeyFormat = "pgveil/1 token key record";
constexpr std::string_view kSpentFormat = "pgveil/1 spent token key";
constexpr std::string_view kStateFormat = "pgveil/1 custody state";
constexpr std::string_view kReceiptFormat = "pgveil/1 receipt record";
constexpr std::string_view kLockFormat = "pgveil/1 user lock";
constexpr std::string_view kPartsFormat = "pgveil/1 part record";

Error unknown_form(std::string_view what) {
    return Error{
        ErrorCode::kBroken,
        "the share store holds a " + std::string(what) +
            " of a form this program does not know: was it written by a newer version?"};
}

void write_commitments(
    FieldWriter& writer, const std::vector<share::GroupCommitment>& commitments
) {
    writer.u32(static_cast<std::uint32_t>(commitments.size()));
    for (const share::GroupCommitment& one : commitments) {
        writer.text(one.group)
            .u32(one.user_epoch)
            .bytes(one.user)
            .u32(one.app_epoch)
            .bytes(one.app);
    }
}

std::vector<share::GroupCommitment> read_commitments(FieldReader& reader) {
    std::vector<share::GroupCommitment> commitments;
    for (std::uint32_t left = reader.u32(); left > 0 && !reader.failed(); --left) {
        share::GroupCommitment one;
        one.group = reader.group_name();
        one.user_epoch = reader.u32();
        one.user = reader.digest();
        one.app_epoch = reader.u32();
        one.app = reader.digest();
        commitments.push_back(std::move(one));
    }
    return commitments;
}

HpkeKeyPairPtr read_pair(FieldReader& reader) {
    auto pair = core::HpkeKeyPair::from_scalar(reader.secret<core::Scalar>());
    if (!pair.has_value()) {
        reader.fail();
        return nullptr;
    }
    return std::make_shared<const core::HpkeKeyPair>(*std::move(pair));
}

}  // namespace

RowName user_row(std::string_view user_id) {
    return {"user", std::string(user_id)};
}

RowName part_row(std::string_view user_id) {
    return {"part", std::string(user_id)};
}

RowName former_row(std::string_view user_id) {
    return {"former", std::string(user_id)};
}

RowName former_part_row(std::string_view user_id) {
    return {"former_part", std::string(user_id)};
}

RowName lock_row(std::string_view user_id) {
    return {"lock", std::string(user_id)};
}

core::SecretBytes serialize(const UserRecord& record) {
    FieldWriter writer(kUserFormat);
    writer.u32(record.active ? 1 : 0).u32(record.epoch).i64(record.changed_at_s);
    write_commitments(writer, record.commitments);
    return std::move(writer).finish();
}

Result<UserRecord> parse_user_record(core::ByteView bytes) {
    FieldReader reader(bytes, kUserFormat);
    UserRecord record;
    record.active = reader.u32() == 1;
    record.epoch = reader.u32();
    record.changed_at_s = reader.i64();
    record.commitments = read_commitments(reader);
    return reader.ok() ? Result<UserRecord>(std::move(record)) : unknown_form("user");
}

core::SecretBytes serialize(const FormerShares& former) {
    FieldWriter writer(kFormerFormat);
    writer.i64(former.until_s);
    write_commitments(writer, former.commitments);
    return std::move(writer).finish();
}

Result<FormerShares> parse_former_shares(core::ByteView bytes) {
    FieldReader reader(bytes, kFormerFormat);
    FormerShares former;
    former.until_s = reader.i64();
    former.commitments = read_commitments(reader);
    return reader.ok() ? Result<FormerShares>(std::move(former)) : unknown_form("former share");
}

core::SecretBytes serialize_lock(std::int64_t until_s) {
    FieldWriter writer(kLockFormat);
    writer.i64(until_s);
    return std::move(writer).finish();
}

Result<std::int64_t> parse_lock(core::ByteView bytes) {
    FieldReader reader(bytes, kLockFormat);
    const std::int64_t until_s = reader.i64();
    return reader.ok() ? Result<std::int64_t>(until_s) : unknown_form("user lock");
}

core::SecretBytes serialize(const TokenKeyRecord& record) {
    FieldWriter writer(kTokenKeyFormat);
    writer.u32(record.key_id).i64(record.not_before_s).i64(record.not_after_s);
    writer.bytes(record.pair->scalar.reveal());
    return std::move(writer).finish();
}

Result<TokenKeyRecord> parse_token_key(core::ByteView bytes) {
    FieldReader reader(bytes, kTokenKeyFormat);
    TokenKeyRecord record;
    record.key_id = reader.u32();
    record.not_before_s = reader.i64();
    record.not_after_s = reader.i64();
    record.pair = read_pair(reader);
    return reader.ok() ? Result<TokenKeyRecord>(std::move(record)) : unknown_form("token key");
}

core::SecretBytes serialize(const SpentTokenKey& record) {
    FieldWriter writer(kSpentFormat);
    writer.u32(record.key_id).i64(record.destroyed_at_s);
    return std::move(writer).finish();
}

Result<SpentTokenKey> parse_spent_token_key(core::ByteView bytes) {
    FieldReader reader(bytes, kSpentFormat);
    const SpentTokenKey record{reader.u32(), reader.i64()};
    return reader.ok() ? Result<SpentTokenKey>(record) : unknown_form("spent token key");
}

core::SecretBytes serialize(const CustodyState& state) {
    FieldWriter writer(kStateFormat);
    writer.text(state.tenant).u64(state.last_sequence).bytes(state.last_hash);
    writer.text(share::serialize(state.keyring)).u32(state.command_keys_made);
    writer.u32(static_cast<std::uint32_t>(state.command_keys.size()));
    for (const CommandKey& key : state.command_keys) {
        writer.u32(key.key_id).bytes(key.pair->scalar.reveal());
    }
    return std::move(writer).finish();
}

Result<CustodyState> parse_custody_state(core::ByteView bytes) {
    FieldReader reader(bytes, kStateFormat);
    CustodyState state;
    state.tenant = reader.plain_name();
    state.last_sequence = reader.u64();
    state.last_hash = reader.digest();
    auto keyring = share::parse_keyring(reader.text());
    state.command_keys_made = reader.u32();
    for (std::uint32_t left = reader.u32(); left > 0 && !reader.failed(); --left) {
        const std::uint32_t key_id = reader.u32();
        state.command_keys.push_back({key_id, read_pair(reader)});
    }
    if (!reader.ok() || !keyring.has_value()) {
        return unknown_form("state");
    }
    state.keyring = *std::move(keyring);
    return state;
}

core::SecretBytes serialize(const ReceiptRecord& record) {
    FieldWriter writer(kReceiptFormat);
    writer.bytes(record.command_hash).text(record.receipt);
    return std::move(writer).finish();
}

Result<ReceiptRecord> parse_receipt_record(core::ByteView bytes) {
    FieldReader reader(bytes, kReceiptFormat);
    ReceiptRecord record;
    record.command_hash = reader.digest();
    record.receipt = reader.text();
    return reader.ok() ? Result<ReceiptRecord>(std::move(record)) : unknown_form("receipt");
}

core::SecretBytes serialize(const share::GroupParts<share::ProxyPart>& parts) {
    FieldWriter writer(kPartsFormat);
    writer.parts(parts);
    return std::move(writer).finish();
}

Result<share::GroupParts<share::ProxyPart>> parse_parts(core::ByteView bytes) {
    FieldReader reader(bytes, kPartsFormat);
    auto parts = reader.parts<share::ProxyPart>();
    if (!reader.ok()) {
        return unknown_form("proxy share");
    }
    return parts;
}

}  // namespace pgveil::store
