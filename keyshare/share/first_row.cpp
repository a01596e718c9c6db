#include "keyshare/share/first_row.hpp"

#include "keyshare/core/xaes.hpp"
#include "keyshare/share/hierarchy.hpp"

namespace pgveil::share {

namespace {

constexpr std::size_t kSealedOverhead = core::kXaesNonceSize + core::kXaesTagSize;
constexpr std::size_t kWrapSize = kSealedOverhead + DataKey::kSize;
constexpr std::size_t kZeroSize = kSealedOverhead + 1;

}  // namespace

KeyringRow first_row(
    std::string_view tenant,
    const GroupPart<TenantKey>& group,
    std::uint32_t key_id,
    core::RandomSource& random
) {
    const TenantKeyPlace place{tenant, group.group, kFirstEpoch};
    const auto data_key = core::random_secret<DataKey>(random);
    KeyringRow row;
    row.group = group.group;
    row.tk_epoch = kFirstEpoch;
    row.dek_epoch = kFirstEpoch;
    row.key_id = key_id;
    row.wrap = wrap_data_key(
        wrapping_key_of(group.part, place), {place, kFirstEpoch, key_id}, data_key, random
    );
    row.key_check = key_check_of(group.part, place);
    row.zero = seal_zero(zero_key_of(group.part, place), place, random);
    return row;
}

bool has_first_row_form(const KeyringRow& row) {
    return row.tk_epoch == kFirstEpoch && row.dek_epoch == kFirstEpoch && row.key_id != 0 &&
           row.state == KeyState::kLive && is_unstamped_row(row);
}

bool is_unstamped_row(const KeyringRow& row) {
    return row.wrap.size() == kWrapSize && row.zero.size() == kZeroSize && row.version == 0 &&
           row.previous == Digest{};
}

}  // namespace pgveil::share
