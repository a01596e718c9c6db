#include "keyshare/share/chain_walk.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pgveil::share {
namespace {

constexpr std::array<std::pair<ChainFault, std::string_view>, 8> kFaultNames{{
    {ChainFault::kEdited, "edited"},
    {ChainFault::kDeleted, "deleted"},
    {ChainFault::kReordered, "reordered"},
    {ChainFault::kDuplicated, "duplicated"},
    {ChainFault::kTruncated, "truncated"},
    {ChainFault::kBadSignature, "bad signature"},
    {ChainFault::kForeignKey, "foreign key"},
    {ChainFault::kUnsigned, "unsigned"},
}};

}  // namespace

std::string_view name_of(ChainFault fault) {
    return std::find_if(
               kFaultNames.begin(),
               kFaultNames.end(),
               [fault](const auto& each) { return each.first == fault; }
    )->second;
}

std::vector<std::string_view> lines_of(std::string_view& content) {
    std::vector<std::string_view> lines;
    for (std::size_t end = content.find('\n'); end != std::string_view::npos;
         end = content.find('\n')) {
        lines.push_back(content.substr(0, end));
        content.remove_prefix(end + 1);
    }
    return lines;
}

std::string ChainWalk::number(std::uint64_t sequence) const {
    return noun_ + " " + std::to_string(sequence);
}

void ChainWalk::found(ChainFault wrong, const ChainPlace& place, std::string words) {
    finding_ = ChainFinding{wrong, place.file, place.index + 1, std::move(words)};
}

void ChainWalk::found_at_end(ChainFault wrong, std::string words) {
    finding_ = ChainFinding{wrong, file_, file_lines_ + 1, std::move(words)};
}

std::optional<ChainedLine> ChainWalk::look(const ChainPlace& place) {
    auto line = parse_chained_line(form_, place.text());
    if (!line) {
        found(ChainFault::kEdited, place, "it is no line of this log");
        return std::nullopt;
    }
    if (chained_hash(form_, owner_, line->body) != line->hash) {
        found(ChainFault::kEdited, place, number(line->sequence) + " does not have its own hash");
        return std::nullopt;
    }
    if (!check_number(place, *line)) {
        return std::nullopt;
    }
    if (first_ != 0 && line->previous != last_.hash) {
        blame(place, *line);
        return std::nullopt;
    }
    return line;
}

void ChainWalk::pass(const ChainedLine& line) {
    first_ = first_ == 0 ? line.sequence : first_;
    last_ = line.link();
}

void ChainWalk::end_file(const std::string& file, std::size_t lines) {
    file_ = file;
    file_lines_ = lines;
}

/// Numbers go up by one.
bool ChainWalk::check_number(const ChainPlace& place, const ChainedLine& line) {
    if (first_ == 0) {
        const bool is_right = line.sequence != 1 || line.previous == Digest{};
        if (!is_right) {
            found(ChainFault::kEdited, place, number(1) + " names a line before it");
        }
        return is_right;
    }
    const std::uint64_t due = last_.sequence + 1;
    if (line.sequence == due) {
        return true;
    }
    if (line.sequence < due) {
        found(ChainFault::kDuplicated, place, number(line.sequence) + " was here before");
        return false;
    }
    const auto rest = place.lines.begin() + static_cast<std::ptrdiff_t>(place.index);
    const bool comes_later = std::any_of(rest, place.lines.end(), [&](std::string_view text) {
        const auto later = parse_chained_line(form_, text);
        return later && later->sequence == due;
    });
    if (comes_later) {
        found(ChainFault::kReordered, place, number(due) + " belongs here and comes later");
    } else if (place.is_first()) {
        found_at_end(
            ChainFault::kTruncated,
            number(due) +
                " and what follows is missing: the end of this file, or files between it "
                "and " +
                place.file
        );
    } else {
        found(
            ChainFault::kDeleted,
            place,
            "what stood before it is gone: " + number(due) + " to " +
                std::to_string(line.sequence - 1)
        );
    }
    return false;
}

/// The line does not hang on the one before. If the next one hangs on it, the one before was
/// changed and given a new hash; else this one comes from elsewhere.
void ChainWalk::blame(const ChainPlace& place, const ChainedLine& line) {
    const bool has_next = place.index + 1 < place.lines.size();
    const auto next =
        has_next ? parse_chained_line(form_, place.lines[place.index + 1]) : std::nullopt;
    const bool fits_next = next && next->previous == line.hash;
    const std::string words =
        " was replaced: " + number(line.sequence) + " does not hang on the line before it";
    if (!fits_next) {
        return found(ChainFault::kEdited, place, number(line.sequence) + words);
    }
    if (place.is_first()) {
        finding_ =
            ChainFinding{ChainFault::kEdited, file_, file_lines_, number(last_.sequence) + words};
        return;
    }
    found(
        ChainFault::kEdited,
        {place.file, place.lines, place.index - 1},
        number(last_.sequence) + words
    );
}

}  // namespace pgveil::share
