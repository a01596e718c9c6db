#include "keyshare/share/triple.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace pgveil::share {
namespace {

void xor_into(std::span<std::uint8_t, 32> target, std::span<const std::uint8_t, 32> other) {
    for (std::size_t at = 0; at < target.size(); ++at) {
        target[at] = static_cast<std::uint8_t>(target[at] ^ other[at]);
    }
}

}  // namespace

Triple split_keeping(const TenantKey& key, const UserPart& user, core::RandomSource& random) {
    Triple triple{user.duplicate(), core::random_secret<AppPart>(random), ProxyPart()};
    xor_into(triple.proxy.reveal_mutable(), key.reveal());
    xor_into(triple.proxy.reveal_mutable(), triple.user.reveal());
    xor_into(triple.proxy.reveal_mutable(), triple.app.reveal());
    return triple;
}

Triple split(const TenantKey& key, core::RandomSource& random) {
    return split_keeping(key, core::random_secret<UserPart>(random), random);
}

TenantKey combine(const UserPart& user, const AppPart& app, const ProxyPart& proxy) {
    TenantKey key;
    xor_into(key.reveal_mutable(), user.reveal());
    xor_into(key.reveal_mutable(), app.reveal());
    xor_into(key.reveal_mutable(), proxy.reveal());
    return key;
}

}  // namespace pgveil::share
