#include "keyshare/custody/questions.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/custodian/api.hpp"
#include "keyshare/envelope/holder.hpp"
#include "keyshare/quorum/exchange.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

/// Questions to a group: what an asker, who is no administrator, may have.
namespace pgveil::custodian {
namespace {

using share::Json;

/// The purpose that a proxy states, in the policies of groups that open its store.
constexpr std::string_view kUnseal = "unseal";

struct StoreVersion {
    std::string store;  ///< base64url
    custody::StoreVersion said;
};

Result<StoreVersion> store_version_in(const Json& json) {
    share::JsonReader reader(json);
    StoreVersion out{reader.text("store"), {{}, reader.u64("version")}};
    const auto id = core::base64url_decode(out.store);
    if (!reader.ok() || !id.has_value() || id->size() != out.said.store.size()) {
        return malformed("a store's version is an object of \"store\" (16 bytes) and \"version\"");
    }
    std::ranges::copy(*id, out.said.store.begin());
    return out;
}

/// An asker of a group.
std::string whose(const std::string& group, const std::string& caller) {
    return group + " " + caller;
}

std::uint64_t number_of(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// The file's own policy, if a header came or has to come.
Result<void> check_header(
    const GroupRecord& record,
    const quorum::PartialRequest& asked,
    const Json& body,
    std::int64_t now_s
) {
    if (!body.contains("header")) {
        return record.policy.needs_header
                   ? Result<void>(refused(
                         403,
                         "header",
                         "the group's policy demands the header of the protected file with every "
                         "question"
                     ))
                   : Result<void>();
    }
    share::JsonReader reader(body);
    const envelope::Question question{asked, reader.bytes("header")};
    if (!reader.ok()) {
        return malformed("header: no base64url");
    }
    const auto allowed = envelope::check_question(question, record.group, now_s);
    return allowed.has_value() ? Result<void>() : refused(403, "header", allowed.error().message);
}

}  // namespace

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

Result<std::uint64_t> Api::version_held(const std::string& group, const std::string& store) const {
    const auto text = store_->text(version_row(group, store));
    if (!text.has_value()) {
        return refusal_of(text.error());
    }
    return number_of(*text);
}

Result<void> Api::check_store_version(const std::string& group, const Json& body) const {
    if (!body.contains("store_version")) {
        return {};
    }
    const auto said = store_version_in(body["store_version"]);
    if (!said.has_value()) {
        return said.error();
    }
    const auto held = version_held(group, said->store);
    if (!held.has_value()) {
        return held.error();
    }
    if (*held > said->said.version) {
        return out_of_state(
            "older_store",
            "the share store is at version " + std::to_string(said->said.version) + ", custodian " +
                options_.name + " has seen " + std::to_string(*held) +
                ": an older copy was put in its place"
        );
    }
    return {};
}

Result<std::optional<attest::Clock>> Api::clock_held(
    const std::string& group, const core::PublicPoint& attestation_key
) const {
    const auto text = store_->text(clock_row(group, attestation_key));
    if (!text.has_value()) {
        return refusal_of(text.error());
    }
    return parse_clock(*text);
}

/// What is to be kept when the question is answered. A nonce is used up by the first evidence that
/// names it, whether that is believed or not.
Result<CustodianStore::Changes> Api::check_evidence(
    const EvidenceRule& rule, core::ByteView subject, Call& call
) {
    const auto shown = read_evidence(call.body);
    if (!shown.has_value()) {
        return shown.error();
    }
    if (!nonces_.take(whose(call.parameter, call.request.caller), shown->nonce, options_.now_s())) {
        return refused(
            403,
            "evidence_nonce",
            "the evidence names a nonce that custodian " + options_.name +
                " has not given to this asker within the last minute, or that was answered before: "
                "ask for another one"
        );
    }
    const auto last = clock_held(call.parameter, shown->attestation_key);
    if (!last.has_value()) {
        return last.error();
    }
    const auto binding = custody::evidence_binding(options_.name, shown->nonce, subject);
    const auto clock = judge_evidence(rule, *shown, binding, *last);
    if (!clock.has_value()) {
        return clock.error();
    }
    CustodianStore::Changes changes;
    changes.push_back(
        {clock_row(call.parameter, shown->attestation_key),
         core::SecretBytes::copy_of(core::as_bytes(clock_text(*clock)))}
    );
    return changes;
}

Result<Reply> Api::give_nonce(Call& call) {
    const auto holding = live_group(call.parameter);
    if (!holding.has_value()) {
        return holding.error();
    }
    const GroupPolicy& policy = (*holding)->record.policy;
    if (!policy.requesters.contains(call.request.caller)) {
        return refused(
            403, "requester", "the group's policy does not name \"" + call.request.caller + "\""
        );
    }
    const auto nonce = nonces_.give(whose(call.parameter, call.request.caller), options_.now_s());
    return Reply{Json{
        {"nonce", core::base64url_encode(nonce)},
        {"seconds", Nonces::kSeconds},
        {"evidence", policy.evidence ? "required" : "none"}}};
}

Result<void> Api::take_turn(const GroupPolicy& policy, const std::string& group, Call& call) {
    const auto rule = policy.requesters.find(call.request.caller);
    const std::uint32_t most = rule == policy.requesters.end() ? 0 : rule->second.per_minute;
    const std::uint32_t wait =
        turns_.take(whose(group, call.request.caller), most, options_.now_s());
    if (wait == 0) {
        return {};
    }
    Refusal why = refused(
        429,
        "rate",
        "\"" + call.request.caller + "\" has asked " + std::to_string(most) +
            " times within a minute, which is all that the group's policy allows"
    );
    why.retry_after_s = wait;
    return why;
}

/// The checks in the order of the description; what is refused costs no turn, but for what the
/// file's or the store's own rules refuse.
Result<void> Api::check_question(
    const Holding& holding, const quorum::PartialRequest& asked, Call& call
) {
    const GroupRecord& record = holding.record;
    if (asked.group != record.group.id) {
        return out_of_state("group", "the request is for another group than the path names");
    }
    if (asked.epoch != record.group.epoch) {
        return out_of_state(
            "epoch",
            "the request is for epoch " + std::to_string(asked.epoch) +
                " of the group; custodian " + options_.name + " is at " +
                std::to_string(record.group.epoch) +
                (asked.epoch > record.group.epoch
                     ? ": it has not finished a run, or its store is an older copy"
                     : "")
        );
    }
    if (asked.requester != call.request.caller) {
        return refused(
            403,
            "requester",
            "the request is by \"" + asked.requester + "\", the certificate of \"" +
                call.request.caller + "\""
        );
    }
    if (const auto allowed =
            custodian::check_request(record.policy, asked.requester, asked.purpose);
        !allowed.has_value()) {
        return allowed;
    }
    CustodianStore::Changes changes;
    if (record.policy.evidence) {
        auto shown = check_evidence(*record.policy.evidence, serialize(asked), call);
        if (!shown.has_value()) {
            return shown.error();
        }
        changes = *std::move(shown);
    }
    if (const auto turn = take_turn(record.policy, call.parameter, call); !turn.has_value()) {
        return turn;
    }
    if (const auto allowed = check_header(record, asked, call.body, options_.now_s());
        !allowed.has_value()) {
        return allowed;
    }
    if (const auto allowed = check_store_version(call.parameter, call.body); !allowed.has_value()) {
        return allowed;
    }
    return changes.empty() ? Result<void>() : store_->commit(std::move(changes));
}

Result<Reply> Api::answer_partial(Call& call) {
    call.entry.group = call.parameter;
    const auto holding = live_group(call.parameter);
    if (!holding.has_value()) {
        return holding.error();
    }
    share::JsonReader reader(call.body);
    const core::Bytes bytes = reader.bytes("request");
    const auto asked = quorum::parse_request(bytes);
    if (!reader.ok() || !asked.has_value()) {
        return malformed("request: no request for a partial in base64url");
    }
    call.entry.request = core::to_hex(asked->id);
    call.entry.purpose = asked->purpose;
    if (const auto allowed = check_question(**holding, *asked, call); !allowed.has_value()) {
        return allowed.error();
    }
    const auto answer =
        quorum::answer((*holding)->record.group, *(*holding)->share, *(*holding)->key, *asked);
    if (!answer.has_value()) {
        return refusal_of(answer.error());
    }
    return Reply{Json{{"answer", share::json_bytes(*answer)}}};
}

/// Never lowers what it holds.
Result<Reply> Api::raise_store_version(Call& call) {
    call.entry.group = call.parameter;
    const auto holding = live_group(call.parameter);
    if (!holding.has_value()) {
        return holding.error();
    }
    const auto said = store_version_in(call.body);
    if (!said.has_value()) {
        return said.error();
    }
    const GroupPolicy& policy = (*holding)->record.policy;
    if (const auto allowed = custodian::check_request(policy, call.request.caller, kUnseal);
        !allowed.has_value()) {
        return allowed.error();
    }
    CustodianStore::Changes changes;
    if (policy.evidence) {
        const core::Bytes claim = custody::version_claim((*holding)->record.group.id, said->said);
        auto shown = check_evidence(*policy.evidence, claim, call);
        if (!shown.has_value()) {
            return shown.error();
        }
        changes = *std::move(shown);
    }
    if (const auto turn = take_turn(policy, call.parameter, call); !turn.has_value()) {
        return turn.error();
    }
    auto held = version_held(call.parameter, said->store);
    if (!held.has_value()) {
        return held.error();
    }
    if (said->said.version > *held) {
        held = said->said.version;
        changes.push_back(
            {version_row(call.parameter, said->store),
             core::SecretBytes::copy_of(core::as_bytes(std::to_string(*held)))}
        );
    }
    if (!changes.empty()) {
        if (const auto kept = store_->commit(std::move(changes)); !kept.has_value()) {
            return kept.error();
        }
    }
    return Reply{Json{{"store", said->store}, {"version", *held}}};
}

}  // namespace pgveil::custodian
