#pragma once

#include "proxy/wire/output.hpp"

namespace pgveil::session {

/// What clients want to know of a server before they send a query, for database `pgveil`, where the
/// proxy itself answers: its settings, then ReadyForQuery.
void append_own_greeting(wire::Output& out);

}  // namespace pgveil::session
