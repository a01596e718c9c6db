#include "keyshare/custodian/own_seat.hpp"

#include "keyshare/custodian/api.hpp"
#include "keyshare/custodian/serve.hpp"
#include "keyshare/custody/questions.hpp"

#include <ctime>
#include <utility>

namespace pgveil::custodian {
namespace {

std::int64_t time_here_s() {
    return std::time(nullptr);
}

}  // namespace

OwnSeat::OwnSeat(config::CustodianSettings settings, CustodianStore store, AccessLog log)
    : settings_(std::move(settings)),
      store_(std::make_unique<CustodianStore>(std::move(store))),
      log_(std::make_unique<AccessLog>(std::move(log))) {}

user::Result<OwnSeat> OwnSeat::open(const std::string& settings_file) {
    auto settings = config::load_custodian_settings(settings_file);
    if (!settings.has_value()) {
        return user::unusable(settings.error().message);
    }
    auto store = open_store(*settings);
    if (!store) {
        return user::unusable(
            store.error().message + "; while the custodian serves, it is asked without --own"
        );
    }
    std::vector<LogEntry> recent;
    ApiOptions options{settings->name, PGVEIL_VERSION, {}, {}, time_here_s};
    auto log = open_log(*settings, *store, options, recent);
    if (!log) {
        return log.error();
    }
    if (!options.older_store.empty()) {
        return user::failed(options.older_store);
    }
    OwnSeat seat(*std::move(settings), *std::move(store), *std::move(log));
    seat.recent_ = std::move(recent);
    return seat;
}

user::Result<std::uint32_t> OwnSeat::index_in(const quorum::Group& group) const {
    const Holding* const holding = store_->find(id_of(group));
    if (holding == nullptr || !holding->is_live() || holding->record.group != group) {
        return user::unusable(
            "custodian " + settings_.name +
            " holds no share of this group at this epoch: fetch without --own, so that the others "
            "are asked"
        );
    }
    return holding->record.index;
}

user::Result<core::Bytes> OwnSeat::answer(const quorum::PartialRequest& request) {
    const custody::Question question{.point = request.point, .purpose = request.purpose};
    Api api(*store_, *log_, {settings_.name, PGVEIL_VERSION, {}, {}, time_here_s}, recent_);
    const ApiResponse said = api.respond(
        {.method = "POST",
         .path = "/v1/groups/" + share::json_digest(request.group) + "/partial",
         .query = "",
         .content_type = "application/json",
         .body = custody::partial_body(request, question),
         .caller = request.requester,
         .address = "own"}
    );
    const custody::HttpsReply reply{"", static_cast<long>(said.status), said.body};
    auto sealed = custody::answer_in(said.body);
    if (!sealed) {
        return user::failed(
            "custodian " + settings_.name + ": " + custody::refusal_in(reply).message
        );
    }
    return *std::move(sealed);
}

}  // namespace pgveil::custodian
