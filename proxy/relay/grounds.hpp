#pragma once

#include "proxy/relay/planned.hpp"
#include "sql/catalog/catalog.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pgveil::relay {

/// What a prepared statement was decided on: what its names stood for when it was prepared. Every
/// run of it depends on that, however much later: PostgreSQL plans a statement anew when
/// search_path or a definition has changed (PREPARE, "Notes"), and what left for one table may then
/// reach another.
struct Grounds {
    struct Fact {
        catalog::RelationName name;
        std::shared_ptr<const catalog::Entry> entry;  ///< never null
    };

    std::vector<Fact> facts;
    /// Left byte by byte as the client sent it, and concerned nothing protected.
    bool is_plain = false;
    /// How to decide again: the text as the client sent it, with the parameter types it declared.
    /// Empty: it holds constants to be sealed, or names of the session.
    std::string text;
    std::vector<std::uint32_t> parameter_oids;
    AnalysisPtr analysis;  ///< null where text is empty

    std::size_t size_bytes() const;
};

using GroundsPtr = std::shared_ptr<const Grounds>;

}  // namespace pgveil::relay
