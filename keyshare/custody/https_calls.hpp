#pragma once

#include "keyshare/custody/asker_settings.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::custody {

struct HttpsCall {
    std::string url;
    std::string body;  ///< of a POST, JSON; empty: a GET
    bool is_post = false;
};

struct HttpsReply {
    std::string trouble;  ///< why there is no answer; empty: there is one
    long status = 0;
    std::string body;  ///< at most 4 MiB
};

/// HTTPS calls that are under way at the same time. TLS 1.3 with the asker's certificate; the
/// server's must be signed by the asker's CA and no other, and name the host that is called. No
/// proxy of the environment, no redirections. What goes through it is public: secrets in bodies are
/// sealed to somebody. Connections stay open for the next call. One thread at a time; no signals.
class HttpsCalls {
public:
    using Clock = std::chrono::steady_clock;

    /// `limit`: for one call, from connecting to the last byte.
    HttpsCalls(TlsFiles files, std::chrono::milliseconds limit);
    ~HttpsCalls();
    HttpsCalls(const HttpsCalls&) = delete;
    HttpsCalls& operator=(const HttpsCalls&) = delete;

    /// `id` names the call in what next() gives.
    void begin(std::size_t id, const HttpsCall& call);

    struct Finished {
        std::size_t id = 0;
        HttpsReply reply;
    };

    /// The next call that has ended; nothing if none does until then, or none is under way.
    std::optional<Finished> next(Clock::time_point until);

    std::size_t under_way() const;

    /// Forgets those that are under way.
    void abandon();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// All of them at the same time; the replies in the order of the calls. Nothing else is under way
/// (invariant).
std::vector<HttpsReply> call_all(HttpsCalls& calls, const std::vector<HttpsCall>& all);

}  // namespace pgveil::custody
