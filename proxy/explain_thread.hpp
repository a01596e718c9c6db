#pragma once

#include "proxy/session/control.hpp"
#include "proxy/session/snapshot.hpp"

#include <memory>

namespace pgveil::proxy {

/// Answers EXPLAIN VEIL of the console, one after the other, on a thread of its own: the look-ups
/// block, and a database that hangs must hold up neither sessions nor signals. At most a few wait.
class ExplainThread {
public:
    ExplainThread();
    ExplainThread(const ExplainThread&) = delete;
    ExplainThread& operator=(const ExplainThread&) = delete;
    ExplainThread(ExplainThread&&) = delete;
    ExplainThread& operator=(ExplainThread&&) = delete;
    /// Does not wait for a database.
    ~ExplainThread();

    /// `request` is an EXPLAIN VEIL; it is answered under this snapshot. 53000 when too many wait.
    void post(session::ControlRequest request, session::SnapshotPtr snapshot);

private:
    struct Queue;
    std::shared_ptr<Queue> queue_;
};

}  // namespace pgveil::proxy
