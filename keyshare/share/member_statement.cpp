#include "keyshare/share/member_statement.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/core/jws.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/share/json_fields.hpp"

#include <vector>

namespace pgveil::share {
namespace {

constexpr std::string_view kMemberStatementType = "pgveil-member";
constexpr std::size_t kMemberKeySize = 33;

std::string payload_of(const MemberStatement& statement) {
    return write_json(Json{
        {"session", json_bytes(statement.session)},
        {"name", statement.name},
        {"member_key", json_bytes(statement.member_key)}});
}

}  // namespace

std::string sign_statement(const MemberStatement& statement, const core::SigningKey& identity) {
    return core::sign_jws(identity, kMemberStatementType, core::as_bytes(payload_of(statement)));
}

Result<MemberStatement> verify_statement(std::string_view jws, const core::VerifyingKey& identity) {
    const auto payload = core::verify_jws(identity, kMemberStatementType, jws);
    if (!payload.has_value()) {
        return Error{
            ErrorCode::kForged,
            "the statement does not carry the signature of this custodian's identity key"};
    }
    JsonReader reader(core::as_text(*payload));
    MemberStatement statement{
        reader.bytes("session"), reader.plain_name("name"), reader.bytes("member_key")};
    if (!reader.ok() || statement.session.size() != kStatementSessionSize ||
        statement.member_key.size() != kMemberKeySize ||
        payload_of(statement) != core::as_text(*payload)) {
        return Error{ErrorCode::kMalformed, "the statement has a form this program does not know"};
    }
    return statement;
}

core::Bytes run_agreement(core::ByteView policy_digest, std::span<const std::string> names) {
    std::vector<core::ByteView> parts;
    parts.reserve(names.size());
    for (const std::string& name : names) {
        parts.push_back(core::as_bytes(name));
    }
    return core::length_prefixed(
        {core::as_bytes("pgveil/1 custodian run"),
         policy_digest,
         core::length_prefixed(std::span<const core::ByteView>(parts))}
    );
}

core::Bytes reshare_session(core::ByteView session, core::ByteView agreement) {
    return core::to_bytes(core::sha256(
        core::length_prefixed({core::as_bytes("pgveil/1 custodian reshare"), session, agreement})
    ));
}

}  // namespace pgveil::share
