#pragma once

#include "keyshare/core/secret.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

/// The keys of CRYPTO.md section 1, each a type of its own: 32 bytes of one kind never pass for
/// another.
namespace pgveil::share {

using TenantKey = core::Secret<struct TenantKeyRole>;      ///< TK of one key group
using UserPart = core::Secret<struct UserPartRole>;        ///< TKu
using AppPart = core::Secret<struct AppPartRole>;          ///< TKa
using ProxyPart = core::Secret<struct ProxyPartRole>;      ///< TKp
using ZeroKey = core::Secret<struct ZeroKeyRole>;          ///< opens the ciphertext of "0"
using WrappingKey = core::Secret<struct WrappingKeyRole>;  ///< KEK
using DataKey = core::Secret<struct DataKeyRole>;          ///< DEK
using ProxyContribution = core::Secret<struct ProxyContributionRole>;    ///< r_P of the bootstrap
using TenantContribution = core::Secret<struct TenantContributionRole>;  ///< r_T of the bootstrap

using Digest = std::array<std::uint8_t, 32>;  ///< SHA-256, fingerprint, key check or commitment
using Nonce = std::array<std::uint8_t, 16>;   ///< of a token

/// TK, DEK and share epochs count from here.
inline constexpr std::uint32_t kFirstEpoch = 1;

/// One part of one key group.
template <class Part>
struct GroupPart {
    std::string group;
    Part part;
};

template <class Part>
using GroupParts = std::vector<GroupPart<Part>>;

}  // namespace pgveil::share
