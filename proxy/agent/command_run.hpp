#pragma once

#include "keyshare/share/token.hpp"
#include "keyshare/user/error.hpp"
#include "proxy/agent/command_call.hpp"
#include "proxy/agent/share_table.hpp"
#include "proxy/wire/bytes.hpp"

#include <string>

namespace pgveil::agent {

/// One call of the tenant's on its way: what the proxy answers, and what becomes of the share table
/// then. Belongs to one session.
class CommandRun {
public:
    explicit CommandRun(CommandCall call) : call_(std::move(call)) {}

    const std::string& user_id() const { return call_.user_id; }

    void on_row(wire::ByteView body);

    /// The proxy refused the call: its client is told by the proxy.
    void on_error() { is_refused_ = true; }

    /// Behind the last reply. The table changes only if the proxy that is pinned in `key` has
    /// signed a receipt for each command, and has applied the last. The error says why it did not.
    user::Result<void> finish(ShareTable& table, const share::UserKey& key) const;

private:
    user::Result<void> check_receipts(const share::UserKey& key) const;

    CommandCall call_;
    std::string receipts_;
    bool is_refused_ = false;
};

}  // namespace pgveil::agent
