#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/custodian/records.hpp"
#include "keyshare/custodian/refusal.hpp"
#include "keyshare/quorum/generation_run.hpp"
#include "keyshare/share/json_fields.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What a coordinator says and hears of runs, as JSON.
namespace pgveil::custodian {

/// 32 bytes in base64url.
bool is_session(std::string_view text);
/// Of base64url; empty for anything else.
core::Bytes decoded(std::string_view text);

/// A message of some member; a run's rounds are 1 to 3.
struct RunMessage {
    quorum::Round round = quorum::Round::kPledge;
    std::uint32_t index = 0;
    core::Bytes bytes;
};

Result<std::vector<RunMessage>> messages_in(const share::Json& list);

/// The state of a run as GET /v1/runs/{session} gives it.
Result<Reply> shown(const RunRecord& record);

}  // namespace pgveil::custodian
