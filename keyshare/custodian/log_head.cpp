#include "keyshare/custodian/log_head.hpp"

#include "keyshare/share/json_fields.hpp"

namespace pgveil::custodian {
namespace {

constexpr std::string_view kHeadType = "pgveil-custodian-log";

std::string head_text(const LogHead& head) {
    return share::write_json(share::Json{
        {"name", head.name},
        {"seq", head.sequence},
        {"hash", share::json_digest(head.hash)},
        {"time", head.at_s}});
}

}  // namespace

std::string sign_log_head(const LogHead& head, const core::SigningKey& identity) {
    return core::sign_jws(identity, kHeadType, core::as_bytes(head_text(head)));
}

user::Result<LogHead> verify_log_head(
    std::string_view jws, const core::VerifyingKey& identity, std::string_view name
) {
    const auto payload = core::verify_jws(identity, kHeadType, jws);
    if (!payload.has_value()) {
        return user::failed(
            "it is no head that the identity key of " + std::string(name) + " has signed"
        );
    }
    share::JsonReader reader(core::as_text(*payload));
    LogHead head;
    head.name = reader.text("name");
    head.sequence = reader.u64("seq");
    head.hash = reader.digest("hash");
    head.at_s = reader.time("time");
    if (!reader.ok() || head.name != name || head_text(head) != core::as_text(*payload)) {
        return user::failed("it is no head of the log of " + std::string(name));
    }
    return head;
}

}  // namespace pgveil::custodian
