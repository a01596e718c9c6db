#include "proxy/audit/chain.hpp"

namespace pgveil::audit {
namespace {

constexpr std::int64_t kMillisecondsPerSecond = 1000;

share::Json event(const char* name, std::int64_t at_ms) {
    share::Json fields = share::Json::object();
    fields["at"] = time_text(at_ms);
    fields["event"] = name;
    return fields;
}

}  // namespace

std::string Chain::line(share::Json fields, std::int64_t at_ms) {
    if (unsigned_since_ms_ == 0) {
        unsigned_since_ms_ = at_ms;
    }
    ++unsigned_lines_;
    return make_line(last_, tenant_, fields);
}

std::string Chain::open_segment(const Opening& opening, std::int64_t at_ms) {
    share::Json fields = event("segment", at_ms);
    fields["tenant"] = tenant_;
    fields["identity"] = opening.identity;
    fields["program"] = opening.program;
    fields["unsigned"] = opening.unsigned_lines;
    fields["torn"] = opening.torn_bytes;
    unsigned_since_ms_ = at_ms;
    return line(std::move(fields), at_ms);
}

std::string Chain::add(const Record& record, std::int64_t at_ms) {
    return line(fields_of(record), at_ms);
}

std::string Chain::note_lost(std::uint64_t records, std::int64_t at_ms) {
    share::Json fields = event("lost", at_ms);
    fields["records"] = records;
    return line(std::move(fields), at_ms);
}

std::string Chain::sign(const SignHead& sign_head, std::int64_t at_ms) {
    std::string head = sign_head(last_.sequence, last_.hash, at_ms / kMillisecondsPerSecond);
    if (head.empty()) {
        return {};
    }
    share::Json fields = event("head", at_ms);
    signed_up_to_ = last_.sequence;
    head_ = std::move(head);
    fields["head"] = head_;
    std::string made = line(std::move(fields), at_ms);
    unsigned_since_ms_ = 0;
    unsigned_lines_ = 0;
    return made;
}

void Chain::go_back(const Mark& mark) {
    last_ = mark.last;
    unsigned_since_ms_ = mark.unsigned_since_ms;
    unsigned_lines_ = mark.unsigned_lines;
    signed_up_to_ = mark.signed_up_to;
    head_ = mark.head;
}

}  // namespace pgveil::audit
