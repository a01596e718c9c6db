#pragma once

#include <csignal>

namespace pgveil::agent {

/// SIGTERM, SIGINT and SIGQUIT: those that end pgveil-agent.
sigset_t ending_signals();

/// Those, and SIGHUP, which pgveil-agent serve reloads at.
sigset_t served_signals();

/// Blocks them in this thread and those that it starts from now on: they are waited for. SIGPIPE is
/// ignored from now on.
void block_signals(const sigset_t& signals);

}  // namespace pgveil::agent
