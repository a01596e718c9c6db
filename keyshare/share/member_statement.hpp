#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/share/error.hpp"

#include <span>
#include <string>
#include <string_view>

namespace pgveil::share {

inline constexpr std::size_t kStatementSessionSize = 32;

/// What a custodian says about itself for one run: "in session S, this is the member key of mine".
/// It travels through a coordinator that nobody trusts.
struct MemberStatement {
    core::Bytes session;     ///< 32 bytes
    std::string name;        ///< of the custodian, a plain name
    core::Bytes member_key;  ///< SEC 1, compressed: 33 bytes. That it is a point is not checked
};

/// JWS by the custodian's identity key, typ "pgveil-member".
std::string sign_statement(const MemberStatement& statement, const core::SigningKey& identity);

/// kMalformed, or kForged when another key signed. Compare session and name yourself.
Result<MemberStatement> verify_statement(std::string_view jws, const core::VerifyingKey& identity);

/// What the members of a run agree on beside its setup: the policy of the group to be, by its
/// SHA-256, and their names in their order (docs/FORMATS.md).
core::Bytes run_agreement(core::ByteView policy_digest, std::span<const std::string> names);
/// The session of the library's reshare, which has no place for the agreement.
core::Bytes reshare_session(core::ByteView session, core::ByteView agreement);

}  // namespace pgveil::share
