#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/quorum/error.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pgveil::quorum {

/// The messages of one round, one place for each member; an empty one is not here yet.
using Messages = std::vector<core::Bytes>;

/// kForeign for no member, kCheating for another size than `size` and for a second message that
/// differs from the first.
Result<void> keep_message(
    Messages& messages, std::uint32_t index, core::ByteView message, std::size_t size
);

/// Members' messages are awaited again.
void drop_messages(Messages& messages, const std::vector<std::uint32_t>& indices);

std::vector<std::uint32_t> missing_of(const Messages& messages);

/// LP of all.
core::Bytes joined_messages(const Messages& messages);
/// False unless it has exactly as many as `out` has places.
bool split_messages(core::ByteView bytes, Messages& out);

}  // namespace pgveil::quorum
