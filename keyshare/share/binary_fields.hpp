#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/key_kinds.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::share {

/// Writes the binary form of everything that holds a secret: fields one after the other, each
/// behind its length (u32 big endian); integers are 4 or 8 bytes big endian. The first field is a
/// word that names the format.
class FieldWriter {
public:
    explicit FieldWriter(std::string_view format) { text(format); }

    FieldWriter& bytes(core::ByteView value);

    FieldWriter& text(std::string_view value) { return bytes(core::as_bytes(value)); }

    FieldWriter& u32(std::uint32_t value) { return bytes(core::big_endian32(value)); }

    FieldWriter& u64(std::uint64_t value) { return bytes(core::big_endian64(value)); }

    FieldWriter& i64(std::int64_t value) { return u64(static_cast<std::uint64_t>(value)); }

    FieldWriter& point(const core::PublicPoint& value) { return bytes(value.bytes()); }

    template <class Part>
    FieldWriter& parts(const GroupParts<Part>& groups) {
        u32(static_cast<std::uint32_t>(groups.size()));
        for (const auto& [group, part] : groups) {
            text(group).bytes(part.reveal());
        }
        return *this;
    }

    core::SecretBytes finish() && { return std::move(out_); }

private:
    core::SecretBytes out_;
};

/// Reads what FieldWriter wrote. The first thing that does not fit makes every later answer empty
/// or zero; ask `ok()` at the end, which also demands that nothing is left over. Views and secrets
/// are only as good as that answer.
class FieldReader {
public:
    FieldReader(core::ByteView bytes, std::string_view format);

    core::ByteView bytes();
    /// A field of exactly `size` bytes.
    core::ByteView bytes(std::size_t size);
    std::string text();
    /// A user id or tenant name.
    std::string plain_name();
    std::uint32_t u32();
    std::uint64_t u64();

    std::int64_t i64() { return static_cast<std::int64_t>(u64()); }

    std::optional<core::PublicPoint> point();
    /// Between 1 and kGroupsMax groups, ascending names.
    std::uint32_t group_count();
    std::string group_name();

    Digest digest() { return array<std::tuple_size_v<Digest>>(); }

    template <std::size_t N>
    std::array<std::uint8_t, N> array() {
        std::array<std::uint8_t, N> out{};
        std::ranges::copy(bytes(N), out.begin());
        return out;
    }

    template <class SecretType>
    SecretType secret() {
        auto made = SecretType::from(bytes(SecretType::kSize));
        if (!made.has_value()) {
            failed_ = true;
            return SecretType();
        }
        return *std::move(made);
    }

    /// An empty field stands for "none".
    std::optional<core::PublicPoint> optional_point();
    std::optional<Digest> optional_digest();

    template <class SecretType>
    std::optional<SecretType> optional_secret() {
        const core::ByteView field = bytes();
        if (failed_ || field.empty()) {
            return std::nullopt;
        }
        auto made = SecretType::from(field);
        if (!made.has_value()) {
            failed_ = true;
            return std::nullopt;
        }
        return *std::move(made);
    }

    template <class Part>
    GroupParts<Part> parts() {
        GroupParts<Part> out;
        for (std::uint32_t left = group_count(); left > 0 && !failed_; --left) {
            std::string group = group_name();
            if (!out.empty() && out.back().group >= group) {
                failed_ = true;
            }
            out.push_back({std::move(group), secret<Part>()});
        }
        return out;
    }

    void fail() { failed_ = true; }

    bool failed() const { return failed_; }

    bool ok() const { return !failed_ && rest_.empty(); }

private:
    core::ByteView rest_;
    bool failed_ = false;
};

}  // namespace pgveil::share
