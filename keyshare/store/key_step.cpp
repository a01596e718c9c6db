#include "keyshare/store/key_step.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/lp.hpp"

namespace pgveil::store {
namespace {

constexpr std::size_t kNameSize = 16;

}  // namespace

std::string key_name(const seal::StoreKey& key) {
    const auto info = core::length_prefixed({core::as_bytes("pgveil/1 store key name")});
    return core::base64url_encode(core::hkdf_sha256(key.reveal(), info, kNameSize).reveal());
}

seal::StoreKey next_key(const seal::StoreKey& former, core::ByteView random) {
    return core::derive<seal::StoreKey>(
        former.reveal(), core::length_prefixed({core::as_bytes("pgveil/1 next store key"), random})
    );
}

}  // namespace pgveil::store
