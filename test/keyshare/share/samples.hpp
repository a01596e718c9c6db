#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/share/hierarchy.hpp"
#include "keyshare/share/tenant.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Small ready-made values for the tests of shares.
namespace pgveil::share::samples {

inline constexpr std::string_view kTenant = "acme";
inline constexpr std::int64_t kNow = 1'750'000'000;

/// 32 bytes counting up from `first`.
template <class SecretType>
SecretType counting(std::uint8_t first) {
    SecretType out;
    for (auto& byte : out.reveal_mutable()) {
        byte = first++;
    }
    return out;
}

/// The keyring row of one group, really wrapped under `key`.
inline KeyringRow row_of(std::string_view group, std::uint32_t key_id, const TenantKey& key) {
    core::RandomSource& random = core::system_random();
    const TenantKeyPlace place{kTenant, group, kFirstEpoch};
    KeyringRow row;
    row.group = group;
    row.tk_epoch = kFirstEpoch;
    row.dek_epoch = kFirstEpoch;
    row.key_id = key_id;
    row.wrap = wrap_data_key(
        wrapping_key_of(key, place),
        {place, kFirstEpoch, key_id},
        core::random_secret<DataKey>(random),
        random
    );
    row.key_check = key_check_of(key, place);
    row.zero = seal_zero(zero_key_of(key, place), place, random);
    return row;
}

/// An enrolment as if a bootstrap with groups "default" and "medical" had just ended.
struct Proxy {
    core::SigningKey identity = core::SigningKey::generate();
    core::HpkeKeyPair command_key = core::HpkeKeyPair::generate();
};

inline Enrolment enrol(const Proxy& proxy) {
    std::vector<GroupKey> keys;
    keys.push_back({"default", kFirstEpoch, counting<TenantKey>(1)});
    keys.push_back({"medical", kFirstEpoch, counting<TenantKey>(77)});
    Keyring keyring = with_rows(
        Keyring(), {row_of("default", 1, keys[0].key), row_of("medical", 2, keys[1].key)}
    );
    return Enrolment{
        std::string(kTenant),
        proxy.identity.verifying_key().point(),
        std::move(keys),
        std::move(keyring),
        {1, proxy.command_key.point},
        {0, Digest{9}},
        1};
}

/// `text` with one bit of one byte changed.
inline std::string flip(std::string text, std::size_t byte, unsigned bit) {
    text[byte] = static_cast<char>(static_cast<unsigned char>(text[byte]) ^ (1U << bit));
    return text;
}

}  // namespace pgveil::share::samples
