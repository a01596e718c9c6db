#include "keyshare/custodian/records.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/core/lp.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace pgveil::custodian {
namespace {

using core::as_bytes;
using core::ByteView;
using core::SecretBytes;
using share::Json;

constexpr std::string_view kMember = "pgveil/1 custodian member";
constexpr std::string_view kShare = "pgveil/1 custodian share";

constexpr std::array<std::string_view, 4> kStates{"running", "done", "failed", "abandoned"};

SecretBytes text_row(const Json& json) {
    return SecretBytes::copy_of(as_bytes(share::write_json(json)));
}

Json list_of(const std::vector<core::Bytes>& messages) {
    Json out = Json::array();
    for (const core::Bytes& each : messages) {
        out.push_back(share::json_bytes(each));
    }
    return out;
}

std::optional<std::vector<core::Bytes>> messages_of(const Json& list) {
    std::vector<core::Bytes> out;
    for (const Json& each : list) {
        auto bytes = core::base64url_decode(each.is_string() ? each.get<std::string>() : "!");
        if (!bytes.has_value()) {
            return std::nullopt;
        }
        out.push_back(*std::move(bytes));
    }
    return out;
}

std::optional<std::vector<std::string>> names_of(const Json& list) {
    std::vector<std::string> out;
    for (const Json& each : list) {
        if (!each.is_string()) {
            return std::nullopt;
        }
        out.push_back(each.get<std::string>());
    }
    return out;
}

std::vector<std::uint32_t> numbers_of(const Json& list) {
    std::vector<std::uint32_t> out;
    for (const Json& each : list) {
        out.push_back(each.is_number_unsigned() ? each.get<std::uint32_t>() : 0);
    }
    return out;
}

std::optional<RunState> state_named(std::string_view name) {
    const auto* const found = std::ranges::find(kStates, name);
    return found == kStates.end()
               ? std::nullopt
               : std::optional(RunState{static_cast<int>(found - kStates.begin())});
}

std::optional<quorum::MemberKey> key_of(ByteView scalar) {
    auto number = core::Scalar::from(scalar);
    if (!number.has_value()) {
        return std::nullopt;
    }
    auto key = quorum::MemberKey::from_scalar(*std::move(number));
    return key.has_value() ? std::optional(*std::move(key)) : std::nullopt;
}

}  // namespace

std::string id_of(const quorum::Group& group) {
    return core::base64url_encode(group.id);
}

store::RowName identity_row() {
    return {"custodian", "identity"};
}

store::RowName log_row() {
    return {"custodian", "log"};
}

store::RowName member_row(const std::string& session) {
    return {"member", session};
}

store::RowName run_row(const std::string& session) {
    return {"run", session};
}

store::RowName group_row(const std::string& id) {
    return {"group", id};
}

store::RowName version_row(const std::string& group, const std::string& store) {
    return {"version", group + "/" + store};
}

store::RowName clock_row(const std::string& group, const core::PublicPoint& attestation_key) {
    return {"clock", group + "/" + attestation_key.text()};
}

store::RowName share_row(const std::string& id) {
    return {"share", id};
}

store::RowName next_row(const std::string& id, std::uint32_t epoch) {
    return {"next", id + "/" + std::to_string(epoch)};
}

SecretBytes serialize(const MemberRecord& record) {
    return core::secret_length_prefixed(
        {as_bytes(kMember), as_bytes(record.statement), record.key.scalar().reveal()}
    );
}

std::optional<MemberRecord> parse_member(ByteView bytes) {
    const auto parts = core::split_length_prefixed(bytes, 3);
    if (!parts.has_value() || !std::ranges::equal((*parts)[0], as_bytes(kMember))) {
        return std::nullopt;
    }
    auto key = key_of((*parts)[2]);
    if (!key) {
        return std::nullopt;
    }
    return MemberRecord{std::string(core::as_text((*parts)[1])), *std::move(key)};
}

SecretBytes serialize(const RunRecord& record) {
    return text_row(
        {{"session", record.session},
         {"kind", record.kind},
         {"setup", record.setup},
         {"policy", record.policy},
         {"names", record.names},
         {"index", record.index},
         {"from_index", record.from_index},
         {"state", kStates.at(static_cast<std::size_t>(record.state))},
         {"run", share::json_bytes(record.run)},
         {"sent", list_of(record.sent)},
         {"dealers", record.dealers},
         {"dealings", list_of(record.dealings)},
         {"group", record.group},
         {"failure", record.failure.message},
         {"code", record.failure.code},
         {"status", record.failure.status},
         {"member", record.failure.member}}
    );
}

std::optional<RunRecord> parse_run(ByteView bytes) {
    share::JsonReader reader(core::as_text(bytes));
    const auto state = state_named(reader.text("state"));
    auto names = names_of(reader.part("names"));
    auto sent = messages_of(reader.part("sent"));
    auto dealings = messages_of(reader.part("dealings"));
    const std::vector<std::uint32_t> dealers = numbers_of(reader.part("dealers"));
    RunRecord record;
    record.session = reader.text("session");
    record.kind = reader.text("kind");
    record.setup = reader.text("setup");
    record.policy = reader.text("policy");
    record.run = reader.bytes("run");
    record.group = reader.text("group");
    record.index = reader.u32("index");
    record.from_index = reader.u32("from_index");
    record.failure = {reader.u32("status"), reader.text("code"), reader.text("failure")};
    record.failure.member = reader.u32("member");
    if (!reader.ok() || !state || !names || !sent || !dealings) {
        return std::nullopt;
    }
    record.names = *std::move(names);
    record.sent = *std::move(sent);
    record.dealings = *std::move(dealings);
    record.dealers = dealers;
    record.state = *state;
    return record;
}

SecretBytes serialize(const GroupRecord& record) {
    return text_row(
        {{"group", share::json_bytes(serialize(record.group))},
         {"index", record.index},
         {"names", record.names},
         {"policy", policy_json(record.policy)},
         {"certificate", share::json_bytes(record.certificate)},
         {"kind", record.is_reshared ? "reshare" : "generate"},
         {"shredded", share::json_bytes(record.shredded)},
         {"made_at", record.made_at_s}}
    );
}

std::optional<GroupRecord> parse_group_record(ByteView bytes) {
    share::JsonReader reader(core::as_text(bytes));
    auto group = quorum::parse_group(reader.bytes("group"));
    auto names = names_of(reader.part("names"));
    auto policy = parse_policy(reader.part("policy"));
    const std::string kind = reader.text("kind");
    const core::Bytes certificate = reader.bytes("certificate");
    const core::Bytes shredded = reader.bytes("shredded");
    const std::uint32_t index = reader.u32("index");
    const std::int64_t made_at_s = reader.time("made_at");
    const bool is_known = kind == "reshare" || kind == "generate";
    if (!reader.ok() || !is_known || !group.has_value() || !names || !policy.has_value() ||
        index == 0 || index > group->size()) {
        return std::nullopt;
    }
    return GroupRecord{
        *std::move(group),
        index,
        *std::move(names),
        *std::move(policy),
        certificate,
        kind == "reshare",
        shredded,
        made_at_s};
}

SecretBytes serialize_share(const Holding& holding) {
    core::invariant(holding.is_live(), "only a live share is kept");
    const SecretBytes share = quorum::serialize(*holding.share);
    return core::secret_length_prefixed(
        {as_bytes(kShare), share.reveal(), holding.key->scalar().reveal()}
    );
}

bool take_share(ByteView bytes, Holding& holding) {
    const auto parts = core::split_length_prefixed(bytes, 3);
    if (!parts.has_value() || !std::ranges::equal((*parts)[0], as_bytes(kShare))) {
        return false;
    }
    auto share = quorum::parse_key_share((*parts)[1]);
    auto key = key_of((*parts)[2]);
    const quorum::Group& group = holding.record.group;
    if (!share.has_value() || !key || share->index != holding.record.index ||
        !quorum::belongs_to(*share, group) ||
        group.members[holding.record.index - 1] != key->point()) {
        return false;
    }
    holding.share = *std::move(share);
    holding.key = std::move(key);
    return true;
}

}  // namespace pgveil::custodian
