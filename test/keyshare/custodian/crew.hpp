#pragma once

#include "keyshare/custodian/api.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::custodian {

/// Custodians in one process, without connections: each an Api on a store and a log of its own in a
/// folder that goes with this object.
class Crew {
public:
    explicit Crew(std::size_t count);
    ~Crew();
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    struct Said {
        unsigned status = 0;
        share::Json json;

        /// Of a refusal; empty: it is none.
        std::string code() const;

        std::string text(const char* member) const { return json.value(member, std::string()); }
    };

    Said get(std::size_t at, const std::string& path, const std::string& caller = "admin");
    Said post(
        std::size_t at,
        const std::string& path,
        const share::Json& body,
        const std::string& caller = "admin"
    );
    ApiResponse raw(std::size_t at, const ApiRequest& request);

    /// Ends it and opens store and log again.
    void restart(std::size_t at);

    std::filesystem::path folder(std::size_t at) const;

    static std::string name(std::size_t at) { return "custodian-" + std::to_string(at + 1); }

    /// Begins a run at these custodians; the order is that of the members. For a reshare `more` has
    /// what the description wants beside, and `others` are members of the former group only.
    std::string begin(
        const std::vector<std::size_t>& members,
        std::uint32_t threshold,
        const share::Json& policy,
        const share::Json& more = share::Json::object(),
        const std::vector<std::size_t>& others = {}
    );
    /// What all of these have said so far goes to all of them; the last refusal, or 200.
    Said exchange(const std::string& session, const std::vector<std::size_t>& members);
    /// A whole generation: the group's id.
    std::string generate(
        const std::vector<std::size_t>& members, std::uint32_t threshold, const share::Json& policy
    );

    std::int64_t now_s = 1'800'000'000;

private:
    struct One;

    std::filesystem::path root_;
    std::vector<std::unique_ptr<One>> all_;
    std::vector<Peer> peers_;
};

/// {"requesters": {"proxy": {"purposes": ["unseal"], "per_minute": N}}}
share::Json policy_for_proxy(std::uint32_t per_minute = 100);

/// 32 fresh bytes.
std::string fresh_session();

}  // namespace pgveil::custodian
