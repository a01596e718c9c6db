#pragma once

#include "proxy/relay/copy_cells.hpp"
#include "proxy/relay/opener.hpp"
#include "proxy/relay/row_keys.hpp"
#include "sql/analysis/copy_plan.hpp"
#include "sql/copy/binary.hpp"
#include "sql/copy/fields.hpp"

#include <memory>
#include <vector>

namespace pgveil::relay {

/// The data of one COPY TO STDOUT of protected columns on its way to the client: protected fields
/// opened and written as PostgreSQL would write the value, all else left as it came.
///
/// PostgreSQL sends one row per CopyData (a binary header together with the first row); anything
/// else is kRowMismatch.
class CopyOut {
public:
    /// `portal` has a CopyPlan.
    CopyOut(std::shared_ptr<const Portal> portal, SegmentPtr segment);

    /// Appends the CopyData message for the client; on refusal nothing.
    Outcome answer(SessionState& state, wire::ByteView body, wire::Output& client);

    /// Why the data cannot be read, if the server announces it with so many columns.
    Outcome check(std::size_t columns) const;

    /// The CopyOutResponse of plain columns.
    void announce(const wire::CopyResponse& response, wire::Output& client) const;

private:
    Outcome answer_line(SessionState& state, std::string_view line, wire::Output& client);
    Outcome answer_units(SessionState& state, wire::ByteView bytes, wire::Output& client);
    Outcome answer_row(SessionState& state, wire::Output& client);
    Outcome append_opened(
        SessionState& state, std::size_t index, bool is_forced, wire::Output& client
    );
    bool split(std::string_view line);
    bool is_quoted_by_wish(std::size_t index) const;

    std::shared_ptr<const Portal> portal_;
    SegmentPtr segment_;
    const analysis::CopyPlan* plan_;
    std::vector<copy::Field> fields_;
    std::vector<copy::BinaryField> binary_fields_;
    CopyCells values_;
    std::vector<FormattedCell> cells_;  ///< binary
    bool expects_header_;
};

}  // namespace pgveil::relay
