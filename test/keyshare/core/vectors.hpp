#pragma once

#include "keyshare/core/bytes.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace pgveil::core::testing {

/// A published vector file of test/vectors/. Throws when it is missing or no JSON, which fails the
/// test.
inline nlohmann::json load_vectors(const std::string& name) {
    std::ifstream file(std::string(PGVEIL_VECTORS) + "/" + name);
    if (!file) {
        throw std::runtime_error("no vector file " + name);
    }
    return nlohmann::json::parse(file);
}

inline Bytes bytes_at(const nlohmann::json& object, const std::string& key) {
    auto bytes = from_hex(object.at(key).get<std::string>());
    if (!bytes.has_value()) {
        throw std::runtime_error("not hexadecimal: " + key);
    }
    return *bytes;
}

/// A private scalar as vector files write it: with a leading zero byte, or without leading zeros.
inline Bytes padded_to(std::size_t size, const Bytes& number) {
    Bytes out(size, 0);
    for (std::size_t i = 0; i < number.size() && i < size; ++i) {
        out[size - 1 - i] = number[number.size() - 1 - i];
    }
    return out;
}

}  // namespace pgveil::core::testing
