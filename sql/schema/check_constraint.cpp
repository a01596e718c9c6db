#include "sql/schema/schema.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <initializer_list>

namespace pgveil::schema {

namespace {

constexpr std::size_t kIdentifierBytesMax = 63;

bool is_utf8_continuation(char letter) {
    return (static_cast<unsigned char>(letter) & 0xC0U) == 0x80U;
}

/// FNV-1a of 32 bits in hexadecimal: tells names apart that begin alike, and nothing else.
std::string hash_of(std::string_view text) {
    constexpr std::uint32_t kBasis = 2166136261U;
    constexpr std::uint32_t kPrime = 16777619U;
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::uint32_t hash = kBasis;
    for (const char letter : text) {
        hash = (hash ^ static_cast<unsigned char>(letter)) * kPrime;
    }
    std::string digits;
    for (int shift = 28; shift >= 0; shift -= 4) {
        digits += kDigits[(hash >> static_cast<unsigned>(shift)) & 0xFU];
    }
    return digits;
}

constexpr std::size_t kLaterSize = 6;  ///< the least that later versions may take
constexpr int kLastVersion = 15;

/// The least that version 1 takes: header, and siv or nonce and tag; an order tag; a length.
std::size_t least_size(config::Scheme scheme) {
    switch (scheme) {
        case config::Scheme::kRandomized: return 46;
        case config::Scheme::kEquality: return 22;
        case config::Scheme::kOrder: return 38;
        case config::Scheme::kPadded: return 50;
    }
    return 46;
}

/// An element of an array of patterns for LIKE over bytea: what begins with these bytes, all less
/// than 16, and has `size` bytes or more. As it stands in E'...'.
std::string pattern(std::initializer_list<int> begin, std::size_t size) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    constexpr std::string_view kAnyByte = "5f";
    constexpr std::string_view kRest = "25";
    std::string text = R"("\\\\x)";
    for (const int byte : begin) {
        text += {'0', kDigits.at(static_cast<std::size_t>(byte))};
    }
    for (std::size_t index = begin.size(); index < size; ++index) {
        text += kAnyByte;
    }
    return text.append(kRest) + '"';
}

}  // namespace

namespace {

std::string name_for(const std::string& name, std::string_view column) {
    if (name.size() <= kIdentifierBytesMax) {
        return name;
    }
    const std::string ending = "_" + hash_of(column);
    std::size_t size = kIdentifierBytesMax - ending.size();
    while (is_utf8_continuation(name[size])) {
        --size;
    }
    return name.substr(0, size) + ending;
}

}  // namespace

std::string constraint_name(std::string_view column) {
    return name_for("pgveil_" + std::string(column), column);
}

// One comparison with a constant: for each INSERT and UPDATE the server reads the expression from
// its text, and longer ones took it more time than the rest of the statement.
std::string check_expression(std::string_view column, config::Scheme scheme) {
    std::string patterns = pattern({1, static_cast<int>(scheme)}, least_size(scheme));
    for (int version = 2; version <= kLastVersion; ++version) {
        patterns += "," + pattern({version}, kLaterSize);
    }
    return quote_identifier(column) + " OPERATOR(pg_catalog.~~) ANY (E'{" + patterns +
           "}'::pg_catalog.bytea[])";
}

std::string check_constraint(std::string_view column, config::Scheme scheme) {
    return "CONSTRAINT " + quote_identifier(constraint_name(column)) + " CHECK (" +
           check_expression(column, scheme) + ")";
}

std::string data_key_constraint(std::string_view column, std::uint32_t key_id) {
    constexpr std::size_t kDigits = 8;
    std::array<char, kDigits + 1> digits{};
    static_cast<void>(std::snprintf(digits.data(), digits.size(), "%08x", key_id));
    const std::string name =
        std::string(kDataKeyPrefix) + std::to_string(key_id) + ":" + std::string(column);
    // decode(), because the session may read a backslash as an escape.
    return "CONSTRAINT " + quote_identifier(name_for(name, column)) +
           " CHECK (pg_catalog.substring(" + quote_identifier(column) +
           "::pg_catalog.bytea, 3, 4) OPERATOR(pg_catalog.=) pg_catalog.decode('" + digits.data() +
           "', 'hex'))";
}

}  // namespace pgveil::schema
