#include "proxy/audit/writer.hpp"

#include "proxy/log/log.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace pgveil::audit {
namespace {

constexpr std::chrono::seconds kTryAgain{1};
constexpr int kFileMode = 0600;
/// Statements that run already may still end when the queue is full.
constexpr std::size_t kOvershoot = 4;
constexpr std::size_t kBatchMax = 256;
constexpr std::int64_t kMillisecondsPerSecond = 1000;

bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) {
            return false;
        }
        bytes.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    return true;
}

/// So that the file's name outlives a loss of power, where the system can do that.
void sync_folder(const std::filesystem::path& folder) {
    const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened >= 0) {
        static_cast<void>(::fsync(opened));
        ::close(opened);
    }
}

}  // namespace

Result<std::unique_ptr<Writer>> Writer::open(WriterOptions options) {
    std::error_code failed;
    if (std::filesystem::create_directories(options.folder, failed)) {
        std::filesystem::permissions(options.folder, std::filesystem::perms::owner_all, failed);
    }
    if (failed) {
        return Error{options.folder.string(), "the audit log's folder: " + failed.message()};
    }
    const auto end = find_end(options.folder, options.tenant);
    if (!end.has_value()) {
        return end.error();
    }
    std::unique_ptr<Writer> writer(new Writer(std::move(options), *end));
    if (!writer->begin_file({{}, {}, end->unsigned_lines, end->torn_bytes})) {
        return Error{
            writer->options_.folder.string(),
            "the audit log cannot be written: " + writer->status_.failure};
    }
    writer->thread_ = std::thread([raw = writer.get()] { raw->run(); });
    return writer;
}

Writer::Writer(WriterOptions options, const SegmentEnd& end)
    : options_(std::move(options)), chain_(options_.tenant, end.last) {}

Writer::~Writer() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) {
        thread_.join();
    }
    if (file_ >= 0) {
        ::close(file_);
    }
}

void Writer::offer(Record record) {
    {
        const std::lock_guard lock(mutex_);
        const std::size_t most = options_.queue_max * (options_.refuses ? kOvershoot : 1);
        if (queue_.size() >= most) {
            ++lost_;
            ++status_.lost;
            return;
        }
        queue_.push_back(std::move(record));
        update_ready();
    }
    wake_.notify_one();
}

WriterStatus Writer::status() const {
    const std::lock_guard lock(mutex_);
    WriterStatus status = status_;
    status.queued = queue_.size();
    return status;
}

void Writer::update_ready() {
    const bool is_well = status_.failure.empty() && queue_.size() < options_.queue_max;
    is_ready_.store(is_well || !options_.refuses, std::memory_order_relaxed);
}

void Writer::run() {
    std::unique_lock lock(mutex_);
    for (bool is_last = false; !is_last;) {
        const bool is_failing = !status_.failure.empty();
        wake_.wait_for(lock, kTryAgain, [this, is_failing] {
            return is_ending_ || (!is_failing && (!queue_.empty() || lost_ != 0));
        });
        is_last = is_ending_;
        lock.unlock();
        const bool is_written = work() && (!is_last || sign_now());
        lock.lock();
        if (is_written && is_failing) {
            log::info("the audit log is written again");
        }
        if (is_last && !is_written) {
            const std::size_t left = queue_.size() + lost_;
            log::error("{count} records of the audit log are lost", {{"count", left}});
        }
    }
}

/// All that is queued.
bool Writer::work() {
    for (;;) {
        look_after_file();
        std::uint64_t lost = 0;
        const auto records = next_records(lost);
        if (records.empty() && lost == 0) {
            break;
        }
        if (!put(records, lost)) {
            return false;
        }
        const std::lock_guard lock(mutex_);
        queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(records.size()));
        lost_ -= lost;
    }
    const Chain::Mark before = chain_.mark();
    sign_if_due(options_.now_ms());
    const bool is_written = flush(before) && rotate_if_due();
    const std::lock_guard lock(mutex_);
    if (is_written) {
        status_.failure.clear();
    }
    update_ready();
    return is_written;
}

/// They stay in the queue, and where they are, until they are written.
std::vector<const Record*> Writer::next_records(std::uint64_t& lost) const {
    const std::lock_guard lock(mutex_);
    std::vector<const Record*> records;
    for (std::size_t index = 0; index < queue_.size() && index < kBatchMax; ++index) {
        records.push_back(&queue_[index]);
    }
    lost = lost_;
    return records;
}

/// All of them, or none.
bool Writer::put(const std::vector<const Record*>& records, std::uint64_t lost) {
    if (!rotate_if_due()) {
        return false;
    }
    const Chain::Mark before = chain_.mark();
    for (const Record* const record : records) {
        sign_if_due(record->at_ms);
        append(chain_.add(*record, record->at_ms));
    }
    if (lost != 0) {
        append(chain_.note_lost(lost, options_.now_ms()));
    }
    return flush(before);
}

void Writer::append(const std::string& line) {
    pending_.append(line).push_back('\n');
}

void Writer::append_head(std::int64_t at_ms) {
    const std::string line = chain_.sign(options_.sign_head, at_ms);
    cannot_sign_ = line.empty();
    if (!cannot_sign_) {
        append(line);
    }
}

bool Writer::is_head_due(std::int64_t at_ms) const {
    const std::int64_t since_ms = chain_.unsigned_since_ms();
    return since_ms != 0 && at_ms - since_ms >= options_.head_interval_ms;
}

void Writer::sign_if_due(std::int64_t at_ms) {
    if (is_head_due(at_ms)) {
        append_head(at_ms);
    }
}

bool Writer::sign_now() {
    if (chain_.unsigned_since_ms() == 0) {
        return true;
    }
    const Chain::Mark before = chain_.mark();
    append_head(options_.now_ms());
    return flush(before);
}

/// A file that cannot be signed in time ends, and the next one says how many lines are without a
/// signature: a verifier must not take them for lines whose head was cut out.
bool Writer::rotate_if_due() {
    const bool is_late = cannot_sign_ && is_head_due(options_.now_ms());
    if (file_bytes_ < options_.rotate_bytes && !is_late) {
        return true;
    }
    return sign_now() && begin_file({{}, {}, chain_.unsigned_lines(), 0});
}

/// On failure the former file stays the one that is written.
bool Writer::begin_file(const Chain::Opening& found) {
    const Chain::Mark before = chain_.mark();
    const auto path = options_.folder / segment_name(before.last.sequence + 1);
    constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
    const int opened = ::open(path.c_str(), kFlags, kFileMode);

    struct stat facts {};

    if (opened < 0 || ::fstat(opened, &facts) != 0) {
        return fail(path.string() + ": " + std::strerror(errno));
    }
    if (facts.st_size != 0) {
        ::close(opened);
        return fail(path.string() + ": a file of this name holds something already");
    }
    const int former = std::exchange(file_, opened);
    const std::uint64_t former_bytes = std::exchange(file_bytes_, 0);
    Chain::Opening opening = found;
    opening.identity = options_.identity;
    opening.program = options_.program;
    append(chain_.open_segment(opening, options_.now_ms()));
    const bool is_begun = flush(before);
    if (!is_begun) {
        file_ = former;
        file_bytes_ = former_bytes;
    }
    const int unused = is_begun ? former : opened;
    if (unused >= 0) {
        ::close(unused);
    }
    if (is_begun) {
        sync_folder(options_.folder);
        const std::lock_guard lock(mutex_);
        status_.file = path.string();
    }
    return is_begun;
}

/// The chain shows what somebody did to the file; here it is only said early, and what follows goes
/// where it can be found.
void Writer::look_after_file() {
    struct stat facts {};

    if (::fstat(file_, &facts) != 0) {
        return;
    }
    if (facts.st_nlink == 0) {
        log::error(
            "the audit log's file was removed while it was written: {file}",
            {{"file", status_.file}}
        );
        static_cast<void>(begin_file({}));
    } else if (static_cast<std::uint64_t>(facts.st_size) != file_bytes_) {
        log::error(
            "the audit log's file was changed by somebody else: {file}", {{"file", status_.file}}
        );
        file_bytes_ = static_cast<std::uint64_t>(facts.st_size);
    }
}

/// Writes what was made since `before`, or goes back to it.
bool Writer::flush(const Chain::Mark& before) {
    if (pending_.empty()) {
        return true;
    }
    const bool is_written = write_pending();
    pending_.clear();
    if (!is_written) {
        chain_.go_back(before);
        return false;
    }
    const std::lock_guard lock(mutex_);
    status_.last = chain_.last().sequence;
    if (chain_.signed_up_to() != status_.signed_up_to) {
        status_.signed_up_to = chain_.signed_up_to();
        status_.signed_at_s = options_.now_ms() / kMillisecondsPerSecond;
        log::info(
            "audit log signed up to record {record}: {head}",
            {{"record", status_.signed_up_to}, {"head", chain_.head()}}
        );
    }
    return true;
}

bool Writer::write_pending() {
    if (write_all(file_, pending_) && ::fdatasync(file_) == 0) {
        file_bytes_ += pending_.size();
        return true;
    }
    const int reason = errno;
    const bool is_taken_back = ::ftruncate(file_, static_cast<off_t>(file_bytes_)) == 0;
    return fail(
        status_.file + ": " + std::strerror(reason) +
        (is_taken_back ? "" : "; its last line is torn")
    );
}

/// Always false.
bool Writer::fail(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (status_.failure.empty()) {
        log::error(
            options_.refuses
                ? "the audit log cannot be written, statements on protected columns are refused: "
                  "{reason}"
                : "the audit log cannot be written, statements go on without: {reason}",
            {{"reason", what}}
        );
    }
    status_.failure = what;
    update_ready();
    return false;
}

}  // namespace pgveil::audit
