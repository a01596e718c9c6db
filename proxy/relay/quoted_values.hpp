#pragma once

#include "keyshare/core/secret.hpp"
#include "proxy/relay/session_state.hpp"
#include "proxy/wire/error_response.hpp"

#include <string_view>
#include <vector>

namespace pgveil::relay {

/// The values that an error of the server quotes, as in `Key (ssn)=(\x0102...) already exists`:
/// each envelope becomes its text where the request has the key of the column, else "(encrypted)".
/// The error names the table; which of its columns an envelope is of, its AEAD decides. Values of
/// columns with bind_to, and those that the server cut off, do not open. Made for one error.
class QuotedValues {
public:
    /// `request` may be null: then nothing opens.
    QuotedValues(SessionState& state, Segment* request, const wire::ErrorResponse& error);

    /// The text of one field as the client may see it.
    core::SecretBytes shown(std::string_view text);

private:
    /// False: it does not open, and nothing was appended.
    bool append_opened(core::ByteView envelope, core::SecretBytes& to);

    SessionState& state_;
    Segment* request_;
    std::vector<analysis::ColumnPtr> columns_;
};

}  // namespace pgveil::relay
