#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/key_kinds.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

/// JSON of signed payloads: nothing secret ever passes through it. Strictness lies in one rule that
/// every parser follows: what was read is written again and must give the same bytes, so there is
/// one text per value, without unknown, missing, repeated or reordered members.
namespace pgveil::share {

using Json = nlohmann::ordered_json;

/// The largest integer every JSON reader keeps exactly.
inline constexpr std::uint64_t kJsonIntegerMax = (std::uint64_t{1} << 53U) - 1;

std::string write_json(const Json& value);
std::string json_bytes(core::ByteView bytes);   ///< base64url
std::string json_digest(const Digest& digest);  ///< base64url

/// Reads members of one object. The first that does not fit makes `ok()` false; values are then not
/// to be used.
class JsonReader {
public:
    explicit JsonReader(std::string_view text);
    explicit JsonReader(Json object);

    std::string text(const char* member);
    std::string plain_name(const char* member);
    std::string group_name(const char* member);
    std::uint64_t u64(const char* member);
    std::uint32_t u32(const char* member);

    std::int64_t time(const char* member) { return static_cast<std::int64_t>(u64(member)); }

    core::Bytes bytes(const char* member);
    Digest digest(const char* member);
    std::optional<core::PublicPoint> point(const char* member);
    /// An array or object member; an empty array if it is none.
    const Json& part(const char* member);

    const Json& whole() const { return object_; }

    void fail() { ok_ = false; }

    bool ok() const { return ok_; }

private:
    const Json* find(const char* member);

    Json object_;
    bool ok_ = true;
};

}  // namespace pgveil::share
