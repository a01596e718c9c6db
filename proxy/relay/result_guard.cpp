#include "proxy/relay/result_guard.hpp"

#include "proxy/relay/bytea_cell.hpp"
#include "sql/field/envelope.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pgveil::relay {

namespace {

constexpr std::uint32_t kByteaOid = 17;

/// bytea[], record, record[].
constexpr std::array<std::uint32_t, 3> kContainers = {1001, 2249, 2287};

/// From here on the server numbers what users make: composites, arrays of domains.
constexpr std::uint32_t kFirstUserOid = 16384;

/// So many bytes tell whether an envelope is one: no scheme's is longer when it is empty.
constexpr std::size_t kPrefixSize = field::kPaddedOverhead;

bool may_contain(std::uint32_t type_oid) {
    return type_oid >= kFirstUserOid ||
           std::find(kContainers.begin(), kContainers.end(), type_oid) != kContainers.end();
}

bool is_known(core::ByteView bytes, const ResultGuard::KnowsKey& knows_key) {
    const auto envelope = field::parse_envelope(bytes);
    return envelope.has_value() && knows_key(envelope->key_id);
}

bool is_hex_digit(std::uint8_t letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
}

bool is_text_envelope(core::ByteView cell, const ResultGuard::KnowsKey& knows_key) {
    // \x and two digits, or \ooo, for every byte.
    core::ByteView prefix = cell.first(std::min(cell.size(), 2 + 4 * kPrefixSize));
    if (prefix.size() > 2 && prefix[1] == 'x') {
        const auto end = std::find_if_not(prefix.begin() + 2, prefix.end(), is_hex_digit);
        prefix = prefix.first(static_cast<std::size_t>(end - prefix.begin()));
    }
    return is_known(bytes_of_bytea(prefix, wire::Format::kText), knows_key);
}

}  // namespace

bool is_envelope(core::ByteView cell, const ResultGuard::KnowsKey& knows_key) {
    if (cell.empty()) {
        return false;
    }
    if (cell.front() == field::kEnvelopeVersion) {
        return is_known(cell, knows_key);
    }
    return cell.front() == '\\' && is_text_envelope(cell, knows_key);
}

namespace {

/// How deep arrays and composites stand in each other, as far as their text is followed.
constexpr int kNestingMax = 4;

/// The text of an array or composite without one level of its doubled backslashes.
core::Bytes without_doubles(core::ByteView text) {
    core::Bytes result;
    result.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool is_double = text[at] == '\\' && at + 1 < text.size() && text[at + 1] == '\\';
        result.push_back(text[at]);
        at += is_double ? 1 : 0;
    }
    return result;
}

bool contains_envelope(core::ByteView cell, const ResultGuard::KnowsKey& knows_key) {
    for (std::size_t at = 0; at + field::kEqualityOverhead <= cell.size(); ++at) {
        const core::ByteView rest = cell.subspan(at);
        const bool is_start =
            rest[0] == field::kEnvelopeVersion || (rest[0] == '\\' && rest[1] != '\\');
        if (is_start && is_envelope(rest, knows_key)) {
            return true;
        }
    }
    return false;
}

}  // namespace

bool holds_envelope(core::ByteView cell, const ResultGuard::KnowsKey& knows_key) {
    if (contains_envelope(cell, knows_key)) {
        return true;
    }
    core::Bytes text;
    for (int level = 0; level < kNestingMax; ++level) {
        core::Bytes inner = without_doubles(level == 0 ? cell : core::ByteView(text));
        if (inner.size() == (level == 0 ? cell.size() : text.size())) {
            return false;
        }
        if (contains_envelope(inner, knows_key)) {
            return true;
        }
        text = std::move(inner);
    }
    return false;
}

void ResultGuard::describe(const wire::RowDescription& described, PlanBytes& kept) {
    is_described_ = true;
    columns_.clear();
    std::size_t index = 0;
    std::size_t bytes = 0;
    for (const wire::Field& field : described.fields) {
        if (field.type_oid == kByteaOid || may_contain(field.type_oid)) {
            columns_.push_back({index, field.type_oid == kByteaOid, std::string(field.name)});
            bytes += sizeof(Column) + field.name.size();
        }
        ++index;
    }
    charge_ = kept.charge(bytes);
}

std::optional<std::string> ResultGuard::find(const wire::DataRow& row, const KnowsKey& knows_key)
    const {
    std::size_t index = 0;
    auto column = columns_.begin();
    for (const wire::Cell& cell : row.cells) {
        const bool is_wanted =
            !is_described_ || (column != columns_.end() && column->index == index);
        if (is_wanted && cell) {
            const bool is_bytea = is_described_ && column->is_bytea;
            if (is_bytea ? is_envelope(*cell, knows_key) : holds_envelope(*cell, knows_key)) {
                return is_described_ ? "column \"" + column->name + "\""
                                     : "column " + std::to_string(index + 1);
            }
        }
        if (is_described_ && is_wanted) {
            ++column;
        }
        ++index;
    }
    return std::nullopt;
}

}  // namespace pgveil::relay
