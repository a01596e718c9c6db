#include "keyshare/share/hierarchy.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/core/xaes.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::share {
namespace {

core::Bytes place_bytes(std::string_view purpose, const TenantKeyPlace& place) {
    return core::length_prefixed(
        {core::as_bytes(purpose),
         core::as_bytes(place.tenant),
         core::as_bytes(place.group),
         core::big_endian32(place.tk_epoch)}
    );
}

template <class SecretType>
SecretType key_from(const core::ExtractedKey& extracted, core::ByteView info) {
    auto made = SecretType::from(extracted.expand(info, SecretType::kSize));
    core::invariant(made.has_value(), "HKDF gives the size asked for");
    return *std::move(made);
}

core::Bytes wrap_place_bytes(const DataKeyPlace& place) {
    return core::length_prefixed(
        {core::as_bytes("pgveil/1 wrap"),
         core::as_bytes(place.tenant_key.tenant),
         core::as_bytes(place.tenant_key.group),
         core::big_endian32(place.tenant_key.tk_epoch),
         core::big_endian32(place.dek_epoch),
         core::big_endian32(place.key_id)}
    );
}

}  // namespace

Digest TenantKeyBranches::key_check(const TenantKeyPlace& place) const {
    const core::SecretBytes check = extracted_.expand(place_bytes("pgveil/1 key check", place));
    Digest out{};
    std::ranges::copy(check.reveal(), out.begin());
    return out;
}

ZeroKey TenantKeyBranches::zero_key(const TenantKeyPlace& place) const {
    return key_from<ZeroKey>(extracted_, place_bytes("pgveil/1 zero", place));
}

WrappingKey TenantKeyBranches::wrapping_key(const TenantKeyPlace& place) const {
    return key_from<WrappingKey>(extracted_, place_bytes("pgveil/1 kek", place));
}

Digest key_check_of(const TenantKey& key, const TenantKeyPlace& place) {
    return TenantKeyBranches(key).key_check(place);
}

ZeroKey zero_key_of(const TenantKey& key, const TenantKeyPlace& place) {
    return TenantKeyBranches(key).zero_key(place);
}

WrappingKey wrapping_key_of(const TenantKey& key, const TenantKeyPlace& place) {
    return TenantKeyBranches(key).wrapping_key(place);
}

core::Bytes seal_zero(const ZeroKey& key, const TenantKeyPlace& place, core::RandomSource& random) {
    return core::xaes_seal(
        key.reveal(), place_bytes("pgveil/1 zero", place), core::as_bytes("0"), random
    );
}

bool opens_to_zero(const ZeroKey& key, const TenantKeyPlace& place, core::ByteView sealed) {
    const auto opened = core::xaes_open(key.reveal(), place_bytes("pgveil/1 zero", place), sealed);
    return opened.has_value() && core::as_text(opened->reveal()) == "0";
}

core::Bytes wrap_data_key(
    const WrappingKey& key,
    const DataKeyPlace& place,
    const DataKey& data_key,
    core::RandomSource& random
) {
    return core::xaes_seal(key.reveal(), wrap_place_bytes(place), data_key.reveal(), random);
}

Result<DataKey> unwrap_data_key(
    const WrappingKey& key, const DataKeyPlace& place, core::ByteView wrapped
) {
    auto opened = core::xaes_open(key.reveal(), wrap_place_bytes(place), wrapped);
    if (opened.has_value()) {
        auto data_key = DataKey::from(*std::move(opened));
        if (data_key.has_value()) {
            return *std::move(data_key);
        }
    }
    return Error{
        ErrorCode::kForged,
        "the wrapped data key " + std::to_string(place.key_id) + " of group " +
            std::string(place.tenant_key.group) + " does not open"};
}

core::SecretBytes DataKeyBranches::column_key(const ColumnKeyPlace& place, std::size_t size) const {
    const core::Bytes info = core::length_prefixed(
        {core::as_bytes("pgveil/1 column"),
         core::as_bytes(place.tenant),
         core::as_bytes(place.group),
         core::big_endian32(place.key_id),
         core::as_bytes(place.context),
         core::as_bytes(place.scheme),
         core::as_bytes(place.purpose)}
    );
    return extracted_.expand(info, size);
}

core::SecretBytes column_key_of(const DataKey& key, const ColumnKeyPlace& place, std::size_t size) {
    return DataKeyBranches(key).column_key(place, size);
}

}  // namespace pgveil::share
