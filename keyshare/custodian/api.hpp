#pragma once

#include "keyshare/custodian/custodian_store.hpp"
#include "keyshare/custodian/refusal.hpp"
#include "keyshare/custodian/runs.hpp"
#include "keyshare/share/json_fields.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// keyshare/custodian/: the program pgveil-custodian, which keeps one share of threshold keys.
///   Api             requests in, responses out                  (here)
///   Runs            its part in runs that make groups           (runs.hpp)
///   GroupPolicy     who may ask a group, and what for           (group_policy.hpp)
///   CustodianStore  what it keeps, sealed                       (custodian_store.hpp)
///   records         the rows of that store                      (records.hpp)
///   Refusal         why a request is not done                   (refusal.hpp)
///   Web             a page for browsers, and who may ask        (web.hpp)
///   serve           all of it behind HTTPS                      (serve.hpp)
namespace pgveil::custodian {

/// What a request says, without the connection it came on.
struct ApiRequest {
    std::string method;
    std::string path;   ///< "/v1/health": not decoded
    std::string query;  ///< "after=3&limit=10"
    std::string content_type;
    std::string body;
    std::string caller;   ///< the name in the verified certificate; empty: none was shown
    std::string address;  ///< for the log
};

struct ApiResponse {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> fields;
};

struct ApiOptions {
    std::string name;
    std::string version;
    std::vector<Peer> peers;
    std::vector<std::string> administrators;
    std::function<std::int64_t()> now_s;  ///< Unix time
};

/// The HTTP API as keyshare/custodian/openapi.json describes it, without any connection: it checks
/// who asks for what, and answers every bytes with a status below 500, or 503 when the store fails.
/// One thread.
class Api {
public:
    Api(CustodianStore& store, ApiOptions options);

    ApiResponse respond(const ApiRequest& request);

private:
    struct Call {
        const ApiRequest& request;
        std::string parameter;  ///< what stands in the path for {id} or {session}
        share::Json body;       ///< of a POST: an object
    };

    using Handler = Result<Reply> (Api::*)(const Call&);
    struct Route;

    static const std::vector<Route>& routes();
    Result<void> admit(const Route& route, const ApiRequest& request) const;
    Result<Reply> handle(const Route& route, const ApiRequest& request, std::string parameter);

    Result<Reply> health(const Call& call);
    Result<Reply> whoami(const Call& call);
    Result<Reply> list_groups(const Call& call);
    Result<Reply> show_group(const Call& call);
    Result<Reply> make_member(const Call& call);
    Result<Reply> begin_run(const Call& call);
    Result<Reply> show_run(const Call& call);
    Result<Reply> take_messages(const Call& call);
    Result<Reply> abandon_run(const Call& call);
    Result<Reply> answer_partial(const Call& call);

    Result<const Holding*> live_group(const std::string& id) const;

    CustodianStore* store_;
    ApiOptions options_;
    Runs runs_;
};

/// The OpenAPI 3.0 description, as it stands in openapi.json.
std::string_view openapi();

}  // namespace pgveil::custodian
