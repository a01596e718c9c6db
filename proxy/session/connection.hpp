#pragma once

#include "net/loop.hpp"
#include "net/stream.hpp"

#include <memory>

namespace pgveil::session {

class Worker;

/// A connection from accept to close: cancel, bootstrap, console or session. Throws nothing.
net::Awaitable<void> run_session(Worker& worker, std::unique_ptr<net::Stream> client);

}  // namespace pgveil::session
