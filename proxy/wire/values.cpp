#include "proxy/wire/values.hpp"

namespace pgveil::wire {

namespace {

std::int16_t code_at(ByteView bytes, std::size_t index) noexcept {
    return static_cast<std::int16_t>(bytes[2 * index] << 8 | bytes[2 * index + 1]);
}

}  // namespace

FormatCodes FormatCodes::take(Cursor& cursor) noexcept {
    FormatCodes codes;
    codes.bytes_ = cursor.bytes(std::size_t{cursor.int16()} * 2);
    return codes;
}

std::int16_t FormatCodes::code_for(std::size_t index) const noexcept {
    if (size() == 1) {
        return code_at(bytes_, 0);
    }
    return index < size() ? code_at(bytes_, index) : std::int16_t{0};
}

bool FormatCodes::fits(std::size_t count) const noexcept {
    if (size() > 1 && size() != count) {
        return false;
    }
    for (std::size_t i = 0; i < size(); ++i) {
        if (const std::int16_t code = code_at(bytes_, i); code != 0 && code != 1) {
            return false;
        }
    }
    return true;
}

void append_cell(Output& out, const Cell& cell) {
    if (!cell) {
        out.append_int32(UINT32_MAX);
        return;
    }
    out.append_int32(static_cast<std::uint32_t>(cell->size()));
    out.append(*cell);
}

void append_format_codes(Output& out, std::span<const Format> formats) {
    out.append_int16(static_cast<std::uint16_t>(formats.size()));
    for (const Format format : formats) {
        out.append_int16(static_cast<std::uint16_t>(format));
    }
}

void append_format_codes(Output& out, const FormatCodes& formats) {
    out.append_int16(static_cast<std::uint16_t>(formats.size()));
    out.append(formats.bytes());
}

}  // namespace pgveil::wire
