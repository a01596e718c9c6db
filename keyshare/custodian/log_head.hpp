#pragma once

#include "keyshare/core/jws.hpp"
#include "keyshare/share/key_kinds.hpp"
#include "keyshare/user/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pgveil::custodian {

/// A custodian's word that its log held this line, and by its hash all lines before it.
struct LogHead {
    std::string name;            ///< the custodian's
    std::uint64_t sequence = 0;  ///< of the line; 0: the log was empty
    share::Digest hash{};        ///< of the line
    std::int64_t at_s = 0;       ///< Unix time of the signature

    friend bool operator==(const LogHead&, const LogHead&) = default;
};

/// JWS, typ "pgveil-custodian-log".
std::string sign_log_head(const LogHead& head, const core::SigningKey& identity);

/// A message for a person when another key signed it, or it is no head of this custodian's log.
/// Never throws on any text.
user::Result<LogHead> verify_log_head(
    std::string_view jws, const core::VerifyingKey& identity, std::string_view name
);

}  // namespace pgveil::custodian
