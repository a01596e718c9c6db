#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/key_kinds.hpp"

#include <cstdint>
#include <string_view>

/// Everything that is derived from TK (CRYPTO.md section 1). Pure: values in, values out.
namespace pgveil::share {

/// Which TK is meant.
struct TenantKeyPlace {
    std::string_view tenant;
    std::string_view group;
    std::uint32_t tk_epoch;
};

/// Which wrapped DEK is meant.
struct DataKeyPlace {
    TenantKeyPlace tenant_key;
    std::uint32_t dek_epoch;
    std::uint32_t key_id;
};

/// Which column key is meant. `scheme` and `purpose` are words of the caller (sql/field).
struct ColumnKeyPlace {
    std::string_view tenant;
    std::string_view group;
    std::uint32_t key_id;
    std::string_view context;
    std::string_view scheme;
    std::string_view purpose;
};

/// What comes of one TK. It can be made anew from this alone, so it is as secret as TK.
class TenantKeyBranches {
public:
    explicit TenantKeyBranches(const TenantKey& key) : extracted_(key.reveal()) {}

    /// HKDF(TK, LP("pgveil/1 key check", tenant, group, TK epoch)). Public; compare in constant
    /// time.
    Digest key_check(const TenantKeyPlace& place) const;
    /// HKDF(TK, LP("pgveil/1 zero", tenant, group, TK epoch)).
    ZeroKey zero_key(const TenantKeyPlace& place) const;
    /// HKDF(TK, LP("pgveil/1 kek", tenant, group, TK epoch)).
    WrappingKey wrapping_key(const TenantKeyPlace& place) const;

private:
    core::ExtractedKey extracted_;
};

/// The same where only one of them is needed.
Digest key_check_of(const TenantKey& key, const TenantKeyPlace& place);
ZeroKey zero_key_of(const TenantKey& key, const TenantKeyPlace& place);
WrappingKey wrapping_key_of(const TenantKey& key, const TenantKeyPlace& place);

/// The ciphertext of "0": nonce(24) || XAES-256-GCM(zero key, "0", AAD = LP("pgveil/1 zero",
/// tenant, group, TK epoch)).
core::Bytes seal_zero(const ZeroKey& key, const TenantKeyPlace& place, core::RandomSource& random);
/// Whether `sealed` opens to exactly "0".
bool opens_to_zero(const ZeroKey& key, const TenantKeyPlace& place, core::ByteView sealed);

/// A wrapped DEK: nonce(24) || XAES-256-GCM(KEK, DEK, AAD = LP("pgveil/1 wrap", tenant, group, TK
/// epoch, DEK epoch, key id)).
core::Bytes wrap_data_key(
    const WrappingKey& key,
    const DataKeyPlace& place,
    const DataKey& data_key,
    core::RandomSource& random
);
/// Fails with kForged for every wrong key, place or byte alike.
Result<DataKey> unwrap_data_key(
    const WrappingKey& key, const DataKeyPlace& place, core::ByteView wrapped
);

/// What comes of one DEK, and as secret.
class DataKeyBranches {
public:
    explicit DataKeyBranches(const DataKey& key) : extracted_(key.reveal()) {}

    /// HKDF(DEK, LP("pgveil/1 column", tenant, group, key id, context, scheme, purpose)), `size`
    /// bytes (1 to 255*32).
    core::SecretBytes column_key(const ColumnKeyPlace& place, std::size_t size) const;

private:
    core::ExtractedKey extracted_;
};

/// The same for a single column.
core::SecretBytes column_key_of(const DataKey& key, const ColumnKeyPlace& place, std::size_t size);

}  // namespace pgveil::share
