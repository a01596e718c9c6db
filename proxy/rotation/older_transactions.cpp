#include "proxy/rotation/older_transactions.hpp"

#include <chrono>
#include <thread>

namespace pgveil::rotation {

namespace {

/// Twice what a proxy takes to hear of a change in a shared store.
constexpr std::chrono::milliseconds kAllProxies(2000);

}  // namespace

migration::Result<OlderTransactions> OlderTransactions::see(migration::Connection& database) {
    std::this_thread::sleep_for(kAllProxies);
    const auto found = database.run(
        "SELECT DISTINCT virtualtransaction FROM pg_catalog.pg_locks WHERE locktype = 'virtualxid' "
        "AND granted AND pid <> pg_catalog.pg_backend_pid()"
    );
    if (!found) {
        return found.error();
    }
    OlderTransactions older;
    for (const migration::Row& row : *found) {
        older.list_ += (older.list_.empty() ? "'" : ", '") + row[0] + "'";
    }
    return older;
}

migration::Result<void> OlderTransactions::outlast(
    migration::Connection& database, migration::Progress& progress
) const {
    for (int round = 0; !list_.empty(); ++round) {
        const auto left = database.run(
            "SELECT pg_catalog.string_agg(DISTINCT pid::text, ', ') FROM pg_catalog.pg_locks "
            "WHERE locktype = 'virtualxid' AND granted AND virtualtransaction IN (" +
            list_ + ")"
        );
        if (!left) {
            return left.error();
        }
        if (left->front()[0].empty()) {
            break;
        }
        if (round == 1) {
            progress.say(
                "waiting for transactions that are older than this run, of server processes " +
                left->front()[0] + ": they may have the former key"
            );
        }
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
    return {};
}

}  // namespace pgveil::rotation
