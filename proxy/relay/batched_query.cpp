#include "proxy/relay/batched_query.hpp"

#include "proxy/relay/sealer.hpp"
#include "proxy/relay/session_state.hpp"
#include "proxy/wire/frontend.hpp"

#include <array>
#include <utility>
#include <vector>

namespace pgveil::relay {

using wire::BackendType;

bool BatchedQuery::acknowledge(BackendType type) {
    constexpr std::array kOrder = {
        BackendType::kParseComplete,
        BackendType::kBindComplete,
        BackendType::kCloseComplete,
        BackendType::kCloseComplete};
    if (acknowledged_ == kOrder.size() || kOrder.at(acknowledged_) != type) {
        return false;
    }
    ++acknowledged_;
    return true;
}

bool BatchedQuery::keep_end(const wire::Frame& end) {
    end_.assign(end.bytes.begin(), end.bytes.end());
    return !std::exchange(has_ended_, true);
}

void BatchedQuery::release(Outgoing& client) {
    if (!end_.empty()) {
        client.made().append(end_);
        end_.clear();
    }
}

bool leaves_as_batch(const SessionState& state, const analysis::Analysis& analysis) {
    if (analysis.statements.size() != 1 || !state.pending.empty() || state.batch_open ||
        state.transaction == wire::TransactionStatus::kFailed) {
        return false;
    }
    const auto* const plan = std::get_if<analysis::StatementPlan>(&analysis.statements.front());
    return plan != nullptr && plan->kind == analysis::StatementKind::kSelect &&
           plan->may_bring_many && !plan->results.empty() && plan->parameter_count == 0 &&
           plan->used_name.empty() && !plan->call && !plan->shown_parameter;
}

void append_batch(
    wire::Output& upstream, std::string_view text, const analysis::StatementPlan& plan
) {
    using wire::Target;
    wire::append_parse(upstream, "", text, {});
    wire::BindWriter bind(upstream, {"", ""}, std::span<const wire::Format>(), 0);
    bind.finish(result_formats(wire::FormatCodes(), plan));
    wire::append_describe(upstream, Target::kPortal, "");
    wire::append_execute(upstream, "", 0);
    wire::append_close(upstream, Target::kPortal, "");
    wire::append_close(upstream, Target::kStatement, "");
    wire::append_empty(upstream, wire::FrontendType::kSync);
}

}  // namespace pgveil::relay
