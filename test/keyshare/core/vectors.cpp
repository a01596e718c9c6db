#include "test/keyshare/core/vectors.hpp"

#include <fstream>
#include <stdexcept>

namespace pgveil::core::testing {

nlohmann::json load_vectors(const std::string& name) {
    std::ifstream file(std::string(PGVEIL_VECTORS) + "/" + name);
    if (!file) {
        throw std::runtime_error("no vector file " + name);
    }
    return nlohmann::json::parse(file);
}

Bytes bytes_at(const nlohmann::json& object, const std::string& key) {
    auto bytes = from_hex(object.at(key).get<std::string>());
    if (!bytes.has_value()) {
        throw std::runtime_error("not hexadecimal: " + key);
    }
    return *bytes;
}

Bytes padded_to(std::size_t size, const Bytes& number) {
    Bytes out(size, 0);
    for (std::size_t i = 0; i < number.size() && i < size; ++i) {
        out[size - 1 - i] = number[number.size() - 1 - i];
    }
    return out;
}

}  // namespace pgveil::core::testing
