#pragma once

#include "proxy/relay/session_state.hpp"
#include "proxy/wire/frontend.hpp"

#include <boost/system/result.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

// What leaves: literals inside the text of a statement, and the parameters of a Bind.
namespace pgveil::relay {

/// A text with every splice carried out: literals sealed, shares turned into handles.
struct SealedText {
    std::string text;
    PositionMapPtr positions;
};

/// Carries the splices of all planned statements of `analysis` out on `user_text`. `segment` needs
/// keys if any statement needs_keys(). `refused` (if any) is a statement of the text that is not
/// sent: the marker stands in its place, and nothing behind it leaves.
struct RefusedStatement {
    std::uint32_t begin = 0;
    std::string marker;
};

boost::system::result<SealedText, Refusal> seal_text(
    SessionState& state,
    std::string_view user_text,
    const analysis::Analysis& analysis,
    const std::optional<RefusedStatement>& refused
);

/// Writes a Bind for `plan` with its protected parameters sealed (as binary bytea), shares turned
/// into handles, everything else as the client sent it, and protected result columns asked for in
/// binary. On refusal nothing was written. `arguments` (of a VeilCall) receives the values.
boost::system::result<void, Refusal> seal_bind(
    SessionState& state,
    const wire::Bind& bind,
    const analysis::StatementPlan& plan,
    wire::Output& upstream
);

/// How the columns of `plan`, which has results, are asked for: protected ones, and keys that only
/// we asked for, in binary, the others as the client wants them.
std::vector<wire::Format> result_formats(
    const wire::FormatCodes& wanted, const analysis::StatementPlan& plan
);

/// The handle that leaves in place of the value of a session parameter.
boost::system::result<std::string, Refusal> handle_for(
    SessionState& state, analysis::SessionParameter which, core::ByteView value
);

/// Tells Environment::on_repeated of each: a value of it leaves unencrypted, too.
void note_repeated(SessionState& state, std::span<const analysis::ColumnPtr> columns);

/// One value under the live key of `column`; `segment` has keys. `row`: row_binding(), or empty.
/// The envelope stands in the room of the segment until the next value is sealed or opened.
boost::system::result<core::ByteView, Refusal> seal_value(
    const SessionState& state,
    Segment& segment,
    const analysis::ColumnPtr& column,
    core::ByteView plaintext,
    core::ByteView row
);

}  // namespace pgveil::relay
