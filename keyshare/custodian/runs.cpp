#include "keyshare/custodian/runs.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/jws.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/quorum/curve.hpp"
#include "keyshare/quorum/generation_run.hpp"
#include "keyshare/share/member_statement.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace pgveil::custodian {
namespace {

using core::as_bytes;
using core::Bytes;
using core::ByteView;
using share::Json;

constexpr std::string_view kRunExtension = "pgveil/1 custodian run";

bool is_session(std::string_view text) {
    const auto bytes = core::base64url_decode(text);
    return bytes.has_value() && bytes->size() == share::kStatementSessionSize;
}

Bytes bytes_of(std::string_view text) {
    auto out = core::base64url_decode(text);
    return out.has_value() ? *std::move(out) : Bytes();
}

/// What all members of a run agree on beside its keys: the policy, and who they are.
Bytes extension_of(const std::string& policy, const std::vector<std::string>& names) {
    std::vector<ByteView> parts;
    parts.reserve(names.size());
    for (const std::string& name : names) {
        parts.push_back(as_bytes(name));
    }
    return core::length_prefixed(
        {as_bytes(kRunExtension),
         core::sha256(as_bytes(policy)),
         core::length_prefixed(std::span<const ByteView>(parts))}
    );
}

Json indices(const std::vector<std::uint32_t>& members) {
    Json out = Json::array();
    for (const std::uint32_t each : members) {
        out.push_back(each);
    }
    return out;
}

Json sent_of(const RunRecord& record) {
    Json out = Json::array();
    for (std::size_t at = 0; at < record.sent.size(); ++at) {
        out.push_back(
            {{"round", at + 1},
             {"index", record.index},
             {"message", share::json_bytes(record.sent[at])}}
        );
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

Result<Reply> shown(const RunRecord& record) {
    Json out{
        {"session", record.session},
        {"kind", record.kind},
        {"round", record.sent.size()},
        {"sent", sent_of(record)},
        {"awaited", Json::array()},
        {"done", record.state == RunState::kDone}};
    if (record.state == RunState::kRunning) {
        const auto run = quorum::parse_generation_run(record.run);
        if (!run.has_value()) {
            return refusal_of(run.error());
        }
        out["outgoing"] = share::json_bytes(run->outgoing());
        out["awaited"] = indices(run->awaited());
    } else if (record.state == RunState::kDone) {
        out["group"] = record.group;
    } else if (record.state == RunState::kFailed) {
        out["failure"] = failure_of(record.failure);
    } else {
        out["abandoned"] = true;
    }
    return Reply{std::move(out)};
}

struct Message {
    quorum::Round round = quorum::Round::kPledge;
    std::uint32_t index = 0;
    Bytes bytes;
};

constexpr std::size_t kMessagesMax = 3 * quorum::kMembersMax;

Result<std::vector<Message>> messages_in(const Json& list) {
    if (!list.is_array() || list.size() > kMessagesMax) {
        return malformed("messages: no list of at most 192 messages");
    }
    std::vector<Message> out;
    for (const Json& each : list) {
        share::JsonReader reader(each);
        const std::uint32_t round = reader.u32("round");
        Message message{quorum::Round::kPledge, reader.u32("index"), reader.bytes("message")};
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

struct Runs::Setup {
    std::string session;
    std::string kind;
    std::uint32_t threshold = 0;
    std::vector<std::string> names;
    std::vector<core::PublicPoint> members;
    std::vector<std::string> statements;
    GroupPolicy policy;

    /// One form of all of it.
    std::string text() const {
        return share::write_json(
            {{"session", session},
             {"kind", kind},
             {"threshold", threshold},
             {"statements", statements},
             {"policy", policy_json(policy)}}
        );
    }
};

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
        {bytes_of(session),
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

Result<void> Runs::read_statements(const Json& statements, Setup& setup) const {
    if (!statements.is_array() || statements.size() > quorum::kMembersMax) {
        return malformed("statements: no list of at most 64 statements");
    }
    for (const Json& each : statements) {
        const std::string text = each.is_string() ? each.get<std::string>() : std::string();
        const std::string place = "statements: number " + std::to_string(setup.names.size() + 1);
        const auto parts = core::parse_jws(text);
        if (!parts.has_value()) {
            return malformed(place + " is no signed statement");
        }
        const auto custodian = std::ranges::find_if(custodians_, [&](const Peer& peer) {
            return peer.identity.point().fingerprint_text() == parts->kid;
        });
        if (custodian == custodians_.end()) {
            return out_of_state(
                "peer",
                place + " is signed by nobody whom custodian " + custodians_.front().name +
                    " knows: add that custodian to its \"peers\""
            );
        }
        const auto statement = share::verify_statement(text, custodian->identity);
        if (!statement.has_value()) {
            return malformed(place + ": " + statement.error().message);
        }
        const auto key = quorum::decompressed(statement->member_key);
        if (!key || statement->name != custodian->name ||
            statement->session != bytes_of(setup.session)) {
            return malformed(
                place + " of custodian " + custodian->name +
                " is of another session or name, or its key is no point"
            );
        }
        setup.statements.push_back(text);
        setup.names.push_back(custodian->name);
        setup.members.push_back(*key);
    }
    return {};
}

Result<Runs::Setup> Runs::read_setup(const Json& body) const {
    share::JsonReader reader(body);
    Setup setup;
    setup.session = reader.text("session");
    setup.kind = reader.text("kind");
    setup.threshold = reader.u32("threshold");
    const Json& statements = reader.part("statements");
    const Json& policy = reader.part("policy");
    if (!reader.ok() || !is_session(setup.session) || setup.kind != "generate") {
        return malformed(
            "no object of \"session\" (32 bytes), \"kind\" (\"generate\"), \"threshold\", "
            "\"statements\" and \"policy\""
        );
    }
    auto read = parse_policy(policy);
    if (!read.has_value()) {
        return read.error();
    }
    setup.policy = *std::move(read);
    if (const auto checked = read_statements(statements, setup); !checked.has_value()) {
        return checked.error();
    }
    return setup;
}

Result<Reply> Runs::begin(const Json& body) {
    const auto setup = read_setup(body);
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
    const auto member = own_member(setup->session);
    if (!member.has_value()) {
        return member.error();
    }
    RunRecord record;
    record.session = setup->session;
    record.kind = setup->kind;
    record.setup = text;
    record.policy = policy_text(setup->policy);
    record.names = setup->names;
    const auto run = quorum::GenerationRun::start(
        {bytes_of(setup->session),
         setup->threshold,
         setup->members,
         extension_of(record.policy, record.names)},
        member->key
    );
    if (!run.has_value()) {
        return refusal_of(run.error());
    }
    record.index = index_in(*run, *member);
    note_sent(*run, record);
    record.run = serialize(*run);
    if (const auto kept = keep(record); !kept.has_value()) {
        return kept.error();
    }
    return shown(record);
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
    record.run.clear();
    CustodianStore::Changes changes;
    changes.push_back({run_row(record.session), serialize(record)});
    changes.push_back({member_row(record.session), std::nullopt});
    return store_->commit(std::move(changes));
}

Result<Reply> Runs::take_messages(const std::string& session, const Json& messages) {
    auto record = find(session);
    if (!record.has_value()) {
        return record.error();
    }
    if (record->state == RunState::kRunning) {
        const auto member = own_member(session);
        if (!member.has_value()) {
            return member.error();
        }
        if (const auto done = go_on(*record, *member, messages); !done.has_value()) {
            return done.error();
        }
    }
    return shown(*record);
}

Result<void> Runs::go_on(RunRecord& record, const MemberRecord& member, const Json& messages) {
    const auto list = messages_in(messages);
    if (!list.has_value()) {
        return list.error();
    }
    auto run = quorum::parse_generation_run(record.run);
    if (!run.has_value()) {
        return refusal_of(run.error());
    }
    for (const Message& each : *list) {
        if (each.index == record.index) {
            continue;
        }
        if (const auto kept = run->receive(each.round, each.index, each.bytes); !kept.has_value()) {
            return refusal_of(kept.error());
        }
    }
    for (;;) {
        const auto advanced = run->advance(member.key);
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
    return run->round() == quorum::Round::kDone ? finish(record, member) : keep(record);
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
    Holding holding;
    holding.record = GroupRecord{
        *std::move(group),
        share->index,
        record.names,
        *policy,
        serialize(run->certificate()),
        false,
        {},
        now_s_()};
    auto scalar = member.key.scalar().duplicate();
    auto key = quorum::MemberKey::from_scalar(std::move(scalar));
    holding.share = *std::move(share);
    holding.key = *std::move(key);
    record.group = id_of(holding.record.group);
    record.state = RunState::kDone;
    record.run.clear();
    CustodianStore::Changes changes;
    changes.push_back({group_row(record.group), serialize(holding.record)});
    changes.push_back({share_row(record.group), serialize_share(holding)});
    changes.push_back({run_row(record.session), serialize(record)});
    changes.push_back({member_row(record.session), std::nullopt});
    return store_->commit(std::move(changes), std::move(holding));
}

Result<Reply> Runs::abandon(const std::string& session) {
    auto record = find(session);
    if (!record.has_value()) {
        return record.error();
    }
    if (record->state == RunState::kRunning) {
        if (record->sent.size() >= 3) {
            return out_of_state(
                "signed",
                "this custodian has signed the group already, and others may have it: go on with "
                "the run"
            );
        }
        record->state = RunState::kAbandoned;
        record->run.clear();
        CustodianStore::Changes changes;
        changes.push_back({run_row(session), serialize(*record)});
        changes.push_back({member_row(session), std::nullopt});
        if (const auto kept = store_->commit(std::move(changes)); !kept.has_value()) {
            return kept.error();
        }
    }
    return shown(*record);
}

}  // namespace pgveil::custodian
