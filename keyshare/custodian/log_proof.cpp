#include "keyshare/custodian/log_proof.hpp"

#include "keyshare/custodian/access_log.hpp"

#include <algorithm>

namespace pgveil::custodian {
namespace {

std::string line_number(std::uint64_t sequence) {
    return "record " + std::to_string(sequence);
}

}  // namespace

LogProof::LogProof(const std::string& custodian) : walk_(kLogForm, custodian, "record") {}

void LogProof::take(const std::string& file, std::string_view content) {
    if (finding()) {
        return;
    }
    const std::vector<std::string_view> lines = share::lines_of(content);
    for (std::size_t index = 0; index < lines.size(); ++index) {
        const share::ChainPlace place{file, lines, index};
        const auto line = walk_.look(place);
        if (!line || !fits_heads(place, *line)) {
            return;
        }
        walk_.pass(*line);
    }
    torn_ = content.size();
    walk_.end_file(file, lines.size());
}

bool LogProof::fits_heads(const share::ChainPlace& place, const share::ChainedLine& line) {
    for (const LogHead& head : heads_) {
        if (head.sequence != line.sequence) {
            continue;
        }
        if (head.hash != line.hash) {
            walk_.found(
                share::ChainFault::kEdited,
                place,
                "a head was signed for another " + line_number(line.sequence) +
                    ": it or a line before it was rewritten"
            );
            return false;
        }
        proven_ = std::max(proven_, head.sequence);
    }
    return true;
}

void LogProof::finish() {
    for (const LogHead& head : heads_) {
        if (!finding() && head.sequence > last().sequence) {
            walk_.found_at_end(
                share::ChainFault::kTruncated,
                "the log ends at " + line_number(last().sequence) + ", and a head was signed for " +
                    line_number(head.sequence)
            );
        }
    }
}

}  // namespace pgveil::custodian
