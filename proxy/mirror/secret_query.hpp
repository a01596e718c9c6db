#pragma once

#include "config/settings.hpp"
#include "keyshare/core/secret.hpp"
#include "proxy/mirror/database.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace pgveil::mirror {

/// Asks the database for the secrets of users, by the query of the settings. One thread and one
/// connection, made at the first question and kept; TLS as on the upstream leg. Any thread may ask.
class SecretQuery {
public:
    /// The last column of the one row; nothing without a row, or with NULL there.
    using Answer = Result<std::optional<core::SecretBytes>>;
    using Done = std::function<void(const Answer&)>;

    SecretQuery();
    SecretQuery(const SecretQuery&) = delete;
    SecretQuery& operator=(const SecretQuery&) = delete;
    SecretQuery(SecretQuery&&) = delete;
    SecretQuery& operator=(SecretQuery&&) = delete;
    /// Waits a second for the question that is being asked, and leaves a database that hangs to
    /// itself; the others get no answer.
    ~SecretQuery();

    /// Returns at once; `done` is called on the thread of this object. Another `settings` than last
    /// time makes a new connection.
    void ask(std::shared_ptr<const config::Settings> settings, std::string user, Done done);

private:
    class Asker;
    std::shared_ptr<Asker> asker_;
};

}  // namespace pgveil::mirror
