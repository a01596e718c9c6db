#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/p256.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace pgveil::attest {

using core::Sha256Digest;

/// "name: value\n", as the texts between proxy and tenant have it.
inline std::string line(std::string_view name, std::string_view value) {
    return std::string(name) + ": " + std::string(value) + "\n";
}

/// Takes text apart line by line; the first that does not fit fails all that follow.
class Lines {
public:
    explicit Lines(std::string_view text) : rest_(text) {}

    std::string_view next() {
        const std::size_t end = rest_.find('\n');
        if (end == std::string_view::npos) {
            failed_ = true;
            return {};
        }
        const std::string_view line = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return line;
    }

    /// What stands behind "name: ".
    std::string_view named(std::string_view name) {
        std::string_view line = next();
        if (!line.starts_with(name) || !line.substr(name.size()).starts_with(": ")) {
            failed_ = true;
            return {};
        }
        line.remove_prefix(name.size() + 2);
        return line;
    }

    Sha256Digest digest(std::string_view hex) {
        Sha256Digest digest{};
        const auto bytes = core::from_hex(hex);
        if (!bytes.has_value() || bytes->size() != digest.size()) {
            failed_ = true;
            return digest;
        }
        std::ranges::copy(*bytes, digest.begin());
        return digest;
    }

    core::Bytes bytes(std::string_view hex) {
        auto bytes = core::from_hex(hex);
        if (!bytes.has_value() || bytes->empty()) {
            failed_ = true;
            return {};
        }
        return *std::move(bytes);
    }

    std::optional<core::PublicPoint> point(std::string_view text) {
        auto point = core::PublicPoint::from_text(text);
        if (!point.has_value()) {
            failed_ = true;
            return std::nullopt;
        }
        return *point;
    }

    /// What the last named() has not taken.
    std::string_view rest() const { return rest_; }

    void fail() { failed_ = true; }

    bool has_failed() const { return failed_; }

    bool has_more() const { return !failed_ && !rest_.empty(); }

    bool ok() const { return !failed_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool failed_ = false;
};

}  // namespace pgveil::attest
