#include "keyshare/attest/bytes_in.hpp"

namespace pgveil::attest {

core::ByteView BytesIn::raw(std::size_t size) {
    if (failed_ || size > rest_.size()) {
        failed_ = true;
        return {};
    }
    const core::ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
}

std::uint8_t BytesIn::u8() {
    const core::ByteView bytes = raw(sizeof(std::uint8_t));
    return failed_ ? std::uint8_t{0} : bytes.front();
}

std::uint16_t BytesIn::u16() {
    const core::ByteView bytes = raw(sizeof(std::uint16_t));
    return failed_ ? std::uint16_t{0} : core::read_big_endian16(bytes);
}

std::uint32_t BytesIn::u32() {
    const core::ByteView bytes = raw(sizeof(std::uint32_t));
    return failed_ ? 0 : core::read_big_endian32(bytes);
}

std::uint64_t BytesIn::u64() {
    const core::ByteView bytes = raw(sizeof(std::uint64_t));
    return failed_ ? 0 : core::read_big_endian64(bytes);
}

core::ByteView BytesIn::sized() {
    return raw(u16());
}

}  // namespace pgveil::attest
