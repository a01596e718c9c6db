#pragma once

#include "sql/catalog/catalog.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

namespace pgveil::relay {

/// What the database said about names to one session of a worker, for others who knew the same and
/// only want to know whether it still holds. A session takes only what was said to one with the
/// same viewpoint (catalog::kViewpoint: search_path, role, server, ...), under the same policy,
/// since nobody committed definitions, and only if it was once told the very same itself.
/// Relations only, and none whose description contains a text that settings of a session change.
///
/// Its caller decides how old an answer may be. Times are Environment::now_ms. Bounded in memory.
/// Belongs to one worker.
class SharedCatalog {
public:
    using Names = std::span<const catalog::RelationName>;
    /// What a session was told itself, the last time.
    using Told = std::map<catalog::RelationName, std::shared_ptr<const catalog::Entry>>;

    /// What all answers are for that may be mixed.
    struct Scope {
        std::string database;
        std::uint64_t policy_epoch = 0;
        std::uint64_t definitions = 0;  ///< DefinitionCount when it was asked, or is to be used
    };

    /// Somebody, of whatever viewpoint, was told about all of `names` at `since_ms` or later.
    bool has(const Scope& scope, Names names, std::int64_t since_ms) const;

    /// All of `names` as `told` has them, or nothing. Returns when the
    /// oldest answer was asked for.
    std::optional<std::int64_t> take(
        const Scope& scope,
        const std::string& viewpoint,
        Names names,
        std::int64_t since_ms,
        const Told& told,
        catalog::Catalog& into
    ) const;

    void put(
        const Scope& scope,
        const std::string& viewpoint,
        const catalog::RelationName& name,
        std::shared_ptr<const catalog::Entry> entry,
        std::int64_t asked_ms
    );

    /// A brief look-up said nothing about this relation: the next one had better be a whole one.
    void note_intricate(const std::string& database, const catalog::RelationName& name);
    bool is_intricate(const std::string& database, const catalog::RelationName& name) const;

    /// Thousandths from 0 to 999, evenly spread over those who ask: sessions that look again at
    /// different times mostly find that another one just did.
    std::uint32_t next_turn() { return (618 * turns_++) % 1000; }

    static constexpr std::size_t kBytesMax = std::size_t{4} << 20U;

private:
    struct Key {
        std::string database;
        std::uint64_t policy_epoch = 0;
        catalog::RelationName name;
        std::string viewpoint;

        friend auto operator<=>(const Key&, const Key&) = default;
    };

    struct Known {
        std::shared_ptr<const catalog::Entry> entry;
        std::int64_t asked_ms = 0;
        std::uint64_t definitions = 0;
    };

    static bool is_good(const Known& known, const Scope& scope, std::int64_t since_ms) {
        return known.definitions == scope.definitions && known.asked_ms >= since_ms;
    }

    static constexpr std::size_t kIntricateMax = 4096;

    std::map<Key, Known> known_;
    std::set<std::pair<std::string, catalog::RelationName>> intricate_;
    std::size_t size_bytes_ = 0;
    std::uint32_t turns_ = 0;
};

}  // namespace pgveil::relay
