#include "keyshare/custodian/access_log.hpp"

#include "keyshare/core/bytes.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace pgveil::custodian {
namespace {

constexpr std::uint64_t kStride = 64;

std::string reason() {
    return std::generic_category().message(errno);
}

share::Json fields_of(const LogEntry& entry) {
    return share::Json{
        {"time", entry.at_s},
        {"requester", entry.requester},
        {"address", entry.address},
        {"request", entry.request},
        {"operation", entry.operation},
        {"group", entry.group},
        {"purpose", entry.purpose},
        {"result", entry.result},
        {"store", entry.store}};
}

LogEntry entry_of(const share::ChainedLine& line) {
    LogEntry entry;
    const auto time = line.fields.find("time");
    if (time != line.fields.end() && time->is_number_integer()) {
        entry.at_s = time->get<std::int64_t>();
    }
    entry.requester = line.text("requester");
    entry.address = line.text("address");
    entry.request = line.text("request");
    entry.operation = line.text("operation");
    entry.group = line.text("group");
    entry.purpose = line.text("purpose");
    entry.result = line.text("result");
    const auto store = line.fields.find("store");
    if (store != line.fields.end() && store->is_number_unsigned()) {
        entry.store = store->get<std::uint64_t>();
    }
    entry.link = line.link();
    return entry;
}

store::Error unusable_log(const std::string& path, const char* what) {
    return {store::ErrorCode::kUnavailable, path + " cannot be " + what + ": " + reason()};
}

/// Where the chain of a file that was moved away ends; nothing if no line of one stands in it.
std::optional<share::ChainLink> end_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text;
    std::optional<share::ChainLink> last;
    while (std::getline(file, text) && !file.eof()) {
        const auto line = share::parse_chained_line(kLogForm, text);
        last = line ? std::optional(line->link()) : std::nullopt;
    }
    return last;
}

/// The newest end among the files beside `path` whose name begins with its own.
share::ChainLink end_before(const std::filesystem::path& path) {
    share::ChainLink newest;
    const std::vector<std::string> files = log_files(path.string());
    for (const std::string& each : files) {
        const auto end = each == path.string() ? std::nullopt : end_of(each);
        if (end && end->sequence > newest.sequence) {
            newest = *end;
        }
    }
    return newest;
}

}  // namespace

store::Result<AccessLog> AccessLog::open(
    std::string path, std::string owner, const std::function<void(const LogEntry&)>& visit
) {
    AccessLog out(std::move(path), std::move(owner));
    if (const auto opened = out.open_file(); !opened.has_value()) {
        return opened.error();
    }
    if (const auto read = out.read_all(visit); !read.has_value()) {
        return read.error();
    }
    if (out.count_ == 0) {
        out.last_ = end_before(out.path_);
        if (out.last_.sequence != 0) {
            if (const auto begun = out.begin_file(); !begun.has_value()) {
                return begun.error();
            }
        }
    }
    return out;
}

store::Result<void> AccessLog::open_file() {
    file_ = core::Descriptor(
        ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)
    );
    return file_.is_open() ? store::Result<void>() : unusable_log(path_, "opened");
}

store::Result<void> AccessLog::reopen() {
    struct stat held {};

    struct stat named {};

    const bool is_there = ::lstat(path_.c_str(), &named) == 0;
    if (::fstat(file_.get(), &held) == 0 && is_there && held.st_ino == named.st_ino &&
        held.st_dev == named.st_dev) {
        return {};
    }
    if (is_there && named.st_size != 0) {
        return store::Error{
            store::ErrorCode::kUnavailable,
            path_ +
                " is not the file that this custodian writes, and is not empty: move it away; "
                "the log goes on in the former file"};
    }
    return begin_file();
}

/// Its first line is in it before it has its name, so that a chain that was begun anew by a crash
/// is never seen.
store::Result<void> AccessLog::begin_file() {
    const std::string fresh = path_ + ".new";
    core::Descriptor file(::open(
        fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600
    ));
    LogEntry opening;
    opening.at_s = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    opening.operation = kLogBegins;
    opening.result = "done";
    share::ChainLink next = last_;
    const std::string line =
        share::make_chained_line(kLogForm, next, owner_, fields_of(opening)) + "\n";
    if (!file.is_open() || !core::write_all(file.get(), core::as_bytes(line)) ||
        ::fdatasync(file.get()) != 0 || ::rename(fresh.c_str(), path_.c_str()) != 0 ||
        !core::sync_folder(core::folder_of(path_))) {
        return unusable_log(path_, "begun");
    }
    file_ = std::move(file);
    before_ = last_.sequence;
    last_ = next;
    count_ = 0;
    places_.clear();
    note_place(0);
    size_ = line.size();
    return {};
}

std::vector<std::string> log_files(const std::string& path) {
    namespace fs = std::filesystem;
    std::vector<std::string> out;
    std::error_code error;
    const std::string name = fs::path(path).filename().string();
    for (fs::directory_iterator at(fs::path(path).parent_path(), error), end; !error && at != end;
         at.increment(error)) {
        const std::string each = at->path().filename().string();
        if (each.starts_with(name) && each != name + ".new" && at->is_regular_file()) {
            out.push_back(at->path().string());
        }
    }
    std::ranges::sort(out);
    return out;
}

store::Result<void> AccessLog::read_all(const std::function<void(const LogEntry&)>& visit) {
    std::ifstream file(path_, std::ios::binary);
    std::string line;
    while (std::getline(file, line) && !file.eof()) {
        take(line, visit);
        note_place(size_);
        size_ += line.size() + 1;
    }
    const bool is_cut = ::ftruncate(file_.get(), static_cast<off_t>(size_)) == 0 &&
                        core::sync_folder(core::folder_of(path_));
    if (!is_cut) {
        return store::Error{
            store::ErrorCode::kUnavailable, path_ + " cannot be written: " + reason()};
    }
    return {};
}

void AccessLog::note_place(std::uint64_t at) {
    if (count_ % kStride == 0) {
        places_.push_back(at);
    }
    ++count_;
}

void AccessLog::take(std::string_view text, const std::function<void(const LogEntry&)>& visit) {
    const auto line = share::parse_chained_line(kLogForm, text);
    if (count_ == 0 && line && line->text("operation") == kLogBegins) {
        before_ = line->sequence - 1;
        last_ = {before_, line->previous};
    }
    const bool follows = line && line->sequence == last_.sequence + 1 &&
                         line->previous == last_.hash &&
                         share::chained_hash(kLogForm, owner_, line->body) == line->hash;
    if (!follows && damage_.empty()) {
        damage_ = path_ + ", line " + std::to_string(count_ + 1) +
                  ": it does not follow from the line before: the log was altered here";
    }
    if (line) {
        last_ = line->link();
        visit(entry_of(*line));
    }
}

Result<void> AccessLog::add(const LogEntry& entry) {
    share::ChainLink next = last_;
    const std::string line =
        share::make_chained_line(kLogForm, next, owner_, fields_of(entry)) + "\n";
    if (!core::write_all(file_.get(), core::as_bytes(line)) || ::fdatasync(file_.get()) != 0) {
        const std::string why = reason();
        const bool is_undone = ::ftruncate(file_.get(), static_cast<off_t>(size_)) == 0;
        if (!is_undone && damage_.empty()) {
            damage_ = path_ + ": a line was written in part and cannot be removed: " + reason();
        }
        return refused(
            503, "log", "the log " + path_ + " cannot be written: " + why + "; nothing is answered"
        );
    }
    note_place(size_);
    size_ += line.size();
    last_ = next;
    return {};
}

Result<std::vector<share::Json>> AccessLog::lines(std::uint64_t after, std::size_t limit) const {
    std::vector<share::Json> out;
    after -= std::min(after, before_);
    if (after >= count_) {
        return out;
    }
    std::ifstream file(path_, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(places_.at(after / kStride)));
    std::string line;
    for (std::uint64_t number = after / kStride * kStride;
         out.size() < limit && number < count_ && std::getline(file, line);
         ++number) {
        if (number >= after) {
            out.push_back(share::Json::parse(line, nullptr, false));
        }
    }
    if (file.bad()) {
        return refused(503, "log", "the log " + path_ + " cannot be read");
    }
    return out;
}

}  // namespace pgveil::custodian
