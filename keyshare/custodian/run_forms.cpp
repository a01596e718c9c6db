#include "keyshare/custodian/run_forms.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/custodian/run_setup.hpp"
#include "keyshare/quorum/reshare_run.hpp"
#include "keyshare/share/member_statement.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::custodian {
namespace {

using share::Json;

constexpr std::size_t kDealingRound = 2;
constexpr std::size_t kMessagesMax = 3 * quorum::kMembersMax;

Json indices(const std::vector<std::uint32_t>& members) {
    Json out = Json::array();
    for (const std::uint32_t each : members) {
        out.push_back(each);
    }
    return out;
}

/// Of a reshare the dealing is the second message, as member of the group that it starts from.
Json sent_of(const RunRecord& record) {
    Json out = Json::array();
    for (std::size_t at = 0; at < record.sent.size(); ++at) {
        const bool is_from = record.kind == kReshare && at + 1 == kDealingRound;
        if (!record.sent[at].empty()) {
            out.push_back(
                {{"round", at + 1},
                 {"index", is_from ? record.from_index : record.index},
                 {"message", share::json_bytes(record.sent[at])}}
            );
        }
    }
    return out;
}

Json failure_of(const Refusal& failure) {
    Json out{{"code", failure.code}, {"message", failure.message}};
    if (failure.member != 0) {
        out["member"] = failure.member;
    }
    return out;
}

/// Whose message of this round is not here.
Result<std::vector<std::uint32_t>> awaited_of(const RunRecord& record) {
    if (record.kind != kReshare) {
        const auto run = quorum::parse_generation_run(record.run);
        if (!run.has_value()) {
            return refusal_of(run.error());
        }
        return run->awaited();
    }
    std::vector<std::uint32_t> out;
    if (record.index == 0) {
        return out;
    }
    const auto run = quorum::parse_reshare_run(record.run);
    if (!run.has_value()) {
        return refusal_of(run.error());
    }
    if (run->has_accepted()) {
        return run->awaited();
    }
    for (std::size_t at = 0; at < record.dealings.size(); ++at) {
        const auto index = static_cast<std::uint32_t>(at + 1);
        if (record.dealings[at].empty() &&
            std::ranges::find(record.dealers, index) != record.dealers.end()) {
            out.push_back(index);
        }
    }
    return out;
}

}  // namespace

bool is_session(std::string_view text) {
    const auto bytes = core::base64url_decode(text);
    return bytes.has_value() && bytes->size() == share::kStatementSessionSize;
}

core::Bytes decoded(std::string_view text) {
    auto out = core::base64url_decode(text);
    return out.has_value() ? *std::move(out) : core::Bytes();
}

Result<std::vector<RunMessage>> messages_in(const Json& list) {
    if (!list.is_array() || list.size() > kMessagesMax) {
        return malformed("messages: no list of at most 192 messages");
    }
    std::vector<RunMessage> out;
    for (const Json& each : list) {
        share::JsonReader reader(each);
        const std::uint32_t round = reader.u32("round");
        RunMessage message{quorum::Round::kPledge, reader.u32("index"), reader.bytes("message")};
        if (!reader.ok() || round < 1 || round > 3 || message.index == 0 ||
            message.index > quorum::kMembersMax) {
            return malformed(
                "messages: one is no object of \"round\" (1 to 3), \"index\" (1 to 64) and "
                "\"message\" (base64url)"
            );
        }
        message.round = quorum::Round{round};
        out.push_back(std::move(message));
    }
    return out;
}

Result<Reply> shown(const RunRecord& record) {
    Json out{
        {"session", record.session},
        {"round", record.sent.size()},
        {"sent", sent_of(record)},
        {"awaited", Json::array()},
        {"done", record.state == RunState::kDone}};
    if (!record.kind.empty()) {
        out["kind"] = record.kind;
    }
    if (record.state == RunState::kRunning) {
        const auto awaited = awaited_of(record);
        if (!awaited.has_value()) {
            return awaited.error();
        }
        out["awaited"] = indices(*awaited);
        if (!record.sent.empty() && !record.sent.back().empty()) {
            out["outgoing"] = share::json_bytes(record.sent.back());
        }
    } else if (record.state == RunState::kDone) {
        out["group"] = record.group;
    } else if (record.state == RunState::kFailed) {
        out["failure"] = failure_of(record.failure);
    } else {
        out["abandoned"] = true;
    }
    return Reply{std::move(out)};
}

}  // namespace pgveil::custodian
