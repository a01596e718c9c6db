#include "keyshare/custodian/api.hpp"

#include "keyshare/share/shallow_json.hpp"

#include <algorithm>
#include <optional>

namespace pgveil::custodian {
namespace {

using share::Json;

enum class Access { kAnyone, kCertificate, kAdministrator };

constexpr const char* kAnswered = "answered";
/// Of one caller in a minute: more would let anybody with a certificate fill the disk.
constexpr std::uint32_t kLoggedRefusals = 60;

constexpr std::string_view kPlaceholder = "{}";

/// What stands in the path for the placeholder of the pattern; nothing: it does not fit.
std::optional<std::string> match(std::string_view pattern, std::string_view path) {
    const std::size_t hole = pattern.find(kPlaceholder);
    if (hole == std::string_view::npos) {
        return pattern == path ? std::optional<std::string>("") : std::nullopt;
    }
    const std::string_view head = pattern.substr(0, hole);
    const std::string_view tail = pattern.substr(hole + kPlaceholder.size());
    if (path.size() <= head.size() + tail.size() || !path.starts_with(head) ||
        !path.ends_with(tail)) {
        return std::nullopt;
    }
    const std::string_view value =
        path.substr(head.size(), path.size() - head.size() - tail.size());
    if (value.find('/') != std::string_view::npos) {
        return std::nullopt;
    }
    return std::string(value);
}

ApiResponse json_response(unsigned status, const Json& body) {
    return {status, "application/json", share::write_json(body) + "\n", {}};
}

ApiResponse response_of(const Refusal& refusal) {
    Json error{{"code", refusal.code}, {"message", refusal.message}};
    if (refusal.member != 0) {
        error["member"] = refusal.member;
    }
    ApiResponse out = json_response(refusal.status, Json{{"error", std::move(error)}});
    if (refusal.retry_after_s != 0) {
        out.fields.emplace_back("Retry-After", std::to_string(refusal.retry_after_s));
    }
    return out;
}

/// The object in a POST's body.
Result<Reply> body_of(const ApiRequest& request) {
    if (request.content_type.substr(0, request.content_type.find(';')) != "application/json") {
        return refused(
            415, "content-type", "a request with a body has the content type application/json"
        );
    }
    Json body = share::parse_shallow_json(request.body);
    if (!body.is_object()) {
        return malformed("the body is no JSON object, or nested too deeply");
    }
    return Reply{std::move(body)};
}

}  // namespace

struct Api::Route {
    std::string_view method;
    std::string_view pattern;
    Access access;
    Handler handler;
    std::string_view operation;  ///< in the log; empty: not logged
};

const std::vector<Api::Route>& Api::routes() {
    static const std::vector<Route> all{
        {"GET", "/v1/health", Access::kAnyone, &Api::health, ""},
        {"GET", "/v1/whoami", Access::kCertificate, &Api::whoami, ""},
        {"GET", "/v1/groups", Access::kCertificate, &Api::list_groups, ""},
        {"GET", "/v1/groups/{}", Access::kCertificate, &Api::show_group, ""},
        {"POST", "/v1/groups/{}/nonce", Access::kCertificate, &Api::give_nonce, ""},
        {"GET", "/v1/groups/{}/next", Access::kCertificate, &Api::show_next, ""},
        {"POST", "/v1/groups/{}/partial", Access::kCertificate, &Api::answer_partial, "partial"},
        {"POST",
         "/v1/groups/{}/store-version",
         Access::kCertificate,
         &Api::raise_store_version,
         "store-version"},
        {"POST", "/v1/groups/{}/shred", Access::kAdministrator, &Api::shred_group, "shred"},
        {"POST", "/v1/members", Access::kAdministrator, &Api::make_member, "member"},
        {"POST", "/v1/runs", Access::kAdministrator, &Api::begin_run, "run"},
        {"GET", "/v1/runs/{}", Access::kAdministrator, &Api::show_run, ""},
        {"POST", "/v1/runs/{}/messages", Access::kAdministrator, &Api::take_messages, "messages"},
        {"POST", "/v1/runs/{}/abandon", Access::kAdministrator, &Api::abandon_run, "abandon"},
        {"GET", "/v1/log", Access::kAdministrator, &Api::show_log, ""},
    };
    return all;
}

Api::Api(
    CustodianStore& store, AccessLog& log, ApiOptions options, const std::vector<LogEntry>& recent
)
    : store_(&store),
      log_(&log),
      options_(std::move(options)),
      runs_(
          store,
          [&] {
              std::vector<Peer> all{{options_.name, store.identity().verifying_key()}};
              all.insert(all.end(), options_.peers.begin(), options_.peers.end());
              return all;
          }(),
          options_.now_s
      ) {
    for (const LogEntry& entry : recent) {
        if (entry.result == kAnswered) {
            turns_.note(entry.group + " " + entry.requester, entry.at_s);
        }
    }
}

ApiResponse Api::respond(const ApiRequest& request) {
    const std::string_view sent = request.method;
    const std::string_view method = sent == "HEAD" ? "GET" : sent;
    if (request.path == "/v1/openapi.json" && method == "GET") {
        return {200, "application/json", std::string(openapi()), {}};
    }
    std::string allowed;
    for (const Route& route : routes()) {
        auto parameter = match(route.pattern, request.path);
        if (parameter && route.method == method) {
            const auto done = handle(route, request, *std::move(parameter));
            return done.has_value() ? json_response(200, done->json) : response_of(done.error());
        }
        if (parameter) {
            allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
        }
    }
    if (request.path == "/v1/openapi.json") {
        allowed = "GET";
    }
    if (!allowed.empty()) {
        ApiResponse out =
            response_of(refused(405, "method", "this path takes " + allowed + " only"));
        out.fields.emplace_back("Allow", allowed);
        return out;
    }
    return response_of(refused(404, "path", "there is nothing at this path: see /v1/openapi.json"));
}

Result<void> Api::admit(const Route& route, const ApiRequest& request) const {
    if (route.access == Access::kAnyone) {
        return {};
    }
    if (request.caller.empty()) {
        return refused(
            401,
            "certificate",
            "show a client certificate that this custodian's client_ca has signed"
        );
    }
    const bool is_administrator =
        std::ranges::find(options_.administrators, request.caller) != options_.administrators.end();
    if (route.access == Access::kAdministrator && !is_administrator) {
        return refused(
            403,
            "administrator",
            "\"" + request.caller + "\" is no administrator of custodian " + options_.name
        );
    }
    return {};
}

Result<Reply> Api::handle(const Route& route, const ApiRequest& request, std::string parameter) {
    Call call{request, std::move(parameter), Json(), LogEntry()};
    call.entry.at_s = options_.now_s();
    call.entry.requester = request.caller;
    call.entry.address = request.address;
    call.entry.operation = route.operation;
    store_->note_log(log_->last());
    return log_result(route, call, carry_out(route, call));
}

Result<Reply> Api::carry_out(const Route& route, Call& call) {
    if (const auto admitted = admit(route, call.request); !admitted.has_value()) {
        return admitted.error();
    }
    if (route.method == "POST") {
        auto body = body_of(call.request);
        if (!body.has_value()) {
            return body.error();
        }
        call.body = std::move(body->json);
        if (!options_.older_store.empty()) {
            return out_of_state("older_copy", options_.older_store);
        }
    }
    return (this->*route.handler)(call);
}

/// What cannot be logged is not answered.
Result<Reply> Api::log_result(const Route& route, Call& call, Result<Reply> done) {
    if (route.operation.empty() || call.request.caller.empty()) {
        return done;
    }
    if (done.has_value()) {
        call.entry.result = route.handler == &Api::answer_partial ? kAnswered : "done";
    } else {
        call.entry.result = done.error().code;
        if (refusals_.take(call.request.caller, kLoggedRefusals, call.entry.at_s) != 0) {
            return done;
        }
    }
    call.entry.store = store_->version();
    if (const auto logged = log_->add(call.entry); !logged.has_value()) {
        return logged.error();
    }
    return done;
}

store::Result<void> Api::reopen_log() {
    return log_->reopen();
}

}  // namespace pgveil::custodian
