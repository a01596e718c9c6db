#pragma once

#include "proxy/relay/outgoing.hpp"
#include "proxy/wire/backend.hpp"
#include "proxy/wire/frame.hpp"
#include "sql/analysis/plan.hpp"

#include <cstddef>
#include <string_view>

namespace pgveil::relay {

struct SessionState;

/// What the server has said so far to a Query that left as a batch, so that encrypted columns come
/// in binary (SQL.md section 5). The client gets what it would have got for the Query: no
/// acknowledgements, and the end of the statement when its commit has succeeded. A value.
class BatchedQuery {
public:
    /// Parse, Bind, Close and Close are acknowledged, in this order. False: not this one now.
    bool acknowledge(wire::BackendType type);

    /// The end of the statement: kept until release(). False: it came already.
    bool keep_end(const wire::Frame& end);

    /// The server has not said yet that it has as many columns as were planned.
    bool is_binding() const { return acknowledged_ == 1; }

    /// Shows what is kept, once.
    void release(Outgoing& client);

private:
    std::size_t acknowledged_ = 0;
    bool has_ended_ = false;
    core::Bytes end_;
};

/// The Query that `analysis` decided may leave as a batch, and it pays: one SELECT that may bring
/// many encrypted values, with nothing outstanding, outside of a batch and of a failed transaction.
/// In doubt no: what a statement can see of the way it came is not looked for elsewhere.
bool leaves_as_batch(const SessionState& state, const analysis::Analysis& analysis);

/// Writes Parse, Bind, Describe, Execute, Close of the portal and of the statement, and Sync. Both
/// are unnamed: a Query drops them, too.
void append_batch(
    wire::Output& upstream, std::string_view text, const analysis::StatementPlan& plan
);

}  // namespace pgveil::relay
