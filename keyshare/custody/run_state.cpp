#include "keyshare/custody/run_state.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/share/json_fields.hpp"
#include "keyshare/share/shallow_json.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace pgveil::custody {
namespace {

using share::Json;

constexpr std::string_view kRunFormat = "pgveil-run/1";
constexpr std::uint32_t kMessagesMax = 1000;

std::uint32_t number_at(const Json& object, const char* member, std::uint32_t without) {
    const auto found = object.find(member);
    return found != object.end() && found->is_number_unsigned() ? found->get<std::uint32_t>()
                                                                : without;
}

std::string text_or_empty(const Json& object, const char* member) {
    const auto found = object.find(member);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_true_at(const Json& object, const char* member) {
    const auto found = object.find(member);
    return found != object.end() && found->is_boolean() && found->get<bool>();
}

/// By their place in the former group.
std::vector<std::uint32_t> dealers_of(const RunPlan& plan) {
    std::vector<std::uint32_t> dealers;
    std::uint32_t index = 0;
    for (const std::string& name : plan.from->members) {
        ++index;
        if (std::find(plan.lost.begin(), plan.lost.end(), name) == plan.lost.end()) {
            dealers.push_back(index);
        }
    }
    return dealers;
}

Json json_of(const std::string& text) {
    return share::parse_shallow_json(text);
}

}  // namespace

std::string plan_text(const RunPlan& plan) {
    Json json;
    json["threshold"] = plan.threshold;
    json["members"] = plan.members;
    json["policy"] = json_of(plan.policy);
    if (plan.from) {
        json["group"] = core::base64url_encode(plan.from->group.id);
        json["epoch"] = plan.from->group.epoch;
        json["lost"] = plan.lost;
    }
    return json.dump();
}

bool is_finished_by(const RunFile& file, const RunPlan& plan) {
    const Json json = json_of(file.plan);
    return json.is_object() && plan.from &&
           text_or_empty(json, "group") == core::base64url_encode(plan.from->group.id) &&
           number_at(json, "epoch", 0) + 1 == plan.from->group.epoch;
}

std::string write_run_file(const RunFile& file) {
    Json json;
    json["format"] = kRunFormat;
    json["session"] = file.session;
    json["plan"] = json_of(file.plan);
    json["begin"] = file.begin.empty() ? Json() : json_of(file.begin);
    return json.dump() + "\n";
}

Result<RunFile> parse_run_file(const std::string& path, const std::string& text) {
    const Json json = json_of(text);
    if (json.is_object() && text_or_empty(json, "format") == kRunFormat && json.contains("plan") &&
        json.contains("begin")) {
        RunFile file{text_or_empty(json, "session"), json["plan"].dump(), {}};
        file.begin = json["begin"].is_null() ? std::string() : json["begin"].dump();
        if (write_run_file(file) == text) {
            return file;
        }
    }
    return Error{
        ErrorCode::kSettings,
        path + " is no file of a run: look whether it is another file of yours, and move it away"};
}

std::string begin_body(
    const std::string& session, const RunPlan& plan, const std::vector<std::string>& statements
) {
    Json json;
    json["session"] = session;
    json["kind"] = plan.from ? "reshare" : "generate";
    json["threshold"] = plan.threshold;
    json["statements"] = statements;
    json["policy"] = json_of(plan.policy);
    if (plan.from) {
        json["group"] = core::base64url_encode(plan.from->group.id);
        json["epoch"] = plan.from->group.epoch;
        json["from"] = core::base64url_encode(quorum::serialize(plan.from->group));
        json["dealers"] = dealers_of(plan);
    }
    return json.dump();
}

std::vector<std::string> statements_in(const std::string& begin) {
    std::vector<std::string> statements;
    const Json json = json_of(begin);
    if (json.is_object() && json.contains("statements") && json["statements"].is_array()) {
        for (const Json& each : json["statements"]) {
            statements.push_back(each.is_string() ? each.get<std::string>() : std::string());
        }
    }
    return statements;
}

std::string messages_body(const std::vector<RunMessage>& messages) {
    Json list = Json::array();
    for (const RunMessage& each : messages) {
        list.push_back({{"round", each.round}, {"index", each.index}, {"message", each.message}});
    }
    return Json{{"messages", std::move(list)}}.dump();
}

std::optional<RunView> parse_run_view(const std::string& body, std::uint32_t index) {
    const Json json = json_of(body);
    if (!json.is_object() || !json.contains("sent") || !json["sent"].is_array() ||
        json["sent"].size() > kMessagesMax) {
        return std::nullopt;
    }
    RunView view;
    view.is_done = is_true_at(json, "done");
    view.is_abandoned = is_true_at(json, "abandoned");
    view.group = text_or_empty(json, "group");
    for (const Json& each : json["sent"]) {
        if (!each.is_object()) {
            return std::nullopt;
        }
        view.sent.push_back(
            {number_at(each, "round", 0),
             number_at(each, "index", index),
             text_or_empty(each, "message")}
        );
    }
    const auto failure = json.find("failure");
    if (failure != json.end() && failure->is_object()) {
        view.failure = Refusal{
            printable(text_or_empty(*failure, "code")),
            printable(text_or_empty(*failure, "message")),
            number_at(*failure, "member", 0)};
    }
    return view;
}

}  // namespace pgveil::custody
