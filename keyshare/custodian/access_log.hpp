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

inline constexpr share::ChainForm kLogForm{"pgveil/1 custodian log", "seq"};

/// What the first line of a file says whose chain goes on from another one.
inline constexpr const char* kLogBegins = "log";

/// The log at `path` and what it was moved to: all files of its folder whose names begin with its
/// name, in the order of the names.
std::vector<std::string> log_files(const std::string& path);

/// One request and what came of it. Never a secret.
struct LogEntry {
    std::int64_t at_s = 0;
    std::string requester;  ///< the name in the certificate
    std::string address;
    std::string request;  ///< the id of a question, hexadecimal: the same at every custodian
    std::string operation;
    std::string group;
    std::string purpose;
    std::string result;       ///< "answered", "done", or the code of the refusal
    std::uint64_t store = 0;  ///< version of the custodian's store when this was written
    share::ChainLink link;    ///< of a line that was read
};

/// Who asked this custodian for what: a file of chained lines (share/chained_line.hpp), so that one
/// that was altered, taken out or put in is found. Whoever can write the file can shorten it at its
/// end: heads that the custodian has signed and others keep show that, and so does what the
/// custodian's own store knows of it (store_age.hpp). The chain goes on from file to file when the
/// file is moved away (reopen()). One thread.
class AccessLog {
public:
    /// Made if missing. Reads all of it and gives each entry to `visit`; a line that a crash cut
    /// short is removed: what it stood for was not done. A broken chain is no error: damage().
    static store::Result<AccessLog> open(
        std::string path, std::string owner, const std::function<void(const LogEntry&)>& visit
    );

    /// When the file was moved to another name, begins a new one in which the chain goes on. The
    /// moved one keeps a name that begins with that of the file. On an error nothing has changed.
    store::Result<void> reopen();

    /// On disk when it returns; 503 if it cannot be, and nothing was added.
    Result<void> add(const LogEntry& entry);

    const share::ChainLink& last() const { return last_; }

    /// At most `limit` lines behind number `after`, oldest first. Only those of the present file.
    Result<std::vector<share::Json>> lines(std::uint64_t after, std::size_t limit) const;

    /// The first line that does not follow from the one before it, in words; empty: none.
    const std::string& damage() const { return damage_; }

private:
    AccessLog(std::string path, std::string owner)
        : path_(std::move(path)), owner_(std::move(owner)) {}

    store::Result<void> open_file();
    store::Result<void> begin_file();
    store::Result<void> read_all(const std::function<void(const LogEntry&)>& visit);
    void take(std::string_view line, const std::function<void(const LogEntry&)>& visit);
    void note_place(std::uint64_t at);

    std::string path_;
    std::string owner_;
    core::Descriptor file_;
    std::uint64_t size_ = 0;
    std::uint64_t count_ = 0;   ///< of lines
    std::uint64_t before_ = 0;  ///< lines of the chain that stand in older files
    share::ChainLink last_;
    std::vector<std::uint64_t> places_;  ///< where every kStride-th line begins
    std::string damage_;
};

}  // namespace pgveil::custodian
