#include "keyshare/tenant/key_dictionary.hpp"

#include "keyshare/core/lp.hpp"
#include "keyshare/tenant/delivery.hpp"

#include <array>
#include <utility>

namespace pgveil::tenant {

namespace {

using Parameters = std::vector<user::ProxyConnection::Value>;

constexpr std::string_view kObjectTitle = "pgveil/1 tpm object";
constexpr std::string_view kByteaPrefix = "\\x";
constexpr std::size_t kObjectParts = 3;
constexpr std::size_t kColumns = 3;

std::optional<std::string> object_text(const std::optional<tpm::SealedSecret>& object) {
    if (!object) {
        return std::nullopt;
    }
    return std::string(kByteaPrefix) +
           core::to_hex(core::length_prefixed(
               {core::as_bytes(kObjectTitle), object->public_part, object->private_part}
           ));
}

std::optional<tpm::SealedSecret> parse_object(std::string_view text) {
    if (!text.starts_with(kByteaPrefix)) {
        return std::nullopt;
    }
    const auto bytes = core::from_hex(text.substr(kByteaPrefix.size()));
    if (!bytes.has_value()) {
        return std::nullopt;
    }
    const auto parts = core::split_length_prefixed(*bytes, kObjectParts);
    if (!parts.has_value() || core::as_text(parts->front()) != kObjectTitle) {
        return std::nullopt;
    }
    return tpm::SealedSecret{core::to_bytes((*parts)[1]), core::to_bytes((*parts)[2])};
}

}  // namespace

Result<KeyDictionary> KeyDictionary::connect(const std::string& url) {
    if (!user::is_database_url(url)) {
        return user::unusable("--dictionary wants postgresql://USER@HOST:6543/DATABASE");
    }
    auto proxy = user::ProxyConnection::as_login(url);
    return proxy ? Result<KeyDictionary>(KeyDictionary(std::move(*proxy))) : proxy.error();
}

Result<std::vector<KeyRow>> KeyDictionary::select(
    const std::string& condition, std::optional<std::string> parameter
) {
    Parameters parameters;
    if (parameter) {
        parameters.push_back(std::move(parameter));
    }
    auto answer = proxy_.rows(
        "SELECT id, record, object FROM pgveil_keys" + condition, parameters, "to show keys"
    );
    if (!answer) {
        return answer.error();
    }
    std::vector<KeyRow> rows;
    for (auto& columns : *answer) {
        if (columns.size() != kColumns || !columns[0] || !columns[1]) {
            return user::failed(peer() + " answered with rows that are none of a key dictionary");
        }
        KeyRow row{*columns[0], *columns[1], {}};
        if (columns[2]) {
            row.object = parse_object(*columns[2]);
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

Result<std::vector<KeyRow>> KeyDictionary::all() {
    return select("", std::nullopt);
}

Result<std::vector<KeyRow>> KeyDictionary::with_label(const std::string& label) {
    return select(" WHERE label = $1", label);
}

Result<std::vector<KeyRow>> KeyDictionary::of_owner(const std::string& owner) {
    return select(" WHERE owner = $1", owner);
}

Result<std::vector<KeyRow>> KeyDictionary::expiring_before(std::int64_t time_s) {
    return select(" WHERE expires < $1", std::to_string(time_s));
}

Result<void> KeyDictionary::add(const KeyRow& row, const catalogue::KeyOrder& order) {
    const auto done = proxy_.rows(
        "INSERT INTO pgveil_keys (id, label, owner, expires, record, object) VALUES ($1, $2, $3, "
        "$4, $5, $6)",
        {row.id,
         order.label,
         order.owner,
         std::to_string(order.period.until_s),
         row.record,
         object_text(row.object)},
        "the new key"
    );
    return done ? Result<void>() : done.error();
}

Result<void> KeyDictionary::change(const KeyRow& row) {
    const auto done = proxy_.rows(
        "UPDATE pgveil_keys SET record = $2, object = $3 WHERE id = $1 RETURNING id",
        {row.id, row.record, object_text(row.object)},
        "the change of a key"
    );
    if (!done) {
        return done.error();
    }
    return done->size() == 1 ? Result<void>()
                             : user::failed("the key is no longer in the dictionary: " + row.id);
}

std::string fresh_uuid(core::RandomSource& random) {
    constexpr std::size_t kSize = 16;
    constexpr std::uint8_t kLowBits = 0x0f;
    constexpr std::uint8_t kVersion = 0x40;
    constexpr std::uint8_t kVariantBits = 0x3f;
    constexpr std::uint8_t kVariant = 0x80;
    std::array<std::uint8_t, kSize> bytes{};
    random.fill(bytes);
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & kLowBits) | kVersion);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & kVariantBits) | kVariant);
    std::string text = core::to_hex(bytes);
    for (const std::size_t at : {20U, 16U, 12U, 8U}) {
        text.insert(at, "-");
    }
    return text;
}

}  // namespace pgveil::tenant
