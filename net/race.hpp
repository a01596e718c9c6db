#pragma once

#include "net/loop.hpp"

namespace pgveil::net {

/// Runs two coroutines on the calling coroutine's loop until one of them ends, by itself or by an
/// exception. The other is then cancelled: what it waits for ends with operation_aborted. Returns
/// when both have ended.
///
/// Rethrows what ended the first one. What the cancelled one throws is dropped, because it ends
/// that way as a rule. (Asio's `&&` throws multiple_exceptions then, which is no system_error.)
Awaitable<void> race(Awaitable<void> first, Awaitable<void> second);

}  // namespace pgveil::net
