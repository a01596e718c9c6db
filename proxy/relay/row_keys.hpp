#pragma once

#include "proxy/relay/formatted_cell.hpp"
#include "proxy/relay/refusal.hpp"
#include "proxy/relay/statements.hpp"
#include "proxy/wire/values.hpp"
#include "sql/analysis/plan.hpp"
#include "sql/types/style.hpp"

#include <boost/system/result.hpp>

#include <optional>
#include <span>
#include <vector>

// bind_to: the row that a value belongs to, from the keys that come beside it.
namespace pgveil::relay {

/// The row that `keys` name, with the parameters of a Bind. nullopt: a key in WHERE is NULL, so
/// that no row is concerned. A NULL key that is to be stored is refused (22004).
boost::system::result<std::optional<core::Bytes>, Refusal> row_of_parameters(
    const analysis::RowKeys& keys,
    std::span<const FormattedCell> parameters,
    const types::TextStyle& style
);

/// The row that the value in `column` of a result row came with. kValueNotOpened when a key is NULL
/// or not a value of its type: then the value is not in its row.
boost::system::result<core::Bytes, Refusal> row_of_result(
    const std::vector<analysis::ResultColumn>& results,
    std::size_t column,
    std::span<const FormattedCell> cells,
    const types::TextStyle& style
);

/// The row that the value in `column` of a row of COPY FROM is written to. A NULL key is refused
/// (22004), and one that is not a value of its type, with PostgreSQL's error.
boost::system::result<core::Bytes, Refusal> row_of_copied(
    const std::vector<analysis::ResultColumn>& columns,
    std::size_t column,
    std::span<const FormattedCell> cells,
    const types::TextStyle& style
);

}  // namespace pgveil::relay
