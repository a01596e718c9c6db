#include "proxy/relay/copied_rows.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

namespace pgveil::relay {

void CopiedRows::add(std::uint64_t line) {
    ++rows_;
    last_line_ = line;
    if (known_ + 1 != rows_) {
        return;
    }
    if (!stretches_.empty()) {
        Stretch& last = stretches_.back();
        if (rows_ == last.row + 1) {
            last.step = line - last.line;
        }
        if (line == last.line + (rows_ - last.row) * last.step) {
            ++known_;
            return;
        }
    }
    if (stretches_.size() < kStretchesMax) {
        stretches_.push_back({rows_, line, 1});
        ++known_;
    }
}

std::optional<std::uint64_t> CopiedRows::line_of(std::uint64_t row) const {
    if (row == rows_ + 1) {
        return last_line_ + 1;
    }
    const auto behind = std::upper_bound(
        stretches_.begin(),
        stretches_.end(),
        row,
        [](std::uint64_t wanted, const Stretch& stretch) { return wanted < stretch.row; }
    );
    if (behind == stretches_.begin() || row > known_) {
        return std::nullopt;
    }
    const Stretch& stretch = *(behind - 1);
    return stretch.line + (row - stretch.row) * stretch.step;
}

std::string CopiedRows::in_lines(std::string_view context, std::string_view relation) const {
    const std::string place = "COPY " + std::string(relation);
    const std::string before = place + ", line ";
    // The last: what stands before it may hold anybody's text.
    const std::size_t found = context.rfind(before);
    if (found == std::string_view::npos || (found > 0 && context[found - 1] != '\n')) {
        return std::string(context);
    }
    const std::string_view rest = context.substr(found + before.size());
    std::uint64_t row = 0;
    const auto read =
        std::from_chars(std::to_address(rest.begin()), std::to_address(rest.end()), row);
    const auto digits = static_cast<std::size_t>(read.ptr - rest.data());
    const auto line = line_of(row);
    const std::string shown = line ? before + std::to_string(*line) : place;
    return std::string(context.substr(0, found)) + shown + std::string(rest.substr(digits));
}

}  // namespace pgveil::relay
