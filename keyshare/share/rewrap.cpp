#include "keyshare/share/rewrap.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/share/first_row.hpp"
#include "keyshare/share/hierarchy.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::share {
namespace {

std::vector<const KeyringRow*> rows_of(const Keyring& keyring, std::string_view group) {
    std::vector<const KeyringRow*> rows;
    for (const KeyringRow& row : keyring.rows) {
        if (row.group == group) {
            rows.push_back(&row);
        }
    }
    std::ranges::sort(rows, {}, [](const KeyringRow* row) { return row->key_id; });
    return rows;
}

bool is_rewrap_of(const KeyringRow& fresh, const KeyringRow& held) {
    return fresh.key_id == held.key_id && fresh.dek_epoch == held.dek_epoch &&
           fresh.state == held.state && fresh.tk_epoch == held.tk_epoch + 1;
}

}  // namespace

Result<std::vector<KeyringRow>> rewrapped_rows(
    const Keyring& keyring,
    std::string_view tenant,
    const GroupPart<TenantKey>& held,
    const TenantKey& fresh,
    core::RandomSource& random
) {
    const TenantKeyBranches old_key(held.part);
    const TenantKeyBranches new_key(fresh);
    std::vector<KeyringRow> rows;
    for (const KeyringRow* row : rows_of(keyring, held.group)) {
        const TenantKeyPlace before{tenant, row->group, row->tk_epoch};
        const TenantKeyPlace after{tenant, row->group, row->tk_epoch + 1};
        const auto data_key = unwrap_data_key(
            old_key.wrapping_key(before), {before, row->dek_epoch, row->key_id}, row->wrap
        );
        if (!data_key.has_value()) {
            return data_key.error();
        }
        KeyringRow next = *row;
        next.tk_epoch = after.tk_epoch;
        next.wrap = wrap_data_key(
            new_key.wrapping_key(after), {after, row->dek_epoch, row->key_id}, *data_key, random
        );
        next.key_check = new_key.key_check(after);
        next.zero = seal_zero(new_key.zero_key(after), after, random);
        next.version = 0;
        next.previous = {};
        rows.push_back(std::move(next));
    }
    if (rows.empty()) {
        return Error{ErrorCode::kUnknownGroup, "the keyring has no key of group " + held.group};
    }
    return rows;
}

bool has_rewrapped_form(const std::vector<KeyringRow>& rows) {
    if (rows.empty()) {
        return false;
    }
    const KeyringRow& first = rows.front();
    std::uint32_t last_id = 0;
    for (const KeyringRow& row : rows) {
        const bool fits = row.group == first.group && row.tk_epoch == first.tk_epoch &&
                          row.tk_epoch > kFirstEpoch && row.key_check == first.key_check &&
                          row.dek_epoch >= kFirstEpoch && row.key_id > last_id &&
                          is_unstamped_row(row);
        if (!fits) {
            return false;
        }
        last_id = row.key_id;
    }
    return std::ranges::count(rows, KeyState::kLive, &KeyringRow::state) == 1;
}

std::string objection_to_rewrap(const Keyring& keyring, const std::vector<KeyringRow>& rows) {
    const std::string& group = rows.front().group;
    const auto held = rows_of(keyring, group);
    if (held.empty()) {
        return "this proxy has no key group " + group;
    }
    const bool fits =
        std::ranges::equal(rows, held, [](const KeyringRow& fresh, const KeyringRow* row) {
            return is_rewrap_of(fresh, *row);
        });
    return fits ? std::string()
                : "its keys are not those that this proxy holds of key group " + group +
                      ", of the next epoch of TK: was it made from an older home?";
}

Keyring with_rewrapped(const Keyring& before, const std::vector<KeyringRow>& rows) {
    Keyring next = before;
    next.version = before.version + 1;
    const Digest previous = core::sha256(core::as_bytes(serialize(before)));
    for (const KeyringRow& row : rows) {
        const auto held = std::ranges::find(next.rows, row.key_id, &KeyringRow::key_id);
        core::invariant(held != next.rows.end(), "a row that is rewrapped was there before");
        *held = row;
        held->version = next.version;
        held->previous = previous;
    }
    return next;
}

}  // namespace pgveil::share
