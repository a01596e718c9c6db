#include "keyshare/core/base64url.hpp"
#include "keyshare/custodian/api.hpp"
#include "keyshare/quorum/curve.hpp"
#include "keyshare/quorum/exchange.hpp"

#include <algorithm>

namespace pgveil::custodian {
namespace {

using share::Json;

std::string compressed_text(const core::PublicPoint& point) {
    return core::base64url_encode(quorum::compressed(point));
}

Json purposes_of(const GroupPolicy& policy) {
    Json out = Json::array();
    for (const auto& [name, rule] : policy.requesters) {
        for (const std::string& purpose : rule.purposes) {
            if (std::find(out.begin(), out.end(), purpose) == out.end()) {
                out.push_back(purpose);
            }
        }
    }
    return out;
}

Json listed(const Holding& holding) {
    const GroupRecord& record = holding.record;
    return Json{
        {"id", id_of(record.group)},
        {"epoch", record.group.epoch},
        {"state", holding.is_live() ? "live" : "shredded"},
        {"threshold", record.group.threshold},
        {"size", record.group.size()},
        {"index", record.index},
        {"purposes", purposes_of(record.policy)}};
}

}  // namespace

Result<Reply> Api::health(const Call& call) {
    const std::vector<std::string> problems = store_->problems();
    Json out{
        {"status", problems.empty() ? "ok" : "degraded"},
        {"name", options_.name},
        {"version", options_.version},
        {"identity", compressed_text(store_->identity().verifying_key().point())},
        {"groups", store_->groups().size()}};
    if (!call.request.caller.empty()) {
        out["problems"] = problems;
    }
    return Reply{std::move(out)};
}

Result<Reply> Api::whoami(const Call& call) {
    return Reply{Json{{"requester", call.request.caller}}};
}

Result<Reply> Api::list_groups(const Call& /*call*/) {
    Json out = Json::array();
    for (const auto& [id, holding] : store_->groups()) {
        out.push_back(listed(holding));
    }
    return Reply{std::move(out)};
}

Result<Reply> Api::show_group(const Call& call) {
    const Holding* const holding = store_->find(call.parameter);
    if (holding == nullptr) {
        return refused(404, "group", "custodian " + options_.name + " has no part in this group");
    }
    const GroupRecord& record = holding->record;
    Json out = listed(*holding);
    out["group"] = share::json_bytes(serialize(record.group));
    out["public_key"] = compressed_text(record.group.public_key());
    out["fingerprint"] = record.group.public_key().fingerprint_text();
    out["certificate"] = share::json_bytes(record.certificate);
    out["certificate_kind"] = record.is_reshared ? "reshare" : "generate";
    out["members"] = record.names;
    out["policy"] = policy_json(record.policy);
    out["made_at"] = record.made_at_s;
    if (!record.shredded.empty()) {
        out["shredded"] = share::json_bytes(record.shredded);
    }
    return Reply{std::move(out)};
}

Result<const Holding*> Api::live_group(const std::string& id) const {
    const Holding* const holding = store_->find(id);
    if (holding == nullptr) {
        return refused(404, "group", "custodian " + options_.name + " has no part in this group");
    }
    if (!holding->is_live()) {
        return out_of_state(
            "shredded", "custodian " + options_.name + " has shredded its share of this group"
        );
    }
    return holding;
}

Result<Reply> Api::make_member(const Call& call) {
    share::JsonReader reader(call.body);
    return runs_.make_member(reader.text("session"));
}

Result<Reply> Api::begin_run(const Call& call) {
    return runs_.begin(call.body);
}

Result<Reply> Api::show_run(const Call& call) {
    return runs_.state(call.parameter);
}

Result<Reply> Api::take_messages(const Call& call) {
    share::JsonReader reader(call.body);
    const Json& messages = reader.part("messages");
    if (!reader.ok()) {
        return malformed("no object of \"messages\"");
    }
    return runs_.take_messages(call.parameter, messages);
}

Result<Reply> Api::abandon_run(const Call& call) {
    return runs_.abandon(call.parameter);
}

Result<Reply> Api::answer_partial(const Call& call) {
    const auto holding = live_group(call.parameter);
    if (!holding.has_value()) {
        return holding.error();
    }
    const GroupRecord& record = (*holding)->record;
    share::JsonReader reader(call.body);
    const core::Bytes bytes = reader.bytes("request");
    const auto asked = quorum::parse_request(bytes);
    if (!reader.ok() || !asked.has_value()) {
        return malformed("request: no request for a partial in base64url");
    }
    if (asked->group != record.group.id) {
        return out_of_state("group", "the request is for another group than the path names");
    }
    if (asked->epoch != record.group.epoch) {
        return out_of_state(
            "epoch",
            "the request is for epoch " + std::to_string(asked->epoch) +
                " of the group; custodian " + options_.name + " is at " +
                std::to_string(record.group.epoch)
        );
    }
    if (asked->requester != call.request.caller) {
        return refused(
            403,
            "requester",
            "the request is by \"" + asked->requester + "\", the certificate of \"" +
                call.request.caller + "\""
        );
    }
    if (const auto allowed = check_request(record.policy, asked->requester, asked->purpose);
        !allowed.has_value()) {
        return allowed.error();
    }
    if (record.policy.needs_evidence) {
        return refused(
            403,
            "evidence",
            "the group's policy demands a quote of the asker's TPM, which this version does not "
            "check"
        );
    }
    const auto answer = quorum::answer(record.group, *(*holding)->share, *(*holding)->key, *asked);
    if (!answer.has_value()) {
        return refusal_of(answer.error());
    }
    return Reply{Json{{"answer", share::json_bytes(*answer)}}};
}

}  // namespace pgveil::custodian
