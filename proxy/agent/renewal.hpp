#pragma once

#include "proxy/wire/backend.hpp"

#include <cstdint>
#include <string_view>

namespace pgveil::agent {

/// Which parameters the session must be given before its next request.
enum class Due {
    kNothing,
    kToken,       ///< much of its time is over
    kEverything,  ///< the session may have none: after RESET, DISCARD, a rollback, a refusal
};

/// When a session needs shares again. Pure; belongs to one session; times are Unix seconds.
class Renewal {
public:
    /// What the session has now, in a transaction with `status`. A SET within one is undone by its
    /// rollback, so that after it everything counts as lost.
    void given(Due what, std::int64_t now_s, std::int64_t valid_s, wire::TransactionStatus status);

    /// CommandComplete of a statement of the client's.
    void on_command(std::string_view tag);

    /// The proxy refused a statement for want of valid shares (28000).
    void on_refused() { is_lost_ = true; }

    /// ReadyForQuery.
    void on_status(wire::TransactionStatus status);

    /// Outside transactions a token is renewed when half of its time is over, within them when five
    /// sixths are: the proxy reads back what a SET has changed, and behind that query the client
    /// could not choose an isolation level any more. One that begins has a third of that time left.
    /// In a failed transaction no SET is possible, and none is needed. In an open one at most
    /// kInTransactionMax values are given: the proxy remembers so many (SessionParameters), and its
    /// refusal would fail the transaction.
    Due due(std::int64_t now_s, wire::TransactionStatus status) const;

    static constexpr int kInTransactionMax = 36;

private:
    std::int64_t renew_at_s_ = 0;
    std::int64_t renew_in_transaction_at_s_ = 0;
    int in_transaction_ = 0;
    bool is_lost_ = true;
};

}  // namespace pgveil::agent
