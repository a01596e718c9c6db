#pragma once

#include "keyshare/core/bytes.hpp"

#include <nlohmann/json.hpp>
#include <string>

namespace pgveil::core::testing {

/// A published vector file of test/vectors/. Throws when it is missing or no JSON, which fails the
/// test.
nlohmann::json load_vectors(const std::string& name);

/// The bytes that a member has in hexadecimal. Throws when it has none.
Bytes bytes_at(const nlohmann::json& object, const std::string& key);

/// A private scalar as vector files write it: with a leading zero byte, or without leading zeros.
Bytes padded_to(std::size_t size, const Bytes& number);

}  // namespace pgveil::core::testing
