#pragma once

#include "proxy/wire/output.hpp"

#include <string_view>

// What the agent says in a session of its client: extended queries under names of their own, which
// leave the client's unnamed statement and portal alone.
namespace pgveil::agent {

/// One statement without a result that matters, or with one row of one text.
void append_statement(wire::Output& out, std::string_view text);

/// SET name = 'value' as a statement. A SET, unlike set_config(), needs no snapshot, so that a
/// client may still say SET TRANSACTION behind it.
void append_setting(wire::Output& out, std::string_view name, std::string_view value);

/// Ends the request.
void append_sync(wire::Output& out);

}  // namespace pgveil::agent
