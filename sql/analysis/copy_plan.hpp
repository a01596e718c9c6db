#pragma once

#include "sql/analysis/plan.hpp"
#include "sql/copy/options.hpp"

#include <string>
#include <vector>

namespace pgveil::analysis {

/// One field of each row of a COPY of a table.
struct CopiedField {
    std::string name;
    bool is_never_null = false;       ///< FORCE_NOT_NULL
    bool may_be_quoted_null = false;  ///< FORCE_NULL
    types::Type type = {};            ///< of a plain one, if the rows leave in binary
};

/// What the data of a COPY means in which at least one column is protected.
struct CopyPlan {
    bool is_from = false;
    /// The options are such that the server must refuse them: data may not flow.
    bool is_refused_by_server = false;
    copy::Options options;  ///< of the client's data
    /// COPY FROM in text or csv whose rows leave in binary.
    bool is_sent_in_binary = false;
    std::string relation;               ///< as the server's CONTEXT names it; empty: a query
    std::vector<ResultColumn> columns;  ///< one per field, keys asked for unseen included
    std::vector<CopiedField> fields;    ///< COPY FROM: the same in number
    std::size_t hidden = 0;             ///< keys at the end that the client does not get

    bool is_binary_at_server() const {
        return is_sent_in_binary || options.format == copy::Format::kBinary;
    }

    std::size_t shown() const { return columns.size() - hidden; }
};

}  // namespace pgveil::analysis
