#include "keyshare/quorum/run_messages.hpp"

#include "keyshare/core/lp.hpp"

#include <algorithm>
#include <string>

namespace pgveil::quorum {

Result<void> keep_message(
    Messages& messages, std::uint32_t index, core::ByteView message, std::size_t size
) {
    if (index == 0 || index > messages.size()) {
        return Error{ErrorCode::kForeign, "no message of a member of this run", {}};
    }
    if (message.size() != size) {
        return Error{
            ErrorCode::kCheating,
            "member " + std::to_string(index) + ": its message has a size that none has",
            {index}};
    }
    core::Bytes& place = messages[index - 1];
    if (place.empty()) {
        place = core::to_bytes(message);
        return {};
    }
    if (!std::ranges::equal(place, message)) {
        return Error{
            ErrorCode::kCheating,
            "member " + std::to_string(index) + ": it sent two different messages in one round",
            {index}};
    }
    return {};
}

void drop_messages(Messages& messages, const std::vector<std::uint32_t>& indices) {
    for (const std::uint32_t index : indices) {
        messages[index - 1].clear();
    }
}

std::vector<std::uint32_t> missing_of(const Messages& messages) {
    std::vector<std::uint32_t> out;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (messages[i].empty()) {
            out.push_back(static_cast<std::uint32_t>(i) + 1);
        }
    }
    return out;
}

core::Bytes joined_messages(const Messages& messages) {
    const std::vector<core::ByteView> parts(messages.begin(), messages.end());
    return core::length_prefixed(parts);
}

bool split_messages(core::ByteView bytes, Messages& out) {
    const auto parts = core::split_length_prefixed(bytes, out.size());
    if (!parts.has_value()) {
        return false;
    }
    std::ranges::transform(*parts, out.begin(), core::to_bytes);
    return true;
}

}  // namespace pgveil::quorum
