#pragma once

#include "proxy/metrics/histogram.hpp"
#include "proxy/relay/audited_statement.hpp"
#include "proxy/relay/batched_query.hpp"
#include "proxy/relay/refusal.hpp"
#include "proxy/relay/segment.hpp"
#include "proxy/relay/statements.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::relay {

class CopiedRows;

/// What was sent upstream and must be answered.
enum class Awaited : std::uint8_t {
    kParse,
    kBind,
    kDescribeStatement,
    kDescribePortal,
    kExecute,
    kClose,
    kSync,
    kQuery,
    kFunctionCall,
};

/// When a statement began, for slow ones.
struct Timing {
    std::int64_t begun_ms = 0;
    std::shared_ptr<const std::string> text;  ///< with placeholders; null: not known
    bool failed = false;
};

/// One message sent upstream whose answer is still to come.
struct Expected {
    Awaited kind = Awaited::kSync;
    bool injected = false;  ///< sent by the proxy: the client sees nothing of the answer
    bool silenced = false;  ///< the client was told an error already: it sees no more of this
    bool changes_settings = false;  ///< may change what literals and rows look like
    SegmentPtr segment;
    /// Query: its planned statements in order (empty: all plain). Describe, Execute: portal or
    /// statement in question, at most one.
    std::vector<std::shared_ptr<const Portal>> portals;
    /// Looks at rows that have no portal above; null: nothing is looked at.
    std::shared_ptr<ResultGuard> guard;
    std::optional<BatchedQuery> batch;  ///< Query: it left as one
    std::size_t current = 0;            ///< Query: the statement whose reply is coming
    std::optional<Refusal> refusal;     ///< stands in for the server's error
    std::string copy_marker;            ///< not empty: it does so if the error quotes this CopyFail
    std::shared_ptr<const CopiedRows> copied_rows;  ///< of a COPY FROM that left in binary
    PositionMapPtr positions;
    std::optional<Undo> undo;
    std::vector<NameChange> name_changes;       ///< of its statements, in order
    std::unique_ptr<Timing> timing;             ///< of a Query or Execute; null: nobody asks
    std::unique_ptr<AuditedStatement> audited;  ///< null: it is not recorded
    Charge charge;                              ///< what it keeps beside what others keep
    metrics::Clock::time_point sent;            ///< unset: not yet, or by the proxy

    /// What the reply now coming belongs to; null: plain.
    const Portal* portal() const {
        return current < portals.size() ? portals[current].get() : nullptr;
    }

    /// Brings rows that are not passed on as they are.
    bool brings_protected_rows() const;

    /// Answered with a ReadyForQuery.
    bool ends_segment() const {
        return kind == Awaited::kSync || kind == Awaited::kQuery || kind == Awaited::kFunctionCall;
    }
};

/// Replies come in the order of requests: this is that order. After an error the server skips
/// everything up to the next Sync, and so does `drop_to_sync`.
class PendingReplies {
public:
    Expected& push(Expected expected);

    bool empty() const { return queue_.empty(); }

    std::size_t size() const { return queue_.size(); }

    /// The reply now coming; null: the server speaks unasked.
    Expected* front() { return queue_.empty() ? nullptr : &queue_.front(); }

    /// The reply that was noted last; null: none.
    Expected* back() { return queue_.empty() ? nullptr : &queue_.back(); }

    void pop();

    /// What was pushed since the last call is leaving now: one reading of the clock for all of it.
    void note_sent();

    /// Drops all entries before the first Sync, newest first, calling `undo` for each that changed
    /// a registry. Returns false if no Sync was found: the client's batch is still open.
    template <class TakeBack>
    bool drop_to_sync(TakeBack take_back) {
        std::size_t end = 0;
        while (end < queue_.size() && queue_[end].kind != Awaited::kSync) {
            ++end;
        }
        const bool found = end < queue_.size();
        for (std::size_t index = end; index > 0; --index) {
            Expected& expected = queue_[index - 1];
            discount(expected);
            if (expected.undo) {
                take_back(*expected.undo);
            }
        }
        queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(end));
        return found;
    }

    /// The client sees no more replies of this segment (its ReadyForQuery excepted).
    void silence(const SegmentPtr& segment);

    /// The server ignores Sync while it reads COPY data: forgets those right behind the front. It
    /// may have failed before it read them, though, and answers them then.
    void forget_syncs_behind_front();

    /// The same of one that comes later.
    void forget_sync() { ++forgotten_syncs_; }

    /// A ReadyForQuery came that nothing else awaits: puts one of those Syncs back in front,
    /// without its segment, whose keys are gone. Returns false if there is none.
    bool recall_sync();

    /// Something else was answered: what was forgotten stays so.
    void settle_syncs() { forgotten_syncs_ = 0; }

    /// Rows that must be opened (or answered) are still to come.
    bool has_protected_rows() const { return protected_rows_ > 0; }

    /// A statement that may change how literals are read has not been answered yet.
    bool settings_in_flight() const { return settings_in_flight_ > 0; }

private:
    void discount(const Expected& expected);

    std::deque<Expected> queue_;
    std::size_t settings_in_flight_ = 0;
    std::size_t protected_rows_ = 0;
    std::size_t forgotten_syncs_ = 0;
};

}  // namespace pgveil::relay
