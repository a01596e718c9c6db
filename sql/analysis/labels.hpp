#pragma once

#include "sql/analysis/plan.hpp"
#include "sql/parse/tokens.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pgveil::analysis {

/// Names of result columns: where a splice changes the expression that PostgreSQL would name the
/// column after, the name that it would have given is written behind it.
class Labels {
public:
    /// An item of a select list or of RETURNING that has no alias.
    /// @param name empty: `?column?`
    void note(std::uint32_t begin, std::string name) { items_.push_back({begin, std::move(name)}); }

    /// Adds to `splices` what is needed for them. `end`: of the statement.
    void complete(std::vector<Splice>& splices, const parse::Tokens& tokens, std::uint32_t end)
        const;

private:
    struct Item {
        std::uint32_t begin;
        std::string name;
    };

    std::vector<Item> items_;
};

}  // namespace pgveil::analysis
