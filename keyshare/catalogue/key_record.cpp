#include "keyshare/catalogue/key_record.hpp"

#include "keyshare/core/jws.hpp"
#include "keyshare/share/json_fields.hpp"
#include "keyshare/share/names.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pgveil::catalogue {
namespace {

using share::Json;
using share::JsonReader;

constexpr std::string_view kRecordType = "pgveil-key-record";
constexpr std::size_t kReasonMax = 1000;

Json json_of(const KeyOrder& order) {
    const auto& authority = order.design.authority;
    return Json{
        {"tenant", order.tenant},
        {"label", order.label},
        {"owner", order.owner},
        {"purpose", order.purpose},
        {"kind", name_of(order.design.migration)},
        {"use", name_of(order.design.use)},
        {"algorithm", algorithm_of(order.design.use)},
        {"authority", authority ? authority->key.text() : std::string()},
        {"generated", "TPM2_Create"},
        {"at", order.ordered_at_s},
        {"from", order.period.from_s},
        {"until", order.period.until_s}};
}

std::string payload_of(const KeyRecord& record) {
    return share::write_json(Json{
        {"order", json_of(record.order)},
        {"key", record.point.text()},
        {"made_by", record.made_by.text()},
        {"creation", share::json_bytes(record.creation.statement)},
        {"creation_signature", share::json_bytes(record.creation.signature)},
        {"held_by", record.held_by.text()},
        {"version", record.version},
        {"state", name_of(record.state)},
        {"changed", record.changed_at_s},
        {"reason", record.reason}});
}

share::Error no_record() {
    return {
        share::ErrorCode::kMalformed,
        "the record of a key is not one that this version of pgveil-tenant has written"};
}

std::optional<KeyOrder> read_order(JsonReader& reader) {
    KeyOrder order;
    order.tenant = reader.plain_name("tenant");
    order.label = reader.plain_name("label");
    order.owner = reader.plain_name("owner");
    order.purpose = reader.plain_name("purpose");
    const auto migration = parse_migration(reader.text("kind"));
    const auto use = parse_use(reader.text("use"));
    const std::string authority = reader.text("authority");
    order.ordered_at_s = reader.time("at");
    order.period = {reader.time("from"), reader.time("until")};
    const bool is_controlled = migration == attest::Migration::kControlled;
    if (!reader.ok() || !migration || !use || is_controlled == authority.empty()) {
        return std::nullopt;
    }
    order.design = {*migration, *use, {}};
    if (is_controlled) {
        const auto key = core::PublicPoint::from_text(authority);
        if (!key.has_value()) {
            return std::nullopt;
        }
        order.design.authority =
            attest::MigrationAuthority{*key, attest::migration_purpose(order.tenant)};
    }
    return order;
}

std::optional<KeyRecord> read_record(std::string_view text) {
    JsonReader reader(text);
    JsonReader inner(reader.part("order"));
    auto order = read_order(inner);
    const auto point = reader.point("key");
    const auto made_by = reader.point("made_by");
    const auto held_by = reader.point("held_by");
    if (!order || !point || !made_by || !held_by) {
        return std::nullopt;
    }
    KeyRecord record{*std::move(order), *point, *made_by, {}, *held_by, 1, {}, 0, {}};
    record.creation.statement = reader.bytes("creation");
    const core::Bytes signature = reader.bytes("creation_signature");
    record.version = reader.u64("version");
    const auto state = parse_state(reader.text("state"));
    record.changed_at_s = reader.time("changed");
    record.reason = reader.text("reason");
    if (!reader.ok() || !state || signature.size() != record.creation.signature.size()) {
        return std::nullopt;
    }
    std::ranges::copy(signature, record.creation.signature.begin());
    record.state = *state;
    return record;
}

}  // namespace

std::string_view name_of(attest::Migration migration) {
    switch (migration) {
        case attest::Migration::kNone: return "NMK";
        case attest::Migration::kFree: return "MK";
        case attest::Migration::kControlled: break;
    }
    return "CMK";
}

std::string_view name_of(attest::KeyUse use) {
    return use == attest::KeyUse::kSigning ? "signing" : "encryption";
}

std::string_view algorithm_of(attest::KeyUse use) {
    return use == attest::KeyUse::kSigning ? "ECDSA P-256 SHA-256" : "ECDH P-256";
}

std::optional<attest::Migration> parse_migration(std::string_view name) {
    using attest::Migration;
    for (const Migration one : {Migration::kNone, Migration::kFree, Migration::kControlled}) {
        if (name_of(one) == name) {
            return one;
        }
    }
    return std::nullopt;
}

std::optional<attest::KeyUse> parse_use(std::string_view name) {
    for (const attest::KeyUse one : {attest::KeyUse::kSigning, attest::KeyUse::kAgreement}) {
        if (name_of(one) == name) {
            return one;
        }
    }
    return std::nullopt;
}

attest::Sha256Digest digest_of(const KeyOrder& order) {
    const std::string text = "pgveil/1 key order\n" + share::write_json(json_of(order));
    return core::sha256(core::as_bytes(text));
}

Result<void> check_order(const KeyOrder& order) {
    for (const std::string* name : {&order.tenant, &order.label, &order.owner, &order.purpose}) {
        if (!share::is_plain_name(*name)) {
            return share::Error{
                share::ErrorCode::kInvalidArgument,
                "label, owner and purpose have 1 to 255 bytes, without control characters: \"" +
                    *name + "\" does not"};
        }
    }
    if (order.period.from_s < 0 || order.period.until_s <= order.period.from_s) {
        return share::Error{
            share::ErrorCode::kInvalidArgument,
            "the cryptoperiod ends before it begins: give a later --until"};
    }
    return {};
}

std::string sign_record(const KeyRecord& record, const core::SigningKey& tenant) {
    return core::sign_jws(tenant, kRecordType, core::as_bytes(payload_of(record)));
}

Result<KeyRecord> verify_record(
    std::string_view jws, const core::VerifyingKey& key, std::string_view tenant
) {
    const auto payload = core::verify_jws(key, kRecordType, jws);
    if (!payload.has_value()) {
        return share::Error{
            share::ErrorCode::kForged,
            "the record of a key is not signed by this tenant, or was altered"};
    }
    const std::string_view text = core::as_text(*payload);
    auto record = read_record(text);
    if (!record || payload_of(*record) != text) {
        return no_record();
    }
    if (record->order.tenant != tenant) {
        return share::Error{
            share::ErrorCode::kForeign, "the key is of tenant " + record->order.tenant};
    }
    const auto made = attest::verify_creation(
        record->creation, record->made_by, digest_of(record->order), record->name()
    );
    if (!made.has_value()) {
        return share::Error{
            share::ErrorCode::kForged,
            "key \"" + record->order.label +
                "\" was not made as its record says: " + made.error().message};
    }
    return *std::move(record);
}

Result<KeyRecord> with_state(
    KeyRecord record, KeyState state, std::int64_t now_s, std::string reason
) {
    const KeyState now = state_at(record.state, record.order.period, now_s);
    if (!may_become(now, state)) {
        return share::Error{
            share::ErrorCode::kInvalidArgument,
            "key \"" + record.order.label + "\" is " + std::string(name_of(now)) +
                ", and from there it does not become " + std::string(name_of(state))};
    }
    if (reason.size() > kReasonMax) {
        return share::Error{
            share::ErrorCode::kInvalidArgument, "a reason has at most 1000 bytes: shorten it"};
    }
    record.state = state;
    record.changed_at_s = now_s;
    record.reason = std::move(reason);
    ++record.version;
    return record;
}

Result<void> check_usable(const KeyRecord& record, std::int64_t now_s) {
    const KeyState now = state_at(record.state, record.order.period, now_s);
    if (now == KeyState::kActive) {
        return {};
    }
    const bool is_over = now == KeyState::kDeactivated && record.state != KeyState::kDeactivated;
    return share::Error{
        share::ErrorCode::kExpired,
        "key \"" + record.order.label + "\" is " + std::string(name_of(now)) +
            (is_over ? " because its cryptoperiod is over: order another key"
                     : ": it is not used for anything new")};
}

}  // namespace pgveil::catalogue
