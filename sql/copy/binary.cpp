#include "sql/copy/binary.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace pgveil::copy {

namespace {

using Unit = std::optional<BinaryUnit>;

constexpr std::array<std::uint8_t, 11> kSignature = {
    'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xff, '\r', '\n', 0};
constexpr std::size_t kHeaderSize = kSignature.size() + 8;  // flags, size of the extension
constexpr std::uint32_t kOidsFlag = 1U << 16U;
constexpr std::uint32_t kNullSize = 0xffffffffU;

types::Error bad_format(std::string message) {
    return types::invalid_value("22P04", std::move(message));
}

types::Result<Unit> header_of(core::ByteView bytes) {
    const std::size_t compared = std::min(bytes.size(), kSignature.size());
    if (!std::equal(
            bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(compared), kSignature.begin()
        )) {
        return bad_format("COPY file signature not recognized");
    }
    if (bytes.size() < kHeaderSize) {
        return Unit();
    }
    const std::uint32_t flags = core::read_big_endian32(bytes.subspan(kSignature.size()));
    const std::uint32_t extension = core::read_big_endian32(bytes.subspan(kSignature.size() + 4));
    if ((flags & kOidsFlag) != 0) {
        return bad_format("invalid COPY file header (WITH OIDS)");
    }
    if ((flags >> 16U) != 0) {
        return bad_format("unrecognized critical flags in COPY file header");
    }
    if (extension > INT32_MAX) {
        return bad_format("invalid COPY file header (wrong length)");
    }
    const std::size_t size = kHeaderSize + extension;
    return bytes.size() < size ? Unit() : Unit({BinaryUnit::Kind::kHeader, size});
}

}  // namespace

types::Result<std::optional<BinaryUnit>> next_unit(
    core::ByteView bytes, bool expects_header, std::size_t columns, std::vector<BinaryField>& fields
) {
    if (expects_header) {
        return header_of(bytes);
    }
    fields.clear();
    if (bytes.size() < 2) {
        return Unit();
    }
    const auto count = static_cast<std::int16_t>(core::read_big_endian16(bytes));
    if (count == -1) {
        return Unit({BinaryUnit::Kind::kTrailer, 2});
    }
    if (count < 0 || static_cast<std::size_t>(count) != columns) {
        return bad_format(
            "row field count is " + std::to_string(count) + ", expected " + std::to_string(columns)
        );
    }
    std::size_t at = 2;
    for (std::size_t i = 0; i < columns; ++i) {
        if (bytes.size() - at < 4) {
            return Unit();
        }
        const std::uint32_t size = core::read_big_endian32(bytes.subspan(at));
        at += 4;
        if (size == kNullSize) {
            fields.emplace_back();
            continue;
        }
        if (size > INT32_MAX) {
            return bad_format("invalid field size");
        }
        if (bytes.size() - at < size) {
            return Unit();
        }
        fields.emplace_back(bytes.subspan(at, size));
        at += size;
    }
    return Unit({BinaryUnit::Kind::kRow, at});
}

core::ByteView plain_header() {
    static constexpr auto kHeader = [] {
        std::array<std::uint8_t, kHeaderSize> bytes{};
        std::copy(kSignature.begin(), kSignature.end(), bytes.begin());
        return bytes;
    }();
    return kHeader;
}

}  // namespace pgveil::copy
