#include "proxy/audit/verification.hpp"

#include "proxy/audit/record.hpp"

#include <utility>

namespace pgveil::audit {
namespace {

constexpr std::int64_t kUnsignedMaxMs = 2 * 3600 * 1000;

std::string number(std::uint64_t sequence) {
    return "record " + std::to_string(sequence);
}

}  // namespace

Verification::Verification(Trusted trusted)
    : trusted_(std::move(trusted)), walk_(kLineForm, trusted_.tenant, "record") {}

void Verification::take(std::string_view file, std::string_view content) {
    if (finding()) {
        return;
    }
    const std::string name(file);
    const auto lines = share::lines_of(content);  // leaves what has no newline
    for (std::size_t index = 0; index < lines.size() && !finding(); ++index) {
        check({name, lines, index});
    }
    if (finding()) {
        return;
    }
    proof_.torn_bytes = content.size();
    walk_.end_file(name, lines.size());
}

void Verification::check(const Place& place) {
    const auto line = walk_.look(place);
    if (!line) {
        return;
    }
    const bool opens = line->text("event") == "segment";
    if (place.is_first() != opens) {
        return walk_.found(
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
    walk_.pass(*line);
    proof_.first = walk_.first();
    proof_.last = line->sequence;
}

bool Verification::check_opening(const Place& place, const Line& line) {
    const auto point = core::PublicPoint::from_text(line.text("identity"));
    if (line.text("tenant") != trusted_.tenant || !point.has_value()) {
        walk_.found(Wrong::kEdited, place, "it does not say whose log this is");
        return false;
    }
    if (point->fingerprint() != trusted_.identity) {
        walk_.found(Wrong::kForeignKey, place, "the log is of a proxy with another identity key");
        return false;
    }
    key_.emplace(*point);
    const auto torn = line.fields.find("torn");
    const std::uint64_t expected_torn =
        torn != line.fields.end() && torn->is_number_unsigned() ? torn->get<std::uint64_t>() : 0;
    if (walk_.first() != 0 && expected_torn != proof_.torn_bytes) {
        walk_.found_at_end(
            proof_.torn_bytes < expected_torn ? Wrong::kTruncated : Wrong::kEdited,
            "it ended in a line cut short at " + std::to_string(expected_torn) +
                " bytes when the next file was begun, and now in one of " +
                std::to_string(proof_.torn_bytes)
        );
        return false;
    }
    return true;
}

void Verification::check_head(const Place& place, const Line& line) {
    const std::string jws = line.text("head");
    const auto head = share::verify_audit_head(jws, *key_, trusted_.tenant);
    if (!head.has_value()) {
        const bool is_foreign = head.error().code == share::ErrorCode::kForeign;
        return walk_.found(
            is_foreign ? Wrong::kForeignKey : Wrong::kBadSignature, place, head.error().message
        );
    }
    if (head->sequence != walk_.last().sequence || head->hash != walk_.last().hash) {
        return walk_.found(
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
            walk_.found(
                is_foreign ? Wrong::kForeignKey : Wrong::kBadSignature,
                place,
                "the head that was given: " + head.error().message
            );
            return false;
        }
        expected_ = *std::move(head);
    }
    if (expected_ && expected_->sequence == line.sequence && expected_->hash != line.hash) {
        walk_.found(
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
        return walk_.found(Wrong::kEdited, place, "it has no time");
    }
    if (unsigned_since_ms_ == 0) {
        unsigned_since_ms_ = at_ms;
    }
    // A new file after a stop says how many lines before it were not signed.
    if (place.is_first()) {
        unsigned_since_ms_ = at_ms;
    } else if (at_ms - unsigned_since_ms_ > kUnsignedMaxMs) {
        walk_.found(
            Wrong::kUnsigned, place, "no head was signed for more than two hours: heads are missing"
        );
    }
}

void Verification::finish() {
    if (finding() || !expected_ || proof_.last >= expected_->sequence) {
        return;
    }
    walk_.found_at_end(
        Wrong::kTruncated,
        "the log ends at " + number(proof_.last) + ", and the head that was given was signed for " +
            number(expected_->sequence)
    );
}

}  // namespace pgveil::audit
