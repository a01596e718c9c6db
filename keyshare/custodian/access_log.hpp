#pragma once

#include "keyshare/core/descriptor.hpp"
#include "keyshare/custodian/refusal.hpp"
#include "keyshare/share/chained_line.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::custodian {

/// One request and what came of it. Never a secret.
struct LogEntry {
    std::int64_t at_s = 0;
    std::string requester;  ///< the name in the certificate
    std::string address;
    std::string request;  ///< the id of a question, hexadecimal: the same at every custodian
    std::string operation;
    std::string group;
    std::string purpose;
    std::string result;  ///< "answered", "done", or the code of the refusal
};

/// Who asked this custodian for what: a file of chained lines (share/chained_line.hpp), so that one
/// that was altered, taken out or put in is found. Whoever can write the file can shorten it at its
/// end: heads that the custodian has signed and others keep show that. One thread.
class AccessLog {
public:
    /// Made if missing. Reads all of it and gives each entry to `visit`; a line that a crash cut
    /// short is removed: what it stood for was not done. A broken chain is no error: damage().
    static store::Result<AccessLog> open(
        std::string path, std::string owner, const std::function<void(const LogEntry&)>& visit
    );

    /// On disk when it returns; 503 if it cannot be, and nothing was added.
    Result<void> add(const LogEntry& entry);

    const share::ChainLink& last() const { return last_; }

    /// At most `limit` lines behind number `after`, oldest first.
    Result<std::vector<share::Json>> lines(std::uint64_t after, std::size_t limit) const;

    /// The first line that does not follow from the one before it, in words; empty: none.
    const std::string& damage() const { return damage_; }

private:
    AccessLog(std::string path, std::string owner)
        : path_(std::move(path)), owner_(std::move(owner)) {}

    store::Result<void> read_all(const std::function<void(const LogEntry&)>& visit);
    void take(std::string_view line, const std::function<void(const LogEntry&)>& visit);
    void note_place(std::uint64_t at);

    std::string path_;
    std::string owner_;
    core::Descriptor file_;
    std::uint64_t size_ = 0;
    std::uint64_t count_ = 0;  ///< of lines
    share::ChainLink last_;
    std::vector<std::uint64_t> places_;  ///< where every kStride-th line begins
    std::string damage_;
};

}  // namespace pgveil::custodian
