#pragma once

#include "proxy/relay/outgoing.hpp"
#include "proxy/relay/row_keys.hpp"
#include "proxy/relay/session_state.hpp"
#include "sql/analysis/copy_plan.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <span>

namespace pgveil::relay {

/// Where in the data of COPY FROM an error was found, as PostgreSQL's CONTEXT says it.
/// @param line 1-based
std::string copy_context(const analysis::CopyPlan& plan, std::uint64_t line);
/// ... with the text of the whole line, cut at 100 bytes.
std::string copy_context(const analysis::CopyPlan& plan, std::uint64_t line, std::string_view text);

/// A CopyFail upstream in place of the rest of the data; the client is told `refusal` instead of
/// the server's error. The COPY at hand is the first that a reply is awaited of.
void refuse_copy(SessionState& state, Refusal refusal, Outgoing& upstream);

/// Seals the values of one row of COPY FROM.
class CopySealer {
public:
    CopySealer(SessionState& state, Segment& segment, const analysis::CopyPlan& plan)
        : state_(&state), segment_(&segment), plan_(&plan) {}

    /// The envelope of the protected field `index`, whose cell is not NULL. `cells`: the whole row,
    /// at least its keys. `line` for the error's context; the SQLSTATE is PostgreSQL's.
    /// In the room of the segment until the next one.
    boost::system::result<core::ByteView, Refusal> seal(
        std::size_t index, std::span<const FormattedCell> cells, std::uint64_t line
    );

    /// An error of that field, with the place where it was found.
    Refusal located(
        Refusal refusal, std::size_t index, const FormattedCell& cell, std::uint64_t line
    ) const;

private:
    SessionState* state_;
    Segment* segment_;
    const analysis::CopyPlan* plan_;
};

}  // namespace pgveil::relay
