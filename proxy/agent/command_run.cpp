#include "proxy/agent/command_run.hpp"

#include "keyshare/core/jws.hpp"
#include "keyshare/share/command.hpp"
#include "keyshare/share/receipt.hpp"
#include "proxy/wire/row.hpp"

namespace pgveil::agent {

void CommandRun::on_row(wire::ByteView body) {
    const auto row = wire::decode_data_row(body);
    if (row.has_value() && row->cells.size() == 1) {
        const wire::Cell cell = *row->cells.begin();
        receipts_ = cell ? wire::as_text(*cell) : std::string_view();
    }
}

user::Result<void> CommandRun::finish(ShareTable& table, const share::UserKey& key) const {
    if (is_refused_) {
        return {};
    }
    if (auto checked = check_receipts(key); !checked) {
        return checked;
    }
    if (call_.function == CommandCall::Function::kWithdrawUser) {
        return table.forget(call_.user_id);
    }
    if (call_.app_share.empty()) {
        return {};
    }
    return table.keep(key.tenant, call_.user_id, call_.app_share.reveal());
}

user::Result<void> CommandRun::check_receipts(const share::UserKey& key) const {
    const auto commands = share::split_commands(call_.commands);
    const auto receipts = share::split_commands(receipts_);
    if (!commands || !receipts || commands->size() != receipts->size()) {
        return user::failed("the proxy did not answer with one receipt for each command");
    }
    const core::VerifyingKey identity(key.proxy_identity);
    share::Outcome outcome = share::Outcome::kRefused;
    for (std::size_t i = 0; i < commands->size(); ++i) {
        const auto receipt =
            share::verify_receipt_of((*receipts)[i], (*commands)[i], identity, key.tenant);
        if (!receipt) {
            return user::failed("a receipt is not the proxy's: " + receipt.error().message);
        }
        outcome = receipt->outcome;
    }
    if (outcome != share::Outcome::kApplied) {
        return user::failed("the proxy did not apply the command, as its receipt says");
    }
    return {};
}

}  // namespace pgveil::agent
