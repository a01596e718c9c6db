#include "keyshare/share/json_fields.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/share/names.hpp"
#include "keyshare/share/shallow_json.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace pgveil::share {

std::string write_json(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string json_bytes(core::ByteView bytes) {
    return core::base64url_encode(bytes);
}

std::string json_digest(const Digest& digest) {
    return core::base64url_encode(digest);
}

JsonReader::JsonReader(std::string_view text)
    : object_(parse_shallow_json(text)), ok_(object_.is_object()) {}

JsonReader::JsonReader(Json object) : object_(std::move(object)), ok_(object_.is_object()) {}

const Json* JsonReader::find(const char* member) {
    if (ok_) {
        const auto found = object_.find(member);
        if (found != object_.end()) {
            return &*found;
        }
    }
    ok_ = false;
    return nullptr;
}

std::string JsonReader::text(const char* member) {
    const Json* value = find(member);
    if (value == nullptr || !value->is_string()) {
        ok_ = false;
        return {};
    }
    return value->get_ref<const std::string&>();
}

std::string JsonReader::plain_name(const char* member) {
    std::string name = text(member);
    ok_ = ok_ && is_plain_name(name);
    return name;
}

std::string JsonReader::group_name(const char* member) {
    std::string name = text(member);
    ok_ = ok_ && is_group_name(name);
    return name;
}

std::uint64_t JsonReader::u64(const char* member) {
    const Json* value = find(member);
    if (value == nullptr || !value->is_number_unsigned()) {
        ok_ = false;
        return 0;
    }
    const auto number = value->get<std::uint64_t>();
    ok_ = number <= kJsonIntegerMax;
    return number;
}

std::uint32_t JsonReader::u32(const char* member) {
    const std::uint64_t number = u64(member);
    ok_ = ok_ && number <= std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(number);
}

core::Bytes JsonReader::bytes(const char* member) {
    auto decoded = core::base64url_decode(text(member));
    if (!decoded.has_value()) {
        ok_ = false;
        return {};
    }
    return *std::move(decoded);
}

Digest JsonReader::digest(const char* member) {
    const core::Bytes decoded = bytes(member);
    Digest out{};
    if (decoded.size() != out.size()) {
        ok_ = false;
        return out;
    }
    std::ranges::copy(decoded, out.begin());
    return out;
}

std::optional<core::PublicPoint> JsonReader::point(const char* member) {
    auto parsed = core::PublicPoint::from_text(text(member));
    if (!parsed.has_value()) {
        ok_ = false;
        return std::nullopt;
    }
    return *parsed;
}

const Json& JsonReader::part(const char* member) {
    static const Json none = Json::array();
    const Json* value = find(member);
    if (value == nullptr || !value->is_structured()) {
        ok_ = false;
        return none;
    }
    return *value;
}

}  // namespace pgveil::share
