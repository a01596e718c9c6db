#pragma once

#include "proxy/rotation/exchange.hpp"

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace pgveil::rotation {

/// The searchable columns of one key group in one database: bundle by bundle they get the next key.
class Searchable {
public:
    Searchable(
        Connection& database,
        migration::Progress& progress,
        const config::Policy& policy,
        const migration::MaintenanceUser& user,
        migration::Rekeying rekeying
    )
        : database_(database),
          progress_(progress),
          policy_(policy),
          user_(user),
          rekeying_(std::move(rekeying)),
          exchange_(database, progress, policy, rekeying_) {}

    /// All bundles with a table of `asked` (empty: all) that nothing is in the way of; says what is
    /// in the way of the others.
    Result<void> run(
        const std::set<config::PolicyName>& asked,
        Connection& proxy,
        migration::Filling& filling,
        std::chrono::milliseconds absence
    );

    /// Says on standard output what a run would do and what is in its way, which is an error.
    Result<void> plan(const std::set<config::PolicyName>& asked);

private:
    Result<std::vector<Bundle>> find(const std::set<config::PolicyName>& asked);
    Result<std::vector<std::string>> obstacles(const Bundle& bundle);

    Connection& database_;
    migration::Progress& progress_;
    const config::Policy& policy_;
    const migration::MaintenanceUser& user_;
    migration::Rekeying rekeying_;
    Exchange exchange_;
};

}  // namespace pgveil::rotation
