#pragma once

#include "proxy/audit/line.hpp"
#include "proxy/audit/record.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace pgveil::audit {

/// Signs number and hash of a line at a Unix time: ProxyCustody::sign_audit_head. Empty: not now.
using SignHead = std::function<
    std::string(std::uint64_t sequence, const share::Digest& hash, std::int64_t at_s)>;

/// Makes the lines of one log, in order, and knows which of them no head covers yet. No I/O;
/// belongs to one thread.
class Chain {
public:
    /// Goes on behind `last`.
    Chain(std::string tenant, Link last) : tenant_(std::move(tenant)), last_(last) {}

    /// What the line that opens a file says.
    struct Opening {
        std::string identity;              ///< PublicPoint::text of the key that signs heads
        std::string program;               ///< version of pgveil
        std::uint64_t unsigned_lines = 0;  ///< found at the end of the file before it
        std::uint64_t torn_bytes = 0;      ///< of a line there that was cut short
    };

    std::string open_segment(const Opening& opening, std::int64_t at_ms);
    std::string add(const Record& record, std::int64_t at_ms);
    /// So many records could not be kept.
    std::string note_lost(std::uint64_t records, std::int64_t at_ms);
    /// The line that carries the signature over all lines before it; empty when nobody can sign
    /// now.
    std::string sign(const SignHead& sign_head, std::int64_t at_ms);

    const Link& last() const { return last_; }

    /// The last line that a head of this chain covers, and that head; 0 and empty: none yet.
    std::uint64_t signed_up_to() const { return signed_up_to_; }

    const std::string& head() const { return head_; }

    /// The first of the lines that no head covers came then; 0: there is none.
    std::int64_t unsigned_since_ms() const { return unsigned_since_ms_; }

    /// Lines behind the last head, or since the start.
    std::uint64_t unsigned_lines() const { return unsigned_lines_; }

    /// Undoes what was made since `last` was the last line: it could not be written.
    struct Mark {
        Link last;
        std::int64_t unsigned_since_ms = 0;
        std::uint64_t unsigned_lines = 0;
        std::uint64_t signed_up_to = 0;
        std::string head;
    };

    Mark mark() const { return {last_, unsigned_since_ms_, unsigned_lines_, signed_up_to_, head_}; }

    void go_back(const Mark& mark);

private:
    std::string line(share::Json fields, std::int64_t at_ms);

    std::string tenant_;
    Link last_;
    std::int64_t unsigned_since_ms_ = 0;
    std::uint64_t unsigned_lines_ = 0;
    std::uint64_t signed_up_to_ = 0;
    std::string head_;
};

}  // namespace pgveil::audit
