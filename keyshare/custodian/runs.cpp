#include "keyshare/custodian/runs.hpp"

#include "keyshare/custodian/run_forms.hpp"
#include "keyshare/quorum/curve.hpp"
#include "keyshare/quorum/generation_run.hpp"
#include "keyshare/share/member_statement.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace pgveil::custodian {
namespace {

using core::Bytes;
using core::ByteView;
using share::Json;

std::uint32_t index_in(const quorum::GenerationRun& run, const MemberRecord& member) {
    const auto& members = run.setup().members;
    const auto place = std::ranges::find(members, member.key.point()) - members.begin();
    return static_cast<std::uint32_t>(place) + 1;
}

/// This member's message of the present round, once.
void note_sent(const quorum::GenerationRun& run, RunRecord& record) {
    const auto round = static_cast<std::size_t>(run.round());
    if (run.round() != quorum::Round::kDone && record.sent.size() < round) {
        record.sent.push_back(core::to_bytes(run.outgoing()));
    }
}

}  // namespace

Result<Reply> Runs::make_member(const std::string& session) {
    if (!is_session(session)) {
        return malformed("session: no 32 bytes in base64url");
    }
    const auto known = store_->member(session);
    if (!known.has_value()) {
        return refusal_of(known.error());
    }
    if (*known) {
        return Reply{Json{{"statement", (*known)->statement}}};
    }
    const auto run = store_->run(session);
    if (!run.has_value()) {
        return refusal_of(run.error());
    }
    if (*run) {
        return out_of_state("session", "this session is over: take fresh random bytes for another");
    }
    MemberRecord fresh{{}, quorum::MemberKey::generate()};
    fresh.statement = share::sign_statement(
        {decoded(session),
         custodians_.front().name,
         core::to_bytes(quorum::compressed(fresh.key.point()))},
        store_->identity()
    );
    CustodianStore::Changes changes;
    changes.push_back({member_row(session), serialize(fresh)});
    if (const auto kept = store_->commit(std::move(changes)); !kept.has_value()) {
        return kept.error();
    }
    return Reply{Json{{"statement", fresh.statement}}};
}

Result<RunRecord> Runs::find(const std::string& session) const {
    const auto found = store_->run(session);
    if (!found.has_value()) {
        return refusal_of(found.error());
    }
    if (!*found) {
        return refused(404, "run", "there is no run of this session here: begin it first");
    }
    return **found;
}

Result<MemberRecord> Runs::own_member(const std::string& session) const {
    auto found = store_->member(session);
    if (!found.has_value()) {
        return refusal_of(found.error());
    }
    if (!*found) {
        return out_of_state(
            "member", "this custodian has no member key for this session: ask for one first"
        );
    }
    return **std::move(found);
}

Result<Reply> Runs::begin(const Json& body) {
    const auto setup = read_setup(body, custodians_);
    if (!setup.has_value()) {
        return setup.error();
    }
    const auto known = store_->run(setup->session);
    if (!known.has_value()) {
        return refusal_of(known.error());
    }
    const std::string text = setup->text();
    if (*known) {
        if ((*known)->setup != text) {
            return out_of_state("setup", "this session has begun with another setup");
        }
        return shown(**known);
    }
    RunRecord record;
    record.session = setup->session;
    record.kind = setup->kind;
    record.setup = text;
    record.policy = policy_text(setup->policy);
    record.names = setup->names;
    const auto begun =
        setup->kind == kGenerate ? begin_generation(*setup, record) : begin_reshare(*setup, record);
    if (!begun.has_value()) {
        return begun.error();
    }
    if (const auto kept = keep(record); !kept.has_value()) {
        return kept.error();
    }
    return shown(record);
}

Result<void> Runs::begin_generation(const RunSetup& setup, RunRecord& record) const {
    const auto member = own_member(setup.session);
    if (!member.has_value()) {
        return member.error();
    }
    const auto run = quorum::GenerationRun::start(
        {decoded(setup.session),
         setup.threshold,
         setup.members,
         agreement_of(record.policy, record.names)},
        member->key
    );
    if (!run.has_value()) {
        return refusal_of(run.error());
    }
    record.index = index_in(*run, *member);
    note_sent(*run, record);
    record.run = serialize(*run);
    return {};
}

Result<Reply> Runs::state(const std::string& session) const {
    const auto record = find(session);
    if (!record.has_value()) {
        return record.error();
    }
    return shown(*record);
}

Result<void> Runs::keep(const RunRecord& record) {
    CustodianStore::Changes changes;
    changes.push_back({run_row(record.session), serialize(record)});
    return store_->commit(std::move(changes));
}

/// The run is over: its member key goes with it.
Result<void> Runs::fail(RunRecord& record, const Refusal& why) {
    record.state = RunState::kFailed;
    record.failure = why;
    return close(record);
}

Result<void> Runs::close(RunRecord& record) {
    const auto guard = guard_of(record);
    record.run.clear();
    record.dealings.clear();
    CustodianStore::Changes changes;
    changes.push_back({run_row(record.session), serialize(record)});
    if (record.index != 0) {
        changes.push_back({member_row(record.session), std::nullopt});
    }
    if (guard) {
        changes.push_back({*guard, std::nullopt});
    }
    return store_->commit(std::move(changes));
}

Result<Reply> Runs::take_messages(const std::string& session, const Json& body) {
    auto record = find(session);
    if (!record.has_value()) {
        return record.error();
    }
    if (record->state == RunState::kRunning) {
        const auto list = body.find("messages");
        const auto messages = messages_in(list == body.end() ? Json() : *list);
        if (!messages.has_value()) {
            return messages.error();
        }
        const auto done = record->kind == kGenerate ? go_on(*record, *messages)
                                                    : go_on_reshare(*record, *messages, body);
        if (!done.has_value()) {
            return done.error();
        }
    }
    return shown(*record);
}

Result<void> Runs::go_on(RunRecord& record, const std::vector<RunMessage>& messages) {
    const auto member = own_member(record.session);
    if (!member.has_value()) {
        return member.error();
    }
    auto run = quorum::parse_generation_run(record.run);
    if (!run.has_value()) {
        return refusal_of(run.error());
    }
    for (const RunMessage& each : messages) {
        if (each.index == record.index) {
            continue;
        }
        if (const auto kept = run->receive(each.round, each.index, each.bytes); !kept.has_value()) {
            return refusal_of(kept.error());
        }
    }
    for (;;) {
        const auto advanced = run->advance(member->key);
        if (!advanced.has_value()) {
            const Refusal why = refusal_of(advanced.error());
            record.run = serialize(*run);
            const bool is_over = run->round() != quorum::Round::kSignature;
            const auto kept = is_over ? fail(record, why) : keep(record);
            return kept.has_value() ? Result<void>(why) : kept;
        }
        if (!*advanced) {
            break;
        }
        note_sent(*run, record);
    }
    record.run = serialize(*run);
    return run->round() == quorum::Round::kDone ? finish(record, *member) : keep(record);
}

Result<void> Runs::finish(RunRecord& record, const MemberRecord& member) {
    const auto run = quorum::parse_generation_run(record.run);
    if (!run.has_value()) {
        return refusal_of(run.error());
    }
    auto share = run->share(member.key);
    auto group = quorum::group_of(run->certificate());
    const auto policy = parse_policy(Json::parse(record.policy, nullptr, false));
    if (!share.has_value() || !group.has_value() || !policy.has_value()) {
        return out_of_state("run", "the certificate of this run makes no group");
    }
    const std::uint32_t index = share->index;
    return take_seat(
        record,
        member,
        GroupRecord{
            *std::move(group),
            index,
            record.names,
            *policy,
            serialize(run->certificate()),
            false,
            {},
            now_s_()},
        *std::move(share),
        {}
    );
}

/// The run is done: its group and share stand in the store, its member key beside the share.
Result<void> Runs::take_seat(
    RunRecord& record,
    const MemberRecord& member,
    GroupRecord group,
    quorum::KeyShare share,
    CustodianStore::Changes changes
) {
    auto key = quorum::MemberKey::from_scalar(member.key.scalar().duplicate());
    if (!key.has_value()) {
        return refusal_of(key.error());
    }
    Holding holding{std::move(group), std::move(share), *std::move(key)};
    record.group = id_of(holding.record.group);
    record.state = RunState::kDone;
    record.run.clear();
    record.dealings.clear();
    changes.push_back({group_row(record.group), serialize(holding.record)});
    changes.push_back({share_row(record.group), serialize_share(holding)});
    changes.push_back({run_row(record.session), serialize(record)});
    changes.push_back({member_row(record.session), std::nullopt});
    return store_->commit(std::move(changes), std::move(holding));
}

}  // namespace pgveil::custodian
