#pragma once

#include "proxy/relay/plan_template.hpp"
#include "proxy/relay/planned.hpp"
#include "sql/catalog/catalog.hpp"
#include "sql/parse/pattern.hpp"
#include "sql/types/style.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pgveil::relay {

/// What a decision depends on beside the catalog.
struct PlanKey {
    std::uint64_t policy_epoch = 0;
    std::string_view database;
    bool standard_conforming_strings = true;
    std::string_view client_encoding;
    std::string_view server_encoding;  ///< another database may come to have the name
    const std::vector<std::uint32_t>& parameter_oids;
    std::string_view text;
    /// How its constants are read; null: it is not looked for among plans with other constants.
    const types::TextStyle* style = nullptr;
};

/// Decisions of one worker, least recently used out, limited in bytes. A decision is used again
/// only while every relation it depends on looks in the session's catalog as it did then; texts
/// with secrets in them (literals to seal, shares) or with names of the session (EXECUTE, FETCH)
/// are never kept. That a SELECT, INSERT, UPDATE or DELETE goes upstream as it is serves every text
/// that differs from it in integers alone: what is protected, names decide. One with literals to
/// seal is kept without them, where that serves other texts (PlanTemplate). Not thread-safe.
class PlanCache {
public:
    /// `bytes_max` 0 keeps nothing.
    void set_limit(std::size_t bytes_max);

    /// Null if there is none that still holds.
    AnalysisPtr find(const PlanKey& key, const catalog::Catalog& catalog);
    void put(const PlanKey& key, const AnalysisPtr& analysis, const catalog::Catalog& catalog);

    std::size_t size_bytes() const { return size_bytes_; }

private:
    struct Dependency {
        catalog::RelationName name;
        catalog::Entry entry;
    };

    struct Item {
        std::string key;
        AnalysisPtr analysis;  // null: one of the next two
        std::optional<PlanTemplate> pattern;
        /// Which constants of a text with these kinds of them are sealed: then the text without
        /// those is the key of a pattern.
        std::vector<std::size_t> sealed;
        std::vector<Dependency> dependencies;
        std::size_t size_bytes = 0;
    };

    using Items = std::list<Item>;

    const Item* find_named(const std::string& name, const catalog::Catalog& catalog);
    AnalysisPtr find_pattern(
        const PlanKey& key, std::span<const parse::Slot> slots, const catalog::Catalog& catalog
    );
    void put_pattern(
        const PlanKey& key, const analysis::Analysis& analysis, const catalog::Catalog& catalog
    );
    static bool note_dependencies(
        Item& item, const analysis::Analysis& analysis, const catalog::Catalog& catalog
    );
    void keep(Item item);
    void erase(Items::iterator item);

    std::size_t bytes_max_ = 0;
    std::size_t size_bytes_ = 0;
    Items items_;  // most recently used first
    std::unordered_map<std::string_view, Items::iterator> by_key_;
};

}  // namespace pgveil::relay
