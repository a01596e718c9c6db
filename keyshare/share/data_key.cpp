#include "keyshare/share/data_key.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/share/first_row.hpp"
#include "keyshare/share/hierarchy.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::share {
namespace {

std::uint32_t last_epoch(const Keyring& keyring, std::string_view group) {
    std::uint32_t last = 0;
    for (const KeyringRow& row : keyring.rows) {
        last = row.group == group ? std::max(last, row.dek_epoch) : last;
    }
    return last;
}

bool is_above_all(const Keyring& keyring, std::uint32_t key_id) {
    return std::ranges::all_of(keyring.rows, [key_id](const KeyringRow& row) {
        return row.key_id < key_id;
    });
}

}  // namespace

Result<KeyringRow> next_row(
    const Keyring& keyring,
    std::string_view tenant,
    const GroupPart<TenantKey>& key,
    std::uint32_t key_id,
    core::RandomSource& random
) {
    const KeyringRow* live = keyring.live(key.group);
    if (live == nullptr) {
        return Error{ErrorCode::kUnknownGroup, "the keyring has no key of group " + key.group};
    }
    const TenantKeyPlace place{tenant, key.group, live->tk_epoch};
    const TenantKeyBranches branches(key.part);
    if (!core::equal_in_constant_time(branches.key_check(place), live->key_check)) {
        return Error{ErrorCode::kForged, "the tenant key is not that of key group " + key.group};
    }
    const auto data_key = core::random_secret<DataKey>(random);
    KeyringRow row;
    row.group = key.group;
    row.tk_epoch = live->tk_epoch;
    row.dek_epoch = last_epoch(keyring, key.group) + 1;
    row.key_id = key_id;
    row.state = KeyState::kNext;
    row.wrap = wrap_data_key(
        branches.wrapping_key(place), {place, row.dek_epoch, key_id}, data_key, random
    );
    row.key_check = live->key_check;
    row.zero = seal_zero(branches.zero_key(place), place, random);
    return row;
}

bool has_later_row_form(const KeyringRow& row, KeyState state) {
    return row.tk_epoch >= kFirstEpoch && row.dek_epoch > kFirstEpoch && row.key_id != 0 &&
           row.state == state && is_unstamped_row(row);
}

std::string objection_to_next(const Keyring& keyring, const KeyringRow& row) {
    const KeyringRow* live = keyring.live(row.group);
    if (live == nullptr) {
        return "this proxy has no key group " + row.group;
    }
    if (keyring.next(row.group) != nullptr) {
        return "key group " + row.group + " has a next data key already: rotate its data first";
    }
    const bool follows = row.tk_epoch == live->tk_epoch && row.key_check == live->key_check &&
                         row.dek_epoch == last_epoch(keyring, row.group) + 1 &&
                         is_above_all(keyring, row.key_id);
    return follows ? std::string()
                   : "its key does not follow those that this proxy holds of key group " +
                         row.group + ": was it made from an older home?";
}

Result<KeyringRow> successor(const Keyring& keyring, std::string_view group) {
    const KeyringRow* next = keyring.next(group);
    if (next == nullptr) {
        return Error{
            ErrorCode::kInvalidArgument,
            "key group " + std::string(group) + " has no next data key"};
    }
    KeyringRow row = *next;
    row.state = KeyState::kLive;
    row.version = 0;
    row.previous = {};
    return row;
}

std::string objection_to_successor(const Keyring& keyring, const KeyringRow& row) {
    const auto held = successor(keyring, row.group);
    return held.has_value() && *held == row
               ? std::string()
               : "its key is not the next one that this proxy holds of key group " + row.group +
                     ": was it made from an older home?";
}

Keyring with_successor(const Keyring& before, const KeyringRow& row) {
    Keyring next = before;
    next.version = before.version + 1;
    std::erase_if(next.rows, [&](const KeyringRow& one) {
        return one.group == row.group && one.key_id != row.key_id;
    });
    const auto held = std::ranges::find(next.rows, row.key_id, &KeyringRow::key_id);
    core::invariant(held != next.rows.end(), "a row that becomes live was there before");
    *held = row;
    held->version = next.version;
    held->previous = core::sha256(core::as_bytes(serialize(before)));
    return next;
}

}  // namespace pgveil::share
