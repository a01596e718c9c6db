#pragma once

#include "proxy/migration/connection.hpp"
#include "proxy/migration/progress.hpp"

#include <string>

namespace pgveil::rotation {

/// Transactions of the whole server that began before every proxy knew a next key: what they write
/// may stand under a former one.
class OlderTransactions {
public:
    /// Waits until every proxy has the keyring that the home database has, and looks.
    static migration::Result<OlderTransactions> see(migration::Connection& database);

    /// Waits until all of them have ended.
    migration::Result<void> outlast(migration::Connection& database, migration::Progress& progress)
        const;

private:
    std::string list_;  // virtual transaction ids, for SQL; empty: there are none
};

}  // namespace pgveil::rotation
