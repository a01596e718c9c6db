#include "proxy/relay/statements.hpp"

namespace pgveil::relay {

namespace {

/// A node of the registry with its name, and the blocks that belong to it.
constexpr std::size_t kNodeBytes = 512;

}  // namespace

std::size_t size_bytes_of(const PreparedStatement& statement) {
    return kNodeBytes + sizeof(statement) + statement.planned.size_bytes() +
           (statement.positions == nullptr ? 0 : statement.positions->size_bytes()) +
           (statement.grounds == nullptr ? 0 : statement.grounds->size_bytes()) +
           (statement.shown == nullptr ? 0 : statement.shown->size());
}

std::size_t size_bytes_of(const Portal& portal) {
    return kNodeBytes + sizeof(portal) + portal.formats.size() * sizeof(std::int16_t);
}

}  // namespace pgveil::relay
