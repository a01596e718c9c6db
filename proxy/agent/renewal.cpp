#include "proxy/agent/renewal.hpp"

namespace pgveil::agent {

using wire::TransactionStatus;

void Renewal::given(Due what, std::int64_t now_s, std::int64_t valid_s, TransactionStatus status) {
    is_lost_ = false;
    renew_at_s_ = now_s + valid_s / 2;
    renew_in_transaction_at_s_ = now_s + valid_s * 5 / 6;
    if (status == TransactionStatus::kInTransaction) {
        in_transaction_ += what == Due::kEverything ? 3 : 1;
    }
}

/// The tags of RESET, RESET ALL, DISCARD ALL, ROLLBACK and ROLLBACK TO SAVEPOINT. A COMMIT of a
/// failed transaction says ROLLBACK, too.
void Renewal::on_command(std::string_view tag) {
    const bool undoes = tag == "ROLLBACK" && in_transaction_ > 0;
    is_lost_ = is_lost_ || undoes || tag == "RESET" || tag == "DISCARD ALL";
}

void Renewal::on_status(TransactionStatus status) {
    if (status == TransactionStatus::kIdle && in_transaction_ > 0) {
        in_transaction_ = 0;
        is_lost_ = true;  // a COMMIT may have failed
    }
}

Due Renewal::due(std::int64_t now_s, TransactionStatus status) const {
    const bool is_possible =
        status == TransactionStatus::kIdle ||
        (status == TransactionStatus::kInTransaction && in_transaction_ < kInTransactionMax);
    if (!is_possible) {
        return Due::kNothing;
    }
    if (is_lost_) {
        return Due::kEverything;
    }
    const std::int64_t renew_at_s =
        status == TransactionStatus::kIdle ? renew_at_s_ : renew_in_transaction_at_s_;
    return now_s >= renew_at_s ? Due::kToken : Due::kNothing;
}

}  // namespace pgveil::agent
