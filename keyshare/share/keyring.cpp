#include "keyshare/share/keyring.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/share/keyring_json.hpp"
#include "keyshare/share/names.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace pgveil::share {
namespace {

constexpr std::string_view kRowType = "pgveil-keyring-row";

Error malformed(std::string what) {
    return Error{ErrorCode::kMalformed, std::move(what)};
}

const KeyringRow* find_in_state(const Keyring& keyring, std::string_view group, KeyState state) {
    const auto found = std::ranges::find_if(keyring.rows, [&](const KeyringRow& row) {
        return row.group == group && row.state == state;
    });
    return found == keyring.rows.end() ? nullptr : &*found;
}

KeyState state_named(JsonReader& reader) {
    const std::string name = reader.text("state");
    for (const KeyState state : {KeyState::kLive, KeyState::kRetired, KeyState::kNext}) {
        if (name == name_of(state)) {
            return state;
        }
    }
    reader.fail();
    return KeyState::kRetired;
}

}  // namespace

std::string_view name_of(KeyState state) {
    switch (state) {
        case KeyState::kLive: return "live";
        case KeyState::kRetired: return "retired";
        case KeyState::kNext: return "next";
    }
    return {};
}

const KeyringRow* Keyring::live(std::string_view group) const {
    return find_in_state(*this, group, KeyState::kLive);
}

const KeyringRow* Keyring::next(std::string_view group) const {
    return find_in_state(*this, group, KeyState::kNext);
}

const KeyringRow* Keyring::find(std::string_view group, std::uint32_t key_id) const {
    const auto found = std::ranges::find_if(rows, [&](const KeyringRow& row) {
        return row.key_id == key_id && row.group == group;
    });
    return found == rows.end() ? nullptr : &*found;
}

Json row_to_json(const KeyringRow& row) {
    return Json{
        {"group", row.group},
        {"tk_epoch", row.tk_epoch},
        {"dek_epoch", row.dek_epoch},
        {"key_id", row.key_id},
        {"state", name_of(row.state)},
        {"wrap", json_bytes(row.wrap)},
        {"key_check", json_digest(row.key_check)},
        {"zero", json_bytes(row.zero)},
        {"version", row.version},
        {"prev", json_digest(row.previous)}};
}

Result<KeyringRow> row_from_json(const Json& value) {
    JsonReader reader(value);
    KeyringRow row;
    row.group = reader.group_name("group");
    row.tk_epoch = reader.u32("tk_epoch");
    row.dek_epoch = reader.u32("dek_epoch");
    row.key_id = reader.u32("key_id");
    row.state = state_named(reader);
    row.wrap = reader.bytes("wrap");
    row.key_check = reader.digest("key_check");
    row.zero = reader.bytes("zero");
    row.version = reader.u64("version");
    row.previous = reader.digest("prev");
    if (!reader.ok()) {
        return malformed("not a keyring row of a form this program knows");
    }
    return row;
}

Json keyring_to_json(const Keyring& keyring) {
    Json rows = Json::array();
    for (const KeyringRow& row : keyring.rows) {
        rows.push_back(row_to_json(row));
    }
    return Json{{"version", keyring.version}, {"rows", std::move(rows)}};
}

Result<Keyring> keyring_from_json(const Json& value) {
    JsonReader reader(value);
    Keyring keyring;
    keyring.version = reader.u64("version");
    for (const Json& one : reader.part("rows")) {
        auto row = row_from_json(one);
        if (!row.has_value()) {
            return row.error();
        }
        keyring.rows.push_back(*std::move(row));
    }
    if (!reader.ok()) {
        return malformed("not a keyring of a form this program knows");
    }
    const auto checked = check_rows(keyring);
    if (!checked.has_value()) {
        return checked.error();
    }
    return keyring;
}

std::string serialize(const KeyringRow& row) {
    return write_json(row_to_json(row));
}

std::string serialize(const Keyring& keyring) {
    return write_json(keyring_to_json(keyring));
}

Result<KeyringRow> parse_keyring_row(std::string_view json) {
    auto row = row_from_json(JsonReader(json).whole());
    if (row.has_value() && serialize(*row) != json) {
        return malformed("a keyring row that is not in its one canonical form");
    }
    return row;
}

Result<Keyring> parse_keyring(std::string_view json) {
    auto keyring = keyring_from_json(JsonReader(json).whole());
    if (keyring.has_value() && serialize(*keyring) != json) {
        return malformed("a keyring that is not in its one canonical form");
    }
    return keyring;
}

Result<void> check_rows(const Keyring& keyring) {
    std::set<std::uint32_t> key_ids;
    std::set<std::string_view> live_groups;
    std::set<std::string_view> next_groups;
    for (const KeyringRow& row : keyring.rows) {
        if (row.key_id == 0 || !key_ids.insert(row.key_id).second) {
            return malformed(
                "the keyring uses key id " + std::to_string(row.key_id) + " twice, or it is 0"
            );
        }
        if (row.state == KeyState::kLive && !live_groups.insert(row.group).second) {
            return malformed("key group " + row.group + " has two live keys");
        }
        const bool is_next = row.state == KeyState::kNext;
        if (is_next &&
            (!next_groups.insert(row.group).second || keyring.live(row.group) == nullptr)) {
            return malformed("key group " + row.group + " has two next keys, or no live one");
        }
        if (row.version < 1 || row.version > keyring.version) {
            return malformed("a keyring row is newer than its keyring");
        }
    }
    if (live_groups.size() > kGroupsMax) {
        return malformed("the keyring has too many groups");
    }
    return {};
}

Keyring with_rows(const Keyring& before, std::vector<KeyringRow> added) {
    Keyring next = before;
    next.version = before.version + 1;
    const Digest previous =
        before.version == 0 ? Digest{} : core::sha256(core::as_bytes(serialize(before)));
    for (KeyringRow& row : added) {
        row.version = next.version;
        row.previous = previous;
        next.rows.push_back(std::move(row));
    }
    return next;
}

std::vector<MirrorRow> make_mirror(
    const Keyring& keyring, std::string_view tenant, const core::SigningKey& identity
) {
    std::vector<MirrorRow> mirror;
    for (const KeyringRow& row : keyring.rows) {
        const std::string payload = write_json(Json{{"tenant", tenant}, {"row", row_to_json(row)}});
        mirror.push_back(
            {row.group,
             row.key_id,
             row.version,
             core::sign_jws(identity, kRowType, core::as_bytes(payload))}
        );
    }
    return mirror;
}

Result<KeyringRow> open_mirror_row(
    const MirrorRow& row, std::string_view tenant, const core::VerifyingKey& identity
) {
    const auto payload = core::verify_jws(identity, kRowType, row.row);
    if (!payload.has_value()) {
        return Error{
            ErrorCode::kForged,
            "keyring row " + std::to_string(row.key_id) + " of group " + row.group +
                " in the database does not carry this proxy's signature"};
    }
    JsonReader reader(core::as_text(*payload));
    const std::string named_tenant = reader.text("tenant");
    auto opened = row_from_json(reader.part("row"));
    if (!reader.ok() || !opened.has_value()) {
        return malformed("a keyring row in the database has a form this program does not know");
    }
    if (named_tenant != tenant) {
        return Error{
            ErrorCode::kForeign, "a keyring row in the database is of tenant " + named_tenant};
    }
    if (opened->group != row.group || opened->key_id != row.key_id ||
        opened->version != row.version) {
        return Error{
            ErrorCode::kForged,
            "a keyring row in the database does not say what its signed part says (group " +
                opened->group + ")"};
    }
    return opened;
}

}  // namespace pgveil::share
