#pragma once

#include "proxy/audit/chain.hpp"
#include "proxy/audit/error.hpp"
#include "proxy/audit/segment_files.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pgveil::audit {

struct WriterOptions {
    std::filesystem::path folder;  ///< made if missing, mode 0700
    std::uint64_t rotate_bytes = 0;
    bool refuses = true;  ///< is_ready() says no while lines cannot be written
    std::string tenant;
    std::string identity;  ///< PublicPoint::text of the key that signs heads
    std::string program;   ///< version
    SignHead sign_head;
    std::function<std::int64_t()> now_ms;  ///< Unix time; any thread
    std::size_t queue_max = 8192;
    std::int64_t head_interval_ms = 3600 * 1000;
};

/// For SHOW AUDIT.
struct WriterStatus {
    std::string file;
    std::uint64_t last = 0;          ///< number of the last line
    std::uint64_t signed_up_to = 0;  ///< the last line that a head covers, since the start
    std::int64_t signed_at_s = 0;
    std::uint64_t queued = 0;
    std::uint64_t lost = 0;  ///< records that could not be kept, since the start
    std::string failure;     ///< why nothing can be written now; empty: it can
};

/// Owns the newest file of the log and the thread that writes it. Each start begins a new file that
/// goes on with the chain of the one before.
///
/// offer() never waits for the disk. What was offered is in the file and synced shortly after; what
/// is still queued when the process is killed is not recorded. While the disk refuses, records wait
/// in the queue and the writer tries again every second.
class Writer {
public:
    static Result<std::unique_ptr<Writer>> open(WriterOptions options);
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    Writer(Writer&&) = delete;
    Writer& operator=(Writer&&) = delete;
    /// Writes what is queued, signs, and ends the thread. Gives up where the disk refuses.
    ~Writer();

    /// Any thread.
    void offer(Record record);

    /// Statements on protected columns may run. Any thread, costs one atomic load.
    bool is_ready() const { return is_ready_.load(std::memory_order_relaxed); }

    WriterStatus status() const;

private:
    Writer(WriterOptions options, const SegmentEnd& end);

    void run();
    bool work();
    bool write_some();
    std::vector<const Record*> next_records(std::uint64_t& lost) const;
    bool put(const std::vector<const Record*>& records, std::uint64_t lost);
    bool begin_file(const Chain::Opening& opening);
    bool rotate_if_due();
    void look_after_file();
    void append(const std::string& line);
    /// Where somebody can sign now.
    void append_head(std::int64_t at_ms);
    bool is_head_due(std::int64_t at_ms) const;
    void sign_if_due(std::int64_t at_ms);
    bool sign_now();
    bool flush(const Chain::Mark& before);
    bool write_pending();
    bool fail(const std::string& what);
    void update_ready();

    const WriterOptions options_;
    Chain chain_;
    // ---- of the thread (and of open(), before it begins) ----
    int file_ = -1;
    std::uint64_t file_bytes_ = 0;  ///< written whole
    bool cannot_sign_ = false;      ///< as it was when a head was last due
    std::string pending_;           ///< lines that are not yet in the file
    std::atomic<bool> is_ready_{true};
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    // ---- under mutex_ ----
    std::deque<Record> queue_;
    std::uint64_t lost_ = 0;  ///< not yet in a line
    bool is_ending_ = false;
    WriterStatus status_;
    std::thread thread_;
};

}  // namespace pgveil::audit
