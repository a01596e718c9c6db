#include "proxy/audit/verification.hpp"

#include "proxy/audit/record.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pgveil::audit {
namespace {

constexpr std::int64_t kUnsignedMaxMs = 2 * 3600 * 1000;

constexpr std::array<std::pair<Wrong, std::string_view>, 8> kNames{{
    {Wrong::kEdited, "edited"},
    {Wrong::kDeleted, "deleted"},
    {Wrong::kReordered, "reordered"},
    {Wrong::kDuplicated, "duplicated"},
    {Wrong::kTruncated, "truncated"},
    {Wrong::kBadSignature, "bad signature"},
    {Wrong::kForeignKey, "foreign key"},
    {Wrong::kUnsigned, "unsigned"},
}};

std::vector<std::string_view> lines_of(std::string_view& content) {
    std::vector<std::string_view> lines;
    for (std::size_t end = content.find('\n'); end != std::string_view::npos;
         end = content.find('\n')) {
        lines.push_back(content.substr(0, end));
        content.remove_prefix(end + 1);
    }
    return lines;
}

std::string number(std::uint64_t sequence) {
    return "record " + std::to_string(sequence);
}

}  // namespace

/// A line among those of its file.
struct Verification::Place {
    const std::string& file;
    const std::vector<std::string_view>& lines;
    std::size_t index;

    std::string_view text() const { return lines[index]; }

    bool is_first() const { return index == 0; }
};

std::string_view name_of(Wrong wrong) {
    return std::find_if(
               kNames.begin(),
               kNames.end(),
               [wrong](const auto& each) { return each.first == wrong; }
    )->second;
}

Verification::Verification(Trusted trusted) : trusted_(std::move(trusted)) {}

void Verification::found(Wrong wrong, const Place& place, std::string words) {
    finding_ = Finding{wrong, place.file, place.index + 1, std::move(words)};
}

void Verification::take(std::string_view file, std::string_view content) {
    if (finding_) {
        return;
    }
    const std::string name(file);
    const std::vector<std::string_view> lines = lines_of(content);  // leaves what has no newline
    for (std::size_t index = 0; index < lines.size() && !finding_; ++index) {
        check({name, lines, index});
    }
    if (finding_) {
        return;
    }
    proof_.torn_bytes = content.size();
    file_ = name;
    file_lines_ = lines.size();
}

void Verification::check(const Place& place) {
    const auto line = parse_line(place.text());
    if (!line) {
        return found(Wrong::kEdited, place, "it is no line of an audit log");
    }
    if (hash_of(trusted_.tenant, line->body) != line->hash) {
        return found(Wrong::kEdited, place, number(line->sequence) + " does not have its own hash");
    }
    if (!check_number(place, *line)) {
        return;
    }
    if (last_ && line->previous != last_->hash) {
        return blame(place, *line);
    }
    const bool opens = line->text("event") == "segment";
    if (place.is_first() != opens) {
        return found(
            Wrong::kDeleted, place, opens ? "a file begins in the middle" : "its first line is gone"
        );
    }
    if (opens && !check_opening(place, *line)) {
        return;
    }
    if (!check_expected(place, *line)) {
        return;
    }
    if (line->text("event") == "head") {
        check_head(place, *line);
    } else {
        check_age(place, *line);
    }
    proof_.first = proof_.first == 0 ? line->sequence : proof_.first;
    proof_.last = line->sequence;
    last_ = line->link();
}

/// Numbers go up by one.
bool Verification::check_number(const Place& place, const Line& line) {
    if (!last_) {
        const bool is_right = line.sequence != 1 || line.previous == share::Digest{};
        if (!is_right) {
            found(Wrong::kEdited, place, "record 1 names a line before it");
        }
        return is_right;
    }
    const std::uint64_t due = last_->sequence + 1;
    if (line.sequence == due) {
        return true;
    }
    if (line.sequence < due) {
        found(Wrong::kDuplicated, place, number(line.sequence) + " was here before");
        return false;
    }
    const auto rest = place.lines.begin() + static_cast<std::ptrdiff_t>(place.index);
    const bool comes_later = std::any_of(rest, place.lines.end(), [due](std::string_view text) {
        const auto later = parse_line(text);
        return later && later->sequence == due;
    });
    if (comes_later) {
        found(Wrong::kReordered, place, number(due) + " belongs here and comes later");
    } else if (place.is_first()) {
        finding_ = Finding{
            Wrong::kTruncated,
            file_,
            file_lines_ + 1,
            number(due) +
                " and what follows is missing: the end of this file, or files between it "
                "and " +
                place.file};
    } else {
        found(
            Wrong::kDeleted,
            place,
            "what stood before it is gone: " + number(due) + " to " +
                std::to_string(line.sequence - 1)
        );
    }
    return false;
}

/// The line does not hang on the one before. If the next one hangs on it, the one before was
/// changed and given a new hash; else this one comes from elsewhere.
void Verification::blame(const Place& place, const Line& line) {
    const bool has_next = place.index + 1 < place.lines.size();
    const auto next = has_next ? parse_line(place.lines[place.index + 1]) : std::nullopt;
    const bool fits_next = next && next->previous == line.hash;
    const std::string words =
        " was replaced: " + number(line.sequence) + " does not hang on the line before it";
    if (!fits_next) {
        return found(Wrong::kEdited, place, number(line.sequence) + words);
    }
    if (place.is_first()) {
        finding_ = Finding{Wrong::kEdited, file_, file_lines_, number(last_->sequence) + words};
        return;
    }
    found(
        Wrong::kEdited, {place.file, place.lines, place.index - 1}, number(last_->sequence) + words
    );
}

bool Verification::check_opening(const Place& place, const Line& line) {
    const auto point = core::PublicPoint::from_text(line.text("identity"));
    if (line.text("tenant") != trusted_.tenant || !point.has_value()) {
        found(Wrong::kEdited, place, "it does not say whose log this is");
        return false;
    }
    if (point->fingerprint() != trusted_.identity) {
        found(Wrong::kForeignKey, place, "the log is of a proxy with another identity key");
        return false;
    }
    key_.emplace(*point);
    const auto torn = line.fields.find("torn");
    const std::uint64_t expected_torn =
        torn != line.fields.end() && torn->is_number_unsigned() ? torn->get<std::uint64_t>() : 0;
    if (last_ && expected_torn != proof_.torn_bytes) {
        finding_ = Finding{
            proof_.torn_bytes < expected_torn ? Wrong::kTruncated : Wrong::kEdited,
            file_,
            file_lines_ + 1,
            "it ended in a line cut short at " + std::to_string(expected_torn) +
                " bytes when the next file was begun, and now in one of " +
                std::to_string(proof_.torn_bytes)};
        return false;
    }
    return true;
}

void Verification::check_head(const Place& place, const Line& line) {
    const std::string jws = line.text("head");
    const auto head = share::verify_audit_head(jws, *key_, trusted_.tenant);
    if (!head.has_value()) {
        const bool is_foreign = head.error().code == share::ErrorCode::kForeign;
        return found(
            is_foreign ? Wrong::kForeignKey : Wrong::kBadSignature, place, head.error().message
        );
    }
    if (!last_ || head->sequence != last_->sequence || head->hash != last_->hash) {
        return found(
            Wrong::kEdited,
            place,
            "the signed head is of other lines: something between " +
                number(proof_.signed_up_to + 1) + " and this one was rewritten"
        );
    }
    proof_.signed_up_to = head->sequence;
    proof_.last_head = jws;
    unsigned_since_ms_ = 0;
}

/// The head that somebody kept elsewhere.
bool Verification::check_expected(const Place& place, const Line& line) {
    if (trusted_.last_head && !expected_ && key_) {
        auto head = share::verify_audit_head(*trusted_.last_head, *key_, trusted_.tenant);
        if (!head.has_value()) {
            const bool is_foreign = head.error().code == share::ErrorCode::kForeign;
            found(
                is_foreign ? Wrong::kForeignKey : Wrong::kBadSignature,
                place,
                "the head that was given: " + head.error().message
            );
            return false;
        }
        expected_ = *std::move(head);
    }
    if (expected_ && expected_->sequence == line.sequence && expected_->hash != line.hash) {
        found(
            Wrong::kEdited,
            place,
            "the head that was given was signed for another " + number(line.sequence) +
                ": it or a line before it was rewritten"
        );
        return false;
    }
    return true;
}

void Verification::check_age(const Place& place, const Line& line) {
    const std::int64_t at_ms = time_of(line.text("at"));
    if (at_ms < 0) {
        return found(Wrong::kEdited, place, "it has no time");
    }
    if (unsigned_since_ms_ == 0) {
        unsigned_since_ms_ = at_ms;
    }
    // A new file after a stop says how many lines before it were not signed.
    if (place.is_first()) {
        unsigned_since_ms_ = at_ms;
    } else if (at_ms - unsigned_since_ms_ > kUnsignedMaxMs) {
        found(
            Wrong::kUnsigned, place, "no head was signed for more than two hours: heads are missing"
        );
    }
}

void Verification::finish() {
    if (finding_ || !expected_ || proof_.last >= expected_->sequence) {
        return;
    }
    finding_ = Finding{
        Wrong::kTruncated,
        file_,
        file_lines_ + 1,
        "the log ends at " + number(proof_.last) + ", and the head that was given was signed for " +
            number(expected_->sequence)};
}

}  // namespace pgveil::audit
