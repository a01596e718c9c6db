#pragma once

#include "proxy/relay/copied_rows.hpp"
#include "proxy/relay/copy_cells.hpp"
#include "proxy/relay/copy_sealer.hpp"
#include "proxy/wire/backend.hpp"
#include "sql/copy/binary.hpp"
#include "sql/copy/fields.hpp"
#include "sql/copy/line_splitter.hpp"

#include <boost/system/result.hpp>

#include <memory>
#include <vector>

namespace pgveil::relay {

/// The data of one COPY FROM STDIN of protected columns on its way to the server: rows are put
/// together from pieces of any size, their protected fields sealed, all else left as it came, or,
/// if the plan says so, turned from text or csv into binary.
///
/// Memory: one row that is not complete yet (at most kRowMax bytes, wiped), and what the rows of
/// one piece become. After an error nothing more may be given to it.
class CopyIn {
public:
    using Outcome = boost::system::result<void, Refusal>;

    static constexpr std::size_t kRowMax = 256U << 20U;

    /// `portal` has a CopyPlan, `segment` has keys.
    CopyIn(SessionState& state, std::shared_ptr<const Portal> portal, SegmentPtr segment);

    /// The client says CopyFail: what leaves in binary has begun then, so that the server reports
    /// it of the row it waits for, as it does in text.
    void begin(wire::Output& upstream);
    /// Appends CopyData messages for the rows that are complete with these bytes.
    Outcome take(wire::ByteView bytes, wire::Output& upstream);
    /// The client says CopyDone: the last row, if it has no line end.
    Outcome finish(wire::Output& upstream);

    /// Which lines the rows came from, if they leave in another form; else null.
    std::shared_ptr<const CopiedRows> sent_rows() const { return sent_; }

private:
    Outcome take_lines(std::string_view bytes, wire::Output& upstream);
    Outcome take_line(std::string_view bytes, std::size_t end_size, wire::Output& upstream);
    Outcome take_fields(std::string_view line, wire::Output& upstream);
    Outcome take_field(std::size_t index, std::string_view line, wire::Output& upstream);
    Outcome take_header(std::string_view line, std::string_view end, wire::Output& upstream);
    Outcome check_header(std::string_view line);
    Outcome read_fields(std::string_view line);
    boost::system::result<core::ByteView, Refusal> seal_field(
        std::size_t index, std::string_view line
    );

    // copy_in_rows.cpp
    Outcome take_row_for_binary(std::string_view line, wire::Output& upstream);
    Outcome append_row(std::string_view line, wire::Output& upstream);
    Outcome append_field(std::size_t index, std::string_view line, wire::Output& upstream);
    Outcome append_plain(std::size_t index, std::string_view line, wire::Output& upstream);

    // copy_in_units.cpp
    Outcome take_units(wire::ByteView bytes, wire::Output& upstream);
    Outcome take_row(wire::Output& upstream);
    Outcome finish_units(wire::Output& upstream);
    Refusal at_field(const types::Error& error) const;

    Outcome keep(wire::ByteView bytes);
    bool is_end_marker(std::string_view line, std::size_t end_size) const;
    Refusal at_line(const types::Error& error) const;
    Refusal in_encoding(Refusal refusal, std::size_t index, std::string_view line) const;
    Refusal missing_field(std::size_t index, std::string_view line) const;
    Refusal in_line(std::string sqlstate, std::string message, std::string_view line) const;

    SessionState* state_;
    std::shared_ptr<const Portal> portal_;
    SegmentPtr segment_;
    const analysis::CopyPlan* plan_;
    CopySealer sealer_;
    copy::LineSplitter lines_;
    wire::Output begun_;  ///< of the row that is not complete yet
    std::vector<copy::Field> fields_;
    std::vector<copy::BinaryField> binary_fields_;
    CopyCells values_;
    std::vector<FormattedCell> cells_;  ///< binary
    std::uint64_t rows_ = 0;            ///< binary
    std::shared_ptr<CopiedRows> sent_;  ///< null: the rows leave as they come
    bool has_begun_ = false;            ///< what leaves in binary
    bool expects_header_;
    bool is_over_ = false;  ///< the end marker came
};

/// The server asks for the data: whether it can be given. Else the COPY is refused.
/// Returns true if the client is to be asked.
bool begin_copy_in(SessionState& state, const wire::CopyResponse& response, Outgoing& upstream);

}  // namespace pgveil::relay
