#pragma once

#include "proxy/migration/switchover.hpp"
#include "proxy/rotation/bundles.hpp"

#include <string>
#include <vector>

namespace pgveil::rotation {

/// Gives the searchable columns of a bundle of tables another data key: each table gets another one
/// beside it, T__veiled, filled through the proxy and kept up by marks as a migration does, in
/// which the database lets values under that key pass only; then all of them take their names in
/// one transaction, and the former ones are dropped. All state lies in the database: whoever begins
/// again goes on.
class Exchange {
public:
    Exchange(
        Connection& database,
        migration::Progress& progress,
        const config::Policy& policy,
        migration::Rekeying rekeying
    )
        : database_(database),
          progress_(progress),
          policy_(policy),
          rekeying_(std::move(rekeying)) {}

    /// Ends what an earlier run has left behind its switch: a table without its name, former
    /// tables.
    Result<void> end_former();

    /// What stands in the way of a bundle, one line each with what to do about it; empty: nothing.
    Result<std::vector<std::string>> obstacles(const Bundle& bundle);

    /// Through `proxy`, whose user has every group of the tables. Nothing may stand in the way.
    Result<void> run(
        const Bundle& bundle,
        Connection& proxy,
        migration::Filling& filling,
        std::chrono::milliseconds absence
    );

private:
    Result<migration::Table> read(const config::PolicyName& name);
    Result<void> prepare(migration::Table& table, Connection& proxy, migration::Filling& filling);
    Result<void> drop_former(const config::PolicyName& name);

    Connection& database_;
    migration::Progress& progress_;
    const config::Policy& policy_;
    migration::Rekeying rekeying_;
};

}  // namespace pgveil::rotation
