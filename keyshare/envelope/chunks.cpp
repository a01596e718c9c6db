#include "keyshare/envelope/chunks.hpp"

#include <algorithm>

namespace pgveil::envelope {

// libcrypto's AES-GCM works on several blocks at once: over 64 KiB it is twice as fast as nettle's.
Chunks::Chunks(const BodyKey& key, const Header& header)
    : cipher_(key.reveal(), core::AesLibrary::kLibcrypto),
      associated_(core::to_bytes(header.mac())),
      prefix_(header.prefix) {}

core::XaesNonce Chunks::nonce(Place place) const {
    core::XaesNonce nonce{};
    std::ranges::copy(prefix_, nonce.begin());
    const auto number = core::big_endian64(next_);
    std::ranges::copy(number, nonce.end() - 1 - number.size());
    nonce.back() = static_cast<std::uint8_t>(place);
    return nonce;
}

void Chunks::seal(core::ByteView plaintext, Place place, core::MutableByteView out) {
    core::invariant(next_ < kChunksMax, "a body has at most 2^32 chunks");
    cipher_.seal_into(nonce(place), associated_, plaintext, out);
    ++next_;
}

bool Chunks::open(core::ByteView sealed, Place place, core::MutableByteView out) {
    core::invariant(next_ < kChunksMax, "a body has at most 2^32 chunks");
    if (!cipher_.open_into(nonce(place), associated_, sealed, out)) {
        return false;
    }
    ++next_;
    return true;
}

}  // namespace pgveil::envelope
