#include "test/keyshare/custodian/crew.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/random.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace pgveil::custodian {

using share::Json;

struct Crew::One {
    One(CustodianStore opened, AccessLog kept) : store(std::move(opened)), log(std::move(kept)) {}

    CustodianStore store;
    AccessLog log;
    std::unique_ptr<Api> api;
};

std::string Crew::Said::code() const {
    const auto error = json.find("error");
    return error == json.end() ? std::string() : error->value("code", std::string());
}

Crew::Crew(std::size_t count) {
    std::string pattern = (std::filesystem::temp_directory_path() / "pgveil-crew-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    all_.resize(count);
    for (std::size_t at = 0; at < count; ++at) {
        auto store = CustodianStore::open(
            (folder(at) / "custodian.db").string(), (root_ / name(at)).string()
        );
        if (!store.has_value()) {
            throw std::runtime_error(store.error().message);
        }
        peers_.push_back({name(at), store->identity().verifying_key()});
    }
    for (std::size_t at = 0; at < count; ++at) {
        restart(at);
    }
}

Crew::~Crew() {
    all_.clear();
    std::filesystem::remove_all(root_);
}

std::filesystem::path Crew::folder(std::size_t at) const {
    return root_ / (name(at) + ".store");
}

void Crew::restart(std::size_t at) {
    all_[at].reset();
    auto store =
        CustodianStore::open((folder(at) / "custodian.db").string(), (root_ / name(at)).string());
    std::vector<LogEntry> recent;
    auto log =
        AccessLog::open((folder(at) / "log.jsonl").string(), name(at), [&](const LogEntry& entry) {
            recent.push_back(entry);
        });
    if (!store.has_value() || !log.has_value()) {
        throw std::runtime_error(store.has_value() ? log.error().message : store.error().message);
    }
    all_[at] = std::make_unique<One>(*std::move(store), *std::move(log));
    std::vector<Peer> others = peers_;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(at));
    all_[at]->api = std::make_unique<Api>(
        all_[at]->store,
        all_[at]->log,
        ApiOptions{
            name(at),
            "test",
            std::move(others),
            {"admin"},
            [this] {
                return now_s;
            }},
        recent
    );
}

ApiResponse Crew::raw(std::size_t at, const ApiRequest& request) {
    return all_[at]->api->respond(request);
}

Crew::Said Crew::get(std::size_t at, const std::string& path, const std::string& caller) {
    const std::size_t mark = path.find('?');
    const std::string query = mark == std::string::npos ? "" : path.substr(mark + 1);
    const ApiResponse got = raw(at, {"GET", path.substr(0, mark), query, "", "", caller, "test"});
    return {got.status, Json::parse(got.body, nullptr, false)};
}

Crew::Said Crew::post(
    std::size_t at, const std::string& path, const Json& body, const std::string& caller
) {
    const ApiResponse got =
        raw(at, {"POST", path, "", "application/json", body.dump(), caller, "test"});
    return {got.status, Json::parse(got.body, nullptr, false)};
}

std::string Crew::begin(
    const std::vector<std::size_t>& members,
    std::uint32_t threshold,
    const Json& policy,
    const Json& more,
    const std::vector<std::size_t>& others
) {
    const std::string session = fresh_session();
    Json body{
        {"session", session},
        {"kind", "generate"},
        {"threshold", threshold},
        {"statements", Json::array()},
        {"policy", policy}};
    body.update(more);
    for (const std::size_t at : members) {
        const Said said = post(at, "/v1/members", {{"session", session}});
        EXPECT_EQ(said.status, 200U) << said.json;
        body["statements"].push_back(said.text("statement"));
    }
    std::vector<std::size_t> all = members;
    all.insert(all.end(), others.begin(), others.end());
    for (const std::size_t at : all) {
        const Said said = post(at, "/v1/runs", body);
        EXPECT_EQ(said.status, 200U) << name(at) << said.json;
    }
    return session;
}

Crew::Said Crew::exchange(const std::string& session, const std::vector<std::size_t>& members) {
    Json messages = Json::array();
    for (const std::size_t at : members) {
        const Json shown = get(at, "/v1/runs/" + session).json;
        for (const Json& sent : shown["sent"]) {
            messages.push_back(sent);
        }
    }
    Said last;
    last.status = 200;
    for (const std::size_t at : members) {
        Said said = post(at, "/v1/runs/" + session + "/messages", {{"messages", messages}});
        if (said.status != 200) {
            return said;
        }
        last = std::move(said);
    }
    return last;
}

std::string Crew::generate(
    const std::vector<std::size_t>& members, std::uint32_t threshold, const Json& policy
) {
    const std::string session = begin(members, threshold, policy);
    Said last;
    for (int round = 0; round < 3; ++round) {
        last = exchange(session, members);
    }
    EXPECT_TRUE(last.json.value("done", false)) << last.json;
    return last.text("group");
}

Json policy_for_proxy(std::uint32_t per_minute) {
    return Json{
        {"requesters",
         {{"proxy", {{"purposes", Json::array({"unseal"})}, {"per_minute", per_minute}}}}}};
}

std::string fresh_session() {
    core::Bytes bytes(32);
    core::system_random().fill(bytes);
    return core::base64url_encode(bytes);
}

}  // namespace pgveil::custodian
