#pragma once

#include "keyshare/core/hash.hpp"
#include "keyshare/custody/error.hpp"
#include "keyshare/custody/group_file.hpp"
#include "keyshare/quorum/exchange.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgveil::custody {

/// Who took part when a secret was fetched, to be shown to an auditor afterwards. Public: it opens
/// nothing.
struct Receipt {
    core::Sha256Digest deposit{};  ///< of what was opened, as the asker says
    quorum::PartialRequest request;
    std::vector<quorum::Participation> participations;
};

/// JSON: {"format": "pgveil-receipt/1", "deposit", "request", "participations": [{"member",
/// "partial", "signature"}]}.
std::string write_receipt(const Receipt& receipt);
/// kSettings for anything that write_receipt() does not write; `file` is for the message.
Result<Receipt> parse_receipt(const std::string& file, std::string_view text);

/// The names of the members, each of whom signed this request and the digest of its part: at least
/// the threshold of them, and nobody twice. kSettings when the receipt is of another group or
/// epoch, kTooFew when there are too few, kCheating when a signature does not hold.
Result<std::vector<std::string>> took_part(const Receipt& receipt, const PinnedGroup& pinned);

}  // namespace pgveil::custody
