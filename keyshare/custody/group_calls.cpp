#include "keyshare/custody/group_calls.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/custody/https_calls.hpp"
#include "keyshare/custody/questions.hpp"
#include "keyshare/quorum/shredding.hpp"
#include "keyshare/share/json_fields.hpp"
#include "keyshare/share/shallow_json.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

namespace pgveil::custody {
namespace {

using share::Json;

constexpr long kDone = 200;
constexpr auto kCallLimit = std::chrono::seconds(10);

bool is_answer(const HttpsReply& reply) {
    return reply.trouble.empty() && reply.status == kDone;
}

std::string member_text(const Json& object, const char* member) {
    const auto found = object.find(member);
    if (found == object.end()) {
        return "?";
    }
    return printable(found->is_string() ? found->get<std::string>() : found->dump());
}

std::string list_line(const std::string& name, const Json& group) {
    return name + "  " + member_text(group, "id") + "  epoch " + member_text(group, "epoch") +
           "  " + member_text(group, "threshold") + " of " + member_text(group, "size") +
           "  member " + member_text(group, "index") + "  " + member_text(group, "state") + "  " +
           member_text(group, "purposes") + "\n";
}

std::string group_url(const Custodian& custodian, const PinnedGroup& pinned) {
    return custodian.url + "/v1/groups/" + core::base64url_encode(pinned.group.id);
}

/// The custodians of the members, in their order; kSettings when one is not in the settings.
Result<std::vector<Custodian>> custodians_of(
    const AskerSettings& settings, const PinnedGroup& pinned
) {
    std::vector<Custodian> found;
    for (const std::string& name : pinned.members) {
        for (const Custodian& each : settings.custodians) {
            if (each.name == name) {
                found.push_back(each);
            }
        }
    }
    if (found.size() != pinned.members.size()) {
        return Error{
            ErrorCode::kSettings,
            "not every member of the group stands in \"custodians\" of the settings"};
    }
    return found;
}

/// Empty: it holds a live share of just this group.
std::string objection_to(const HttpsReply& reply, const PinnedGroup& pinned) {
    if (!is_answer(reply)) {
        return refusal_in(reply).message;
    }
    share::JsonReader reader{std::string_view(reply.body)};
    const std::string state = reader.text("state");
    const core::Bytes group = reader.bytes("group");
    if (!reader.ok()) {
        return "what it says is no description of a group";
    }
    if (group != quorum::serialize(pinned.group)) {
        return "it has another epoch of the group than this file";
    }
    return state == "live" ? std::string() : "its share is " + printable(state);
}

std::vector<HttpsReply> call_each(
    const AskerSettings& settings, const std::vector<HttpsCall>& all
) {
    HttpsCalls calls(settings.tls, kCallLimit);
    return call_all(calls, all);
}

}  // namespace

std::string list_groups(const AskerSettings& settings) {
    std::vector<HttpsCall> all;
    for (const Custodian& each : settings.custodians) {
        all.push_back({each.url + "/v1/groups", {}, false});
    }
    const auto replies = call_each(settings, all);
    std::string text;
    for (std::size_t i = 0; i < replies.size(); ++i) {
        const std::string& name = settings.custodians[i].name;
        const Json groups =
            is_answer(replies[i]) ? share::parse_shallow_json(replies[i].body) : Json();
        if (!groups.is_array()) {
            text += name + "  " +
                    (is_answer(replies[i]) ? "what it says is no list"
                                           : refusal_in(replies[i]).message) +
                    "\n";
            continue;
        }
        for (const Json& group : groups) {
            text += list_line(name, group);
        }
    }
    return text;
}

Result<std::string> show_group(const AskerSettings& settings, const PinnedGroup& pinned) {
    const auto custodians = custodians_of(settings, pinned);
    if (!custodians.has_value()) {
        return custodians.error();
    }
    std::vector<HttpsCall> all;
    for (const Custodian& each : *custodians) {
        all.push_back({group_url(each, pinned), {}, false});
    }
    const auto replies = call_each(settings, all);
    std::string text = "group " + core::base64url_encode(pinned.group.id) + "\nepoch " +
                       std::to_string(pinned.group.epoch) + "\nthreshold " +
                       std::to_string(pinned.group.threshold) + " of " +
                       std::to_string(pinned.group.size()) + "\npublic key " +
                       identity_text(pinned.group.public_key()) + "\n";
    std::uint32_t live = 0;
    for (std::size_t i = 0; i < replies.size(); ++i) {
        const std::string objection = objection_to(replies[i], pinned);
        live += objection.empty() ? 1U : 0U;
        text += "member " + std::to_string(i + 1) + "  " + (*custodians)[i].name + "  " +
                (objection.empty() ? "live" : objection) + "\n";
    }
    if (live < pinned.group.threshold) {
        return Error{
            ErrorCode::kTooFew,
            text +
                "too few members hold a live share: what is sealed to the group cannot be opened"};
    }
    return text;
}

Result<std::string> shred_group(const AskerSettings& settings, const PinnedGroup& pinned) {
    const auto custodians = custodians_of(settings, pinned);
    if (!custodians.has_value()) {
        return custodians.error();
    }
    std::vector<HttpsCall> all;
    const std::string body = Json{{"confirm", core::base64url_encode(pinned.group.id)}}.dump();
    for (const Custodian& each : *custodians) {
        all.push_back({group_url(each, pinned) + "/shred", body, true});
    }
    const auto replies = call_each(settings, all);
    std::string text;
    std::uint32_t shredded = 0;
    for (std::size_t i = 0; i < replies.size(); ++i) {
        const bool is_gone = is_answer(replies[i]) || refusal_in(replies[i]).code == "shredded";
        shredded += is_gone ? 1U : 0U;
        text += (*custodians)[i].name + "  " +
                (is_gone ? "has destroyed its share" : refusal_in(replies[i]).message) + "\n";
    }
    if (!quorum::is_beyond_recovery(pinned.group, shredded)) {
        return Error{
            ErrorCode::kTooFew,
            text +
                "enough shares are left that the key can still be used: repeat the command when "
                "the others are there"};
    }
    return text + "The key is beyond recovery, and all that was sealed to it.\n";
}

}  // namespace pgveil::custody
