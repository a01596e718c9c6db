#include "keyshare/custodian/group_policy.hpp"

#include "keyshare/quorum/exchange.hpp"

#include <algorithm>

namespace pgveil::custodian {
namespace {

using share::Json;

constexpr std::size_t kRequestersMax = 1000;
constexpr std::size_t kPurposesMax = 32;
constexpr std::uint64_t kPerMinuteMax = 1'000'000;

bool is_spoken(std::string_view text) {
    return !text.empty() && text.size() <= quorum::kRequestTextMax &&
           std::ranges::all_of(text, [](char letter) { return letter >= ' ' && letter <= '~'; });
}

/// Only these members.
bool has_only(const Json& object, std::initializer_list<std::string_view> names) {
    for (const auto& entry : object.items()) {
        if (std::ranges::find(names, entry.key()) == names.end()) {
            return false;
        }
    }
    return true;
}

/// Empty when it is no list of distinct texts within the limit.
std::optional<std::vector<std::string>> texts_of(const Json& list, std::size_t most) {
    if (!list.is_array() || list.size() > most) {
        return std::nullopt;
    }
    std::vector<std::string> out;
    for (const Json& each : list) {
        if (!each.is_string() || !is_spoken(each.get_ref<const std::string&>())) {
            return std::nullopt;
        }
        out.push_back(each.get<std::string>());
    }
    std::ranges::sort(out);
    if (std::ranges::adjacent_find(out) != out.end()) {
        return std::nullopt;
    }
    return out;
}

Result<RequesterRule> rule_of(const std::string& name, const Json& json) {
    const std::string where = "policy.requesters: \"" + name + "\" ";
    if (!is_spoken(name)) {
        return malformed("policy.requesters: a name is no 1 to 200 printable ASCII characters");
    }
    if (!json.is_object() || !has_only(json, {"purposes", "per_minute"}) ||
        !json.contains("purposes")) {
        return malformed(where + "is no object of \"purposes\" and \"per_minute\"");
    }
    auto purposes = texts_of(json["purposes"], kPurposesMax);
    if (!purposes || purposes->empty()) {
        return malformed(where + "has no list of 1 to 32 distinct purposes");
    }
    RequesterRule rule;
    rule.purposes = *std::move(purposes);
    if (json.contains("per_minute")) {
        const Json& number = json["per_minute"];
        if (!number.is_number_unsigned() || number.get<std::uint64_t>() > kPerMinuteMax) {
            return malformed(where + "has a \"per_minute\" that is no number from 0 to 1000000");
        }
        rule.per_minute = number.get<std::uint32_t>();
    }
    return rule;
}

Result<bool> needs_header(const Json& json) {
    if (!json.contains("header") || json["header"] == "none") {
        return false;
    }
    if (json["header"] != "required") {
        return malformed("policy.header: write \"none\" or \"required\"");
    }
    return true;
}

Result<std::optional<EvidenceRule>> evidence_of(const Json& json) {
    if (!json.contains("evidence") || json["evidence"] == "none") {
        return std::optional<EvidenceRule>();
    }
    auto rule = parse_evidence_rule(json["evidence"]);
    if (!rule.has_value()) {
        return rule.error();
    }
    return std::optional<EvidenceRule>(*std::move(rule));
}

}  // namespace

Result<GroupPolicy> parse_policy(const Json& json) {
    if (!json.is_object() ||
        !has_only(json, {"requesters", "administrators", "header", "evidence"}) ||
        !json.contains("requesters") || !json["requesters"].is_object() ||
        json["requesters"].size() > kRequestersMax) {
        return malformed(
            "policy: no object of \"requesters\" (at most 1000), \"administrators\", \"evidence\""
        );
    }
    GroupPolicy policy;
    for (const auto& entry : json["requesters"].items()) {
        auto rule = rule_of(entry.key(), entry.value());
        if (!rule.has_value()) {
            return rule.error();
        }
        policy.requesters.emplace(entry.key(), *std::move(rule));
    }
    if (json.contains("administrators")) {
        auto names = texts_of(json["administrators"], kRequestersMax);
        if (!names) {
            return malformed("policy.administrators: no list of distinct names");
        }
        policy.administrators = *std::move(names);
    }
    const auto header = needs_header(json);
    if (!header.has_value()) {
        return header.error();
    }
    policy.needs_header = *header;
    auto evidence = evidence_of(json);
    if (!evidence.has_value()) {
        return evidence.error();
    }
    policy.evidence = *std::move(evidence);
    return policy;
}

Json policy_json(const GroupPolicy& policy) {
    Json requesters = Json::object();
    for (const auto& [name, rule] : policy.requesters) {
        requesters[name] = Json{{"purposes", rule.purposes}, {"per_minute", rule.per_minute}};
    }
    return Json{
        {"requesters", std::move(requesters)},
        {"administrators", policy.administrators},
        {"header", policy.needs_header ? "required" : "none"},
        {"evidence", policy.evidence ? evidence_rule_json(*policy.evidence) : Json("none")}};
}

std::string policy_text(const GroupPolicy& policy) {
    return share::write_json(policy_json(policy));
}

Result<void> check_request(
    const GroupPolicy& policy, std::string_view requester, std::string_view purpose
) {
    const auto found = policy.requesters.find(requester);
    if (found == policy.requesters.end()) {
        return refused(
            403, "requester", "the group's policy does not name \"" + std::string(requester) + "\""
        );
    }
    if (!std::ranges::binary_search(found->second.purposes, purpose, std::less<>())) {
        return refused(
            403,
            "purpose",
            "the group's policy does not let \"" + std::string(requester) +
                "\" ask for the purpose \"" + std::string(purpose) + "\""
        );
    }
    return {};
}

}  // namespace pgveil::custodian
