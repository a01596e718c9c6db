#include "keyshare/share/binary_fields.hpp"

#include "keyshare/share/names.hpp"

#include <algorithm>

namespace pgveil::share {

FieldWriter& FieldWriter::bytes(core::ByteView value) {
    out_.append(core::big_endian32(static_cast<std::uint32_t>(value.size())));
    out_.append(value);
    return *this;
}

FieldReader::FieldReader(core::ByteView bytes, std::string_view format) : rest_(bytes) {
    if (text() != format) {
        failed_ = true;
    }
}

core::ByteView FieldReader::bytes() {
    if (failed_ || rest_.size() < 4) {
        failed_ = true;
        return {};
    }
    const std::size_t size = core::read_big_endian32(rest_);
    if (rest_.size() - 4 < size) {
        failed_ = true;
        return {};
    }
    const core::ByteView field = rest_.subspan(4, size);
    rest_ = rest_.subspan(4 + size);
    return field;
}

core::ByteView FieldReader::bytes(std::size_t size) {
    const core::ByteView field = bytes();
    if (field.size() != size) {
        failed_ = true;
        return {};
    }
    return field;
}

std::string FieldReader::text() {
    return std::string(core::as_text(bytes()));
}

std::string FieldReader::plain_name() {
    std::string name = text();
    if (!is_plain_name(name)) {
        failed_ = true;
    }
    return name;
}

std::uint32_t FieldReader::u32() {
    const core::ByteView field = bytes(4);
    return failed_ ? 0 : core::read_big_endian32(field);
}

std::uint64_t FieldReader::u64() {
    const core::ByteView field = bytes(8);
    return failed_ ? 0 : core::read_big_endian64(field);
}

std::optional<core::PublicPoint> FieldReader::point() {
    auto parsed = core::PublicPoint::parse(bytes(core::kPointSize));
    if (!parsed.has_value()) {
        failed_ = true;
        return std::nullopt;
    }
    return *parsed;
}

std::optional<core::PublicPoint> FieldReader::optional_point() {
    const core::ByteView field = bytes();
    if (field.empty()) {
        return std::nullopt;
    }
    auto parsed = core::PublicPoint::parse(field);
    if (!parsed.has_value()) {
        failed_ = true;
        return std::nullopt;
    }
    return *parsed;
}

std::optional<Digest> FieldReader::optional_digest() {
    const core::ByteView field = bytes();
    if (field.empty()) {
        return std::nullopt;
    }
    Digest out{};
    if (field.size() != out.size()) {
        failed_ = true;
        return std::nullopt;
    }
    std::ranges::copy(field, out.begin());
    return out;
}

std::uint32_t FieldReader::group_count() {
    const std::uint32_t count = u32();
    if (count < 1 || count > kGroupsMax) {
        failed_ = true;
        return 0;
    }
    return count;
}

std::string FieldReader::group_name() {
    std::string name = text();
    if (!is_group_name(name)) {
        failed_ = true;
    }
    return name;
}

}  // namespace pgveil::share
