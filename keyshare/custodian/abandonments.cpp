#include "keyshare/core/jws.hpp"
#include "keyshare/custodian/runs.hpp"

#include <algorithm>

/// Giving a run up. A certificate needs the signatures of all members, so one that has not signed,
/// and says by its identity key that it never will, ends the run for all: then those that have
/// signed may let go of it, too, and no two groups can come of that.
namespace pgveil::custodian {
namespace {

using share::Json;

constexpr std::string_view kAbandonedType = "pgveil-run-abandoned";
/// Messages of a member that has signed.
constexpr std::size_t kSignedMessages = 3;

std::string abandoned_text(const std::string& session, const std::string& name) {
    return share::write_json(Json{{"session", session}, {"name", name}});
}

bool has_signed(const RunRecord& record) {
    return record.sent.size() >= kSignedMessages;
}

/// Whether one of them is the word of a member of this run.
bool has_word_of_a_member(
    const Json& abandonments, const RunRecord& record, const std::vector<Peer>& custodians
) {
    return std::ranges::any_of(custodians, [&](const Peer& peer) {
        const std::string expected = abandoned_text(record.session, peer.name);
        return std::ranges::find(record.names, peer.name) != record.names.end() &&
               std::ranges::any_of(abandonments, [&](const Json& each) {
                   const auto payload = core::verify_jws(
                       peer.identity,
                       kAbandonedType,
                       each.is_string() ? each.get_ref<const std::string&>() : std::string()
                   );
                   return payload.has_value() && core::as_text(*payload) == expected;
               });
    });
}

}  // namespace

/// A member that has said its key and was told no setup gives up, too: it must not begin later.
Result<RunRecord> Runs::found_or_said(const std::string& session) const {
    auto record = find(session);
    if (record.has_value() || record.error().code != "run") {
        return record;
    }
    const auto member = own_member(session);
    if (!member.has_value()) {
        return record;
    }
    RunRecord fresh;
    fresh.session = session;
    fresh.index = 1;
    return fresh;
}

Result<Reply> Runs::abandon(const std::string& session, const Json& body) {
    auto record = found_or_said(session);
    if (!record.has_value()) {
        return record.error();
    }
    const auto given = body.find("abandonments");
    const Json abandonments = given != body.end() && given->is_array() ? *given : Json::array();
    if (record->state == RunState::kRunning) {
        if (has_signed(*record) && !has_word_of_a_member(abandonments, *record, custodians_)) {
            return out_of_state(
                "signed",
                "this custodian has signed the group already, and others may have it: go on with "
                "the run, or bring the word of a member that has not signed and gives it up"
            );
        }
        record->state = RunState::kAbandoned;
        if (const auto kept = close(*record); !kept.has_value()) {
            return kept.error();
        }
    }
    auto out = shown(*record);
    if (out.has_value() && record->state != RunState::kDone && !has_signed(*record) &&
        record->index != 0) {
        out->json["abandonment"] = core::sign_jws(
            store_->identity(),
            kAbandonedType,
            core::as_bytes(abandoned_text(session, custodians_.front().name))
        );
    }
    return out;
}

}  // namespace pgveil::custodian
