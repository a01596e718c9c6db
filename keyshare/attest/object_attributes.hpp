#pragma once

#include <cstdint>

// TPM_ALG_ID, TPM_ECC_CURVE and TPMA_OBJECT (TPM 2.0 Library, Part 2, sections 6.3, 6.4 and 8.3),
// as far as pgveil's keys have them. For this folder's own files.
namespace pgveil::attest {

inline constexpr std::uint16_t kAlgRsa = 0x0001;
inline constexpr std::uint16_t kAlgSha256 = 0x000b;
inline constexpr std::uint16_t kAlgKeyedHash = 0x0008;
inline constexpr std::uint16_t kAlgNull = 0x0010;
inline constexpr std::uint16_t kAlgEcdsa = 0x0018;
inline constexpr std::uint16_t kAlgEcdh = 0x0019;
inline constexpr std::uint16_t kAlgEcc = 0x0023;
inline constexpr std::uint16_t kAlgAes = 0x0006;
inline constexpr std::uint16_t kAlgCfb = 0x0043;
inline constexpr std::uint16_t kCurveP256 = 0x0003;

inline constexpr std::uint32_t kFixedTpm = 1U << 1U;
inline constexpr std::uint32_t kFixedParent = 1U << 4U;
inline constexpr std::uint32_t kSensitiveDataOrigin = 1U << 5U;
inline constexpr std::uint32_t kUserWithAuth = 1U << 6U;
inline constexpr std::uint32_t kAdminWithPolicy = 1U << 7U;
inline constexpr std::uint32_t kNoDictionaryAttack = 1U << 10U;
inline constexpr std::uint32_t kRestricted = 1U << 16U;
inline constexpr std::uint32_t kDecrypt = 1U << 17U;
inline constexpr std::uint32_t kSign = 1U << 18U;

}  // namespace pgveil::attest
