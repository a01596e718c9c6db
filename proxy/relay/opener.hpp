#pragma once

#include "proxy/relay/row_keys.hpp"
#include "proxy/relay/session_state.hpp"
#include "proxy/wire/row.hpp"

#include <boost/system/result.hpp>

// What comes back: descriptions that show the logical types, and rows with their values opened.
namespace pgveil::relay {

using Outcome = boost::system::result<void, Refusal>;

/// Appends the RowDescription the client would get from plain columns. `described` is what the
/// server sent; kRowMismatch unless it fits the plan (column count, type 17 where protected).
Outcome open_description(
    const wire::RowDescription& described, const Portal& portal, wire::Output& client
);

/// Appends the ParameterDescription for plain columns.
void open_parameters(
    const wire::ParameterDescription& described,
    const analysis::StatementPlan& plan,
    wire::Output& client
);

/// The value in the protected, not NULL cell `index` of a row: kValueNotOpened if it was altered or
/// moved; nothing where the client is to see NULL, because the user lacks its key group. `segment`
/// has keys; the value stands in its room until the next one is opened.
boost::system::result<std::optional<core::ByteView>, Refusal> open_value(
    SessionState& state,
    Segment& segment,
    const std::vector<analysis::ResultColumn>& results,
    std::size_t index,
    std::span<const FormattedCell> cells
);

/// Appends the row as the client shall see it: protected cells opened (kValueNotOpened,
/// kRowMismatch), the receipt of a SQL call, the value of a session parameter. `expected` has a
/// portal; its segment has keys if values are to be opened. On refusal nothing was appended.
Outcome answer_row(
    SessionState& state, const wire::DataRow& row, const Expected& expected, wire::Output& client
);

/// Notes which columns of a result without a plan are to be looked at. False: not a RowDescription.
bool describe_unplanned(SessionState& state, Expected& expected, core::ByteView body);

/// A row of a result without a plan, which is passed on as it is: kEnvelopeInResult if it holds a
/// value under a key of ours, kRowMismatch if it cannot be read.
Outcome check_unplanned(const SessionState& state, const Expected& expected, core::ByteView body);

}  // namespace pgveil::relay
