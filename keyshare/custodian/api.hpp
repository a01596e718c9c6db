#pragma once

#include "keyshare/custodian/access_log.hpp"
#include "keyshare/custodian/custodian_store.hpp"
#include "keyshare/custodian/nonces.hpp"
#include "keyshare/custodian/rate_limit.hpp"
#include "keyshare/custodian/refusal.hpp"
#include "keyshare/custodian/runs.hpp"
#include "keyshare/quorum/exchange.hpp"
#include "keyshare/share/json_fields.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// keyshare/custodian/: the program pgveil-custodian, which keeps one share of threshold keys.
///   Api             requests in, responses out                  (here)
///   AccessLog       who asked for what, as chained lines        (access_log.hpp)
///   RateLimit       how often                                   (rate_limit.hpp)
///   Nonces          what evidence has to answer                 (nonces.hpp)
///   Runs            its part in runs that make groups           (runs.hpp)
///   GroupPolicy     who may ask a group, and what for           (group_policy.hpp)
///   EvidenceRule    what the asker's TPM has to show             (evidence.hpp)
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
    /// Why the store is an older copy of itself: no share or key of it is used; empty: it is not.
    std::string older_store = {};
    std::string older_log =
        {};  ///< why the log is one, for whoever asks how it is; empty: it is not
};

/// The HTTP API as keyshare/custodian/openapi.json describes it, without any connection: it checks
/// who asks for what, and answers every bytes with a status below 500, or 503 when store or log
/// fail. What changes something, and every question, is in the log before the answer is out; so is
/// what is refused to somebody with a certificate, up to a number a minute. One thread.
class Api {
public:
    /// @param recent entries of the log of the last minute: they count for the limits
    Api(CustodianStore& store,
        AccessLog& log,
        ApiOptions options,
        const std::vector<LogEntry>& recent = {});

    ApiResponse respond(const ApiRequest& request);

    /// Begins a new file of the log if the present one was moved away.
    store::Result<void> reopen_log();

private:
    struct Call {
        const ApiRequest& request;
        std::string parameter;  ///< what stands in the path for {id} or {session}
        share::Json body;       ///< of a POST: an object
        LogEntry entry;
    };

    using Handler = Result<Reply> (Api::*)(Call&);
    struct Route;

    static const std::vector<Route>& routes();
    Result<void> admit(const Route& route, const ApiRequest& request) const;
    Result<Reply> handle(const Route& route, const ApiRequest& request, std::string parameter);

    Result<Reply> carry_out(const Route& route, Call& call);
    Result<Reply> log_result(const Route& route, Call& call, Result<Reply> done);

    // operations.cpp
    Result<Reply> health(Call& call);
    Result<Reply> whoami(Call& call);
    Result<Reply> list_groups(Call& call);
    Result<Reply> show_group(Call& call);
    Result<Reply> show_next(Call& call);
    Result<Reply> make_member(Call& call);
    Result<Reply> begin_run(Call& call);
    Result<Reply> show_run(Call& call);
    Result<Reply> take_messages(Call& call);
    Result<Reply> abandon_run(Call& call);
    Result<Reply> shred_group(Call& call);
    Result<Reply> show_log(Call& call);
    Result<void> check_administrator(const GroupPolicy& policy, const std::string& caller) const;
    const std::vector<std::string>& problems(bool at_once);

    // questions.cpp
    Result<Reply> give_nonce(Call& call);
    Result<Reply> answer_partial(Call& call);
    Result<Reply> raise_store_version(Call& call);
    Result<const Holding*> live_group(const std::string& id) const;
    Result<std::uint64_t> version_held(const std::string& group, const std::string& store) const;
    Result<void> check_store_version(const std::string& group, const share::Json& body) const;
    Result<std::optional<attest::Clock>> clock_held(
        const std::string& group, const core::PublicPoint& attestation_key
    ) const;
    Result<CustodianStore::Changes> check_evidence(
        const EvidenceRule& rule, core::ByteView subject, Call& call
    );
    Result<void> take_turn(const GroupPolicy& policy, const std::string& group, Call& call);
    Result<void> check_question(
        const Holding& holding, const quorum::PartialRequest& asked, Call& call
    );

    CustodianStore* store_;
    AccessLog* log_;
    ApiOptions options_;
    Runs runs_;
    Nonces nonces_;
    RateLimit turns_;     ///< questions, by group and requester
    RateLimit refusals_;  ///< logged ones, by requester
    std::vector<std::string> problems_;
    std::int64_t looked_at_s_ = 0;
};

/// The OpenAPI 3.0 description, as it stands in openapi.json.
std::string_view openapi();

}  // namespace pgveil::custodian
