#include "keyshare/core/hash.hpp"
#include "keyshare/custodian/runs.hpp"
#include "keyshare/quorum/reshare.hpp"
#include "keyshare/share/member_statement.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

/// New shares of the same key: this custodian as a member of the group that a reshare starts from,
/// of the one that it leads to, or of both.
namespace pgveil::custodian {
namespace {

/// The library's session binds what its setup has no place for: policy and names.
core::Bytes bound_session(const RunSetup& setup, const std::string& policy) {
    return share::reshare_session(decoded(setup.session), agreement_of(policy, setup.names));
}

/// How an asker that knows the former group comes to this one (GET /v1/groups/{id}/next).
store::Change succession(
    const RunRecord& record, const quorum::Group& next, core::ByteView certificate
) {
    const share::Json shown{
        {"epoch", next.epoch},
        {"certificate", share::json_bytes(certificate)},
        {"session", record.session},
        {"policy_hash", share::json_digest(core::sha256(core::as_bytes(record.policy)))},
        {"members", record.names}};
    return {
        next_row(id_of(next), next.epoch - 1),
        core::SecretBytes::copy_of(core::as_bytes(share::write_json(shown)))};
}

store::RowName signed_row(const quorum::Group& from) {
    return {"signed", id_of(from) + "/" + std::to_string(from.epoch)};
}

Result<void> check_dealers(const RunSetup& setup, const quorum::Group& from) {
    const bool fit = std::ranges::all_of(setup.dealers, [&](std::uint32_t index) {
        return index <= from.size();
    });
    if (!fit || (!setup.dealers.empty() && setup.dealers.size() < from.threshold)) {
        return malformed(
            "dealers: at least " + std::to_string(from.threshold) +
            " members of the group that the reshare starts from"
        );
    }
    return {};
}

std::vector<std::uint32_t> dealers_of(const RunSetup& setup, const quorum::Group& from) {
    std::vector<std::uint32_t> out = setup.dealers;
    for (std::uint32_t index = 1; out.size() < from.size() && setup.dealers.empty(); ++index) {
        out.push_back(index);
    }
    return out;
}

/// The dealings that all new members use; nothing while some are not here.
std::optional<std::vector<core::Bytes>> chosen(const RunRecord& record) {
    std::vector<core::Bytes> out;
    for (const std::uint32_t index : record.dealers) {
        const core::Bytes& dealing = record.dealings.at(index - 1);
        if (dealing.empty()) {
            return std::nullopt;
        }
        out.push_back(dealing);
    }
    return out;
}

Result<void> keep_dealing(RunRecord& record, const RunMessage& message) {
    if (message.index > record.dealings.size()) {
        return out_of_state("foreign", "a dealing of a member that the former group has not");
    }
    core::Bytes& place = record.dealings.at(message.index - 1);
    if (!place.empty() && place != message.bytes) {
        Refusal why = refused(
            422,
            "cheating",
            "member " + std::to_string(message.index) + " of the former group sent two dealings"
        );
        why.member = message.index;
        return why;
    }
    place = message.bytes;
    return {};
}

}  // namespace

Result<void> Runs::begin_reshare(const RunSetup& setup, RunRecord& record) const {
    const Holding* const held = store_->find(setup.group);
    const bool is_old = held != nullptr && held->is_live();
    if (is_old && held->record.group.epoch != setup.epoch) {
        return out_of_state(
            "epoch",
            "the reshare starts from epoch " + std::to_string(setup.epoch) + "; custodian " +
                custodians_.front().name + " is at " + std::to_string(held->record.group.epoch)
        );
    }
    if (!is_old && !setup.from) {
        return malformed("from: a custodian that is no member yet has to be told the group");
    }
    const quorum::ReshareSetup reshare{
        bound_session(setup, record.policy),
        is_old ? held->record.group : *setup.from,
        setup.threshold,
        setup.members};
    if (const auto fit = check_dealers(setup, reshare.from); !fit.has_value()) {
        return fit;
    }
    record.dealers = dealers_of(setup, reshare.from);
    record.dealings.resize(reshare.from.size());
    record.sent.resize(2);
    const auto own = std::ranges::find(setup.names, custodians_.front().name);
    if (own != setup.names.end()) {
        const auto member = own_member(setup.session);
        if (!member.has_value()) {
            return member.error();
        }
        const auto run = quorum::ReshareRun::start(reshare, member->key);
        if (!run.has_value()) {
            return refusal_of(run.error());
        }
        record.index = static_cast<std::uint32_t>(own - setup.names.begin()) + 1;
        record.run = serialize(*run);
    } else if (!is_old) {
        return out_of_state("foreign", "this custodian is no member, neither before nor after");
    }
    if (is_old) {
        auto dealing = quorum::deal_again(reshare, *held->key, *held->share);
        if (!dealing.has_value()) {
            return refusal_of(dealing.error());
        }
        record.from_index = held->record.index;
        record.group = setup.group;
        record.dealings.at(record.from_index - 1) = *dealing;
        record.sent.at(1) = *std::move(dealing);
    }
    return {};
}

/// What keeps this member from signing another run, if it is this one that it has signed.
std::optional<store::RowName> Runs::guard_of(const RunRecord& record) const {
    if (record.kind != kReshare || record.index == 0) {
        return std::nullopt;
    }
    const auto run = quorum::parse_reshare_run(record.run);
    if (!run.has_value()) {
        return std::nullopt;
    }
    const auto held = store_->text(signed_row(run->setup().from));
    return held.has_value() && *held == record.session
               ? std::optional(signed_row(run->setup().from))
               : std::nullopt;
}

Result<void> Runs::go_on_reshare(
    RunRecord& record, const Messages& messages, const share::Json& body
) {
    if (record.index == 0) {
        return body.contains("certificate") ? leave(record, body) : Result<void>();
    }
    const auto member = own_member(record.session);
    if (!member.has_value()) {
        return member.error();
    }
    auto run = quorum::parse_reshare_run(record.run);
    if (!run.has_value()) {
        return refusal_of(run.error());
    }
    for (const RunMessage& each : messages) {
        Result<void> kept;
        if (each.round == quorum::Round::kDealing && !run->has_accepted()) {
            kept = keep_dealing(record, each);
        } else if (each.round == quorum::Round::kSignature && each.index != record.index) {
            const auto received = run->receive(each.index, each.bytes);
            kept = received.has_value() ? Result<void>() : refusal_of(received.error());
        }
        if (!kept.has_value()) {
            return kept;
        }
    }
    if (!run->has_accepted()) {
        if (const auto accepted = accept_dealings(record, *member, *run); !accepted.has_value()) {
            return accepted;
        }
    }
    const auto finished = run->has_accepted() ? run->finish() : quorum::Result<bool>(false);
    record.run = serialize(*run);
    if (finished.has_value() && *finished) {
        return finish_reshare(record, *member, *run);
    }
    if (const auto kept = keep(record); !kept.has_value()) {
        return kept;
    }
    return finished.has_value() ? Result<void>() : refusal_of(finished.error());
}

/// Signs once for each group and epoch, whatever session it is.
Result<void> Runs::accept_dealings(
    RunRecord& record, const MemberRecord& member, quorum::ReshareRun& run
) {
    const auto dealings = chosen(record);
    if (!dealings) {
        return {};
    }
    const store::RowName guard = signed_row(run.setup().from);
    const auto other = store_->text(guard);
    if (!other.has_value()) {
        return refusal_of(other.error());
    }
    if (!other->empty() && *other != record.session) {
        return out_of_state(
            "signed",
            "this custodian has signed another run from this group and epoch: go on with session " +
                *other
        );
    }
    if (const auto accepted = run.accept(member.key, *dealings); !accepted.has_value()) {
        return refusal_of(accepted.error());
    }
    record.sent.push_back(core::to_bytes(run.signature()));
    record.run = serialize(run);
    CustodianStore::Changes changes;
    changes.push_back({guard, core::SecretBytes::copy_of(core::as_bytes(record.session))});
    changes.push_back({run_row(record.session), serialize(record)});
    return store_->commit(std::move(changes));
}

Result<void> Runs::finish_reshare(
    RunRecord& record, const MemberRecord& member, const quorum::ReshareRun& run
) {
    auto share = run.share(member.key);
    const auto policy = parse_policy(share::Json::parse(record.policy, nullptr, false));
    if (!share.has_value() || !policy.has_value()) {
        return out_of_state("run", "the certificate of this run makes no group");
    }
    const std::uint32_t index = share->index;
    CustodianStore::Changes changes;
    changes.push_back(succession(record, run.group(), serialize(run.certificate())));
    return take_seat(
        record,
        member,
        GroupRecord{
            run.group(),
            index,
            record.names,
            *policy,
            serialize(run.certificate()),
            true,
            {},
            now_s_()},
        *std::move(share),
        std::move(changes)
    );
}

/// A member of the former group only: its share goes once the others have theirs.
Result<void> Runs::leave(RunRecord& record, const share::Json& body) {
    share::JsonReader reader(body);
    const auto certificate = quorum::parse_reshare_certificate(reader.bytes("certificate"));
    const Holding* const held = store_->find(record.group);
    if (!reader.ok() || !certificate.has_value() || held == nullptr) {
        return malformed("certificate: none of a reshare");
    }
    const auto next = quorum::next_group(held->record.group, *certificate);
    if (!next.has_value()) {
        return refusal_of(next.error());
    }
    Holding left{held->record, std::nullopt, std::nullopt};
    record.state = RunState::kDone;
    record.run.clear();
    record.dealings.clear();
    CustodianStore::Changes changes;
    changes.push_back(succession(record, *next, serialize(*certificate)));
    changes.push_back({share_row(record.group), std::nullopt});
    changes.push_back({run_row(record.session), serialize(record)});
    return store_->commit(std::move(changes), std::move(left));
}

}  // namespace pgveil::custodian
