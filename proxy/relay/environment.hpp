#pragma once

#include "config/policy.hpp"
#include "config/settings.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/store/proxy_custody.hpp"
#include "proxy/alarm/watch.hpp"
#include "proxy/audit/record.hpp"
#include "proxy/metrics/tally.hpp"
#include "proxy/relay/definition_count.hpp"
#include "proxy/relay/plan_cache.hpp"
#include "proxy/relay/shared_catalog.hpp"
#include "sql/types/time_zone.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace pgveil::relay {

/// A statement that took longer than log.slow_statement_ms, as the log may show it.
struct SlowStatement {
    std::string session_id;
    std::string request_id;
    std::string login;
    std::string database;
    std::int64_t took_ms = 0;
    bool failed = false;
    std::string text;  ///< with placeholders for its constants
};

/// What one worker's sessions share. Lives as long as the worker; belongs to its thread, except
/// `custody`, `alarms` and `definitions`, which any thread may use.
struct Environment {
    std::shared_ptr<const config::Policy> policy;  ///< swapped by a reload; sessions pin it
    std::shared_ptr<store::ProxyCustody> custody;  ///< null: no key, nothing protected is served
    config::LimitSettings limits;
    core::RandomSource* random = nullptr;
    const types::TimeZoneSource* zones = nullptr;
    std::function<std::int64_t()> now_s;   ///< Unix time in seconds
    std::function<std::int64_t()> now_ms;  ///< a steady clock, for the age of the catalog
    /// Called for every refusal with its request id and SQLSTATE: for the log, which never sees
    /// the text. May be empty.
    std::function<void(std::string_view request_id, std::string_view sqlstate)> on_refused;
    /// Called when a value of a protected column also leaves unencrypted in the same statement (the
    /// policy's "repeated_values": "count"). May be empty.
    std::function<void(std::string_view session_id, std::string_view column)> on_repeated;
    std::uint32_t slow_statement_ms = 0;  ///< 0: nobody asks
    /// May be empty.
    std::function<void(const SlowStatement& slow)> on_slow;
    /// Called when a statement on protected columns has ended or was refused; sets the time. Empty:
    /// nothing is noted for it.
    std::function<void(audit::Record record)> on_audit;
    /// What is opened or sealed now can be recorded. May be empty: it need not be.
    std::function<bool()> audit_is_ready;
    alarm::Watch* alarms = nullptr;  ///< null: nobody listens
    PlanCache plans;
    SharedCatalog shared_catalog;
    std::shared_ptr<metrics::Tally> tally = std::make_shared<metrics::Tally>();
    /// Of all workers.
    std::shared_ptr<DefinitionCount> definitions = std::make_shared<DefinitionCount>();

    /// The policy for sessions of `database`: an empty one if it does not cover that database.
    std::shared_ptr<const config::Policy> policy_for(std::string_view database) const {
        return policy->covers_database(database) ? policy : uncovered;
    }

    std::shared_ptr<const config::Policy> uncovered =
        std::make_shared<const config::Policy>(config::PolicyContent{});
};

}  // namespace pgveil::relay
