#include "keyshare/share/commitment.hpp"

#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/lp.hpp"

#include <algorithm>

namespace pgveil::share {
namespace {

Digest commit(core::ByteView part, const SharePlace& place, std::string_view role) {
    const core::Bytes info = core::length_prefixed(
        {core::as_bytes("pgveil/1 share commitment"),
         core::as_bytes(place.tenant),
         core::as_bytes(place.user_id),
         core::as_bytes(place.group),
         core::big_endian32(place.epoch),
         core::as_bytes(role)}
    );
    const core::SecretBytes made = core::hkdf_sha256(part, info);
    Digest out{};
    std::ranges::copy(made.reveal(), out.begin());
    return out;
}

}  // namespace

Digest commitment_of(const UserPart& part, const SharePlace& place) {
    return commit(part.reveal(), place, "user");
}

Digest commitment_of(const AppPart& part, const SharePlace& place) {
    return commit(part.reveal(), place, "app");
}

}  // namespace pgveil::share
