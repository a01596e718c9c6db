#pragma once

#include "config/settings.hpp"
#include "net/loop.hpp"
#include "proxy/session/login_error.hpp"
#include "proxy/session/scram.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace pgveil::session {

/// Null: there is no such user, or none who can log in by SCRAM.
using FoundVerifier = std::shared_ptr<const ScramVerifier>;

/// Where secrets of users come from that stand in no file: the database's answer to `auth_query`.
/// Implemented above this folder, which knows no libpq. Any thread.
class SecretSource {
public:
    /// A verifier (or null), or why nothing could be asked.
    using Answer = boost::system::result<FoundVerifier, std::string>;
    using Done = std::function<void(Answer)>;

    SecretSource() = default;
    SecretSource(const SecretSource&) = delete;
    SecretSource& operator=(const SecretSource&) = delete;
    SecretSource(SecretSource&&) = delete;
    SecretSource& operator=(SecretSource&&) = delete;
    virtual ~SecretSource() = default;

    /// Returns at once; `done` is called from another thread, once.
    virtual void ask(
        std::shared_ptr<const config::Settings> settings, std::string user, Done done
    ) = 0;
};

/// What was answered lately, unknown users included. Any thread.
class SecretCache {
public:
    using Clock = std::chrono::steady_clock;

    /// Nothing: not asked within `lifetime` before `now`.
    std::optional<FoundVerifier> find(
        const std::string& user, std::chrono::milliseconds lifetime, Clock::time_point now
    ) const;
    void keep(const std::string& user, FoundVerifier verifier, Clock::time_point now);
    /// After a wrong password: it may have been changed. Users who were unknown stay so for their
    /// time, or strangers could have the database asked as often as they like.
    void forget(const std::string& user);
    /// After a reload: another query may have another answer.
    void forget_all();

private:
    struct Entry {
        FoundVerifier verifier;
        Clock::time_point since;
    };

    mutable std::mutex mutex_;
    std::map<std::string, Entry> entries_;
};

/// The verifier of a user by `settings->auth_query`: from `cache`, else from `source`. Errors:
/// 08006 if the database cannot be asked or does not answer within `timeout`.
net::Awaitable<Result<FoundVerifier>> find_secret(
    net::Loop& loop,
    SecretSource& source,
    SecretCache& cache,
    std::shared_ptr<const config::Settings> settings,
    std::string user
);

}  // namespace pgveil::session
