#include "keyshare/core/base64url.hpp"
#include "keyshare/custodian/api.hpp"
#include "keyshare/custodian/log_head.hpp"
#include "keyshare/quorum/curve.hpp"
#include "keyshare/quorum/shredding.hpp"
#include "keyshare/share/shallow_json.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>

namespace pgveil::custodian {
namespace {

using share::Json;

constexpr std::uint64_t kLinesUsual = 100;
constexpr std::uint64_t kLinesMax = 1000;
constexpr std::int64_t kProblemsKept_s = 10;

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

const char* state_of(const Holding& holding) {
    if (holding.is_live()) {
        return "live";
    }
    return holding.record.shredded.empty() ? "left" : "shredded";
}

Json listed(const Holding& holding) {
    const GroupRecord& record = holding.record;
    return Json{
        {"id", id_of(record.group)},
        {"epoch", record.group.epoch},
        {"state", state_of(holding)},
        {"threshold", record.group.threshold},
        {"size", record.group.size()},
        {"index", record.index},
        {"purposes", purposes_of(record.policy)}};
}

/// A number of the query; `otherwise` where there is none, nothing where it is none.
std::optional<std::uint64_t> number_in(
    std::string_view query, std::string_view name, std::uint64_t otherwise
) {
    std::string_view rest = query;
    while (!rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=') {
            const std::string_view digits = pair.substr(name.size() + 1);
            std::uint64_t number = 0;
            const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
            return read.ec == std::errc() && read.ptr == digits.data() + digits.size()
                       ? std::optional(number)
                       : std::nullopt;
        }
    }
    return otherwise;
}

}  // namespace

/// Looked for anew when somebody with a certificate asks, else every few seconds only.
const std::vector<std::string>& Api::problems(bool at_once) {
    const std::int64_t now_s = options_.now_s();
    if (at_once || now_s < looked_at_s_ || now_s - looked_at_s_ >= kProblemsKept_s) {
        problems_ = store_->problems();
        for (const std::string& each : {log_->damage(), options_.older_store, options_.older_log}) {
            if (!each.empty()) {
                problems_.push_back(each);
            }
        }
        looked_at_s_ = now_s;
    }
    return problems_;
}

Result<Reply> Api::health(Call& call) {
    const bool is_known = !call.request.caller.empty();
    const std::vector<std::string>& found = problems(is_known);
    Json out{
        {"status", found.empty() ? "ok" : "degraded"},
        {"name", options_.name},
        {"version", options_.version},
        {"identity", compressed_text(store_->identity().verifying_key().point())},
        {"groups", store_->groups().size()}};
    if (is_known) {
        out["problems"] = found;
    }
    return Reply{std::move(out)};
}

Result<Reply> Api::whoami(Call& call) {
    return Reply{Json{{"requester", call.request.caller}}};
}

Result<Reply> Api::list_groups(Call& /*call*/) {
    Json out = Json::array();
    for (const auto& [id, holding] : store_->groups()) {
        out.push_back(listed(holding));
    }
    return Reply{std::move(out)};
}

Result<Reply> Api::show_group(Call& call) {
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

Result<Reply> Api::show_next(Call& call) {
    const auto epoch = number_in(call.request.query, "epoch", 0);
    if (!epoch || *epoch > std::numeric_limits<std::uint32_t>::max()) {
        return malformed("epoch is the number of one");
    }
    const auto text = store_->text(next_row(call.parameter, static_cast<std::uint32_t>(*epoch)));
    if (!text.has_value()) {
        return refusal_of(text.error());
    }
    if (text->empty()) {
        return refused(
            404,
            "next",
            "custodian " + options_.name + " knows of nothing that follows epoch " +
                std::to_string(*epoch) + " of this group"
        );
    }
    return Reply{share::parse_shallow_json(*text)};
}

Result<Reply> Api::make_member(Call& call) {
    share::JsonReader reader(call.body);
    return runs_.make_member(reader.text("session"));
}

Result<Reply> Api::begin_run(Call& call) {
    return runs_.begin(call.body);
}

Result<Reply> Api::show_run(Call& call) {
    return runs_.state(call.parameter);
}

Result<Reply> Api::take_messages(Call& call) {
    const auto found = call.body.find("messages");
    if (found == call.body.end()) {
        return malformed("no object of \"messages\"");
    }
    return runs_.take_messages(call.parameter, call.body);
}

Result<Reply> Api::abandon_run(Call& call) {
    return runs_.abandon(call.parameter, call.body);
}

/// Whom the settings allow, and the group's policy if it names anybody.
Result<void> Api::check_administrator(const GroupPolicy& policy, const std::string& caller) const {
    const auto& names = policy.administrators;
    if (!names.empty() && std::ranges::find(names, caller) == names.end()) {
        return refused(
            403, "administrator", "\"" + caller + "\" is no administrator of this group"
        );
    }
    return {};
}

Result<Reply> Api::shred_group(Call& call) {
    const Holding* const held = store_->find(call.parameter);
    if (held != nullptr && !held->record.shredded.empty()) {
        return Reply{Json{{"shredded", share::json_bytes(held->record.shredded)}}};
    }
    const auto holding = live_group(call.parameter);
    if (!holding.has_value()) {
        return holding.error();
    }
    if (const auto allowed = check_administrator((*holding)->record.policy, call.request.caller);
        !allowed.has_value()) {
        return allowed.error();
    }
    share::JsonReader reader(call.body);
    if (reader.text("confirm") != call.parameter) {
        return malformed("confirm: write the group's id once more: nothing brings a share back");
    }
    Holding last{(*holding)->record, std::nullopt, std::nullopt};
    const quorum::KeyShare& kept = *(*holding)->share;
    quorum::KeyShare share{kept.group, kept.epoch, kept.index, kept.scalar.duplicate()};
    auto key = quorum::MemberKey::from_scalar((*holding)->key->scalar().duplicate());
    if (!key.has_value()) {
        return refusal_of(key.error());
    }
    auto statement = quorum::shred(last.record.group, share, *key);
    if (!statement.has_value()) {
        return refusal_of(statement.error());
    }
    last.record.shredded = *std::move(statement);
    Json out{{"shredded", share::json_bytes(last.record.shredded)}};
    CustodianStore::Changes changes;
    changes.push_back({group_row(call.parameter), serialize(last.record)});
    changes.push_back({share_row(call.parameter), std::nullopt});
    if (const auto done = store_->commit(std::move(changes), std::move(last)); !done.has_value()) {
        return done.error();
    }
    return Reply{std::move(out)};
}

Result<Reply> Api::show_log(Call& call) {
    const auto after = number_in(call.request.query, "after", 0);
    const auto limit = number_in(call.request.query, "limit", kLinesUsual);
    if (!after || !limit || *limit == 0 || *limit > kLinesMax) {
        return malformed("after is a number, limit one from 1 to 1000");
    }
    auto entries = log_->lines(*after, static_cast<std::size_t>(*limit));
    if (!entries.has_value()) {
        return entries.error();
    }
    const LogHead head{options_.name, log_->last().sequence, log_->last().hash, options_.now_s()};
    return Reply{
        Json{{"entries", *std::move(entries)}, {"head", sign_log_head(head, store_->identity())}}};
}

}  // namespace pgveil::custodian
