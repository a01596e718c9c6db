#include "sql/schema/schema.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

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

/// The least that version 1 takes: header, and siv or nonce and tag; an order tag; a length.
std::string_view least_size(config::Scheme scheme) {
    switch (scheme) {
        case config::Scheme::kRandomized: return "46";
        case config::Scheme::kEquality: return "22";
        case config::Scheme::kOrder: return "38";
        case config::Scheme::kPadded: return "50";
    }
    return "46";
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

std::string check_expression(std::string_view column, config::Scheme scheme) {
    const std::string value = quote_identifier(column);
    const std::string size = "pg_catalog.octet_length(" + value + ")";
    const auto byte = [&value](const char* index) {
        return "pg_catalog.get_byte(" + value + ", " + index + ")";
    };
    // CASE, because AND promises no order of evaluation and get_byte() fails on a short value.
    return "CASE WHEN " + size + " OPERATOR(pg_catalog.<) 6 THEN false WHEN " + byte("0") +
           " OPERATOR(pg_catalog.=) 1 THEN " + byte("1") + " OPERATOR(pg_catalog.=) " +
           std::to_string(static_cast<int>(scheme)) + " AND " + size + " OPERATOR(pg_catalog.>=) " +
           std::string(least_size(scheme)) + " ELSE " + byte("0") +
           " OPERATOR(pg_catalog.>=) 2 AND " + byte("0") + " OPERATOR(pg_catalog.<=) 15 END";
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
