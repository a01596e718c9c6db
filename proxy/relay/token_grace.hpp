#pragma once

#include "proxy/relay/segment.hpp"

#include <cstdint>
#include <memory>

namespace pgveil::relay {

/// The open transaction (a block, or a batch without its Sync) that had keys while their token was
/// valid: it may finish although the token has expired meanwhile (SQL.md section 7). What stands
/// here is exact only while no reply is outstanding: only they tell whether the transaction is
/// over. How long it may take, the custody decides. Belongs to one session; asks nobody.
class TokenGrace {
public:
    /// A request of the transaction got keys from a valid token.
    void begin(const SegmentPtr& request) {
        handles_ = request->built_from;
        token_expires_s_ = request->keys->token_expires_s();
        request_ = request;
        is_open_ = true;
    }

    /// The transaction had keys from the shares behind these handles.
    bool covers(const ShareHandles& handles) const { return is_open_ && handles == handles_; }

    /// From now on it makes a difference.
    bool is_needed(std::int64_t now_s) const { return is_open_ && now_s >= token_expires_s_; }

    /// A command that ends the transaction, or may, is on its way.
    void end() { is_open_ = false; }

    /// The server has ended a transaction with `request`; what was begun in a later one goes on.
    void transaction_ended(const SegmentPtr& request) {
        const SegmentPtr begun_in = request_.lock();
        is_open_ = is_open_ && begun_in != nullptr && begun_in != request;
    }

private:
    bool is_open_ = false;
    ShareHandles handles_;
    std::int64_t token_expires_s_ = 0;
    std::weak_ptr<Segment> request_;
};

}  // namespace pgveil::relay
