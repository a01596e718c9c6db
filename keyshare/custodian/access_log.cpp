#include "keyshare/custodian/access_log.hpp"

#include "keyshare/core/bytes.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace pgveil::custodian {
namespace {

constexpr share::ChainForm kForm{"pgveil/1 custodian log", "seq"};
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
        {"result", entry.result}};
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
    return entry;
}

}  // namespace

store::Result<AccessLog> AccessLog::open(
    std::string path, std::string owner, const std::function<void(const LogEntry&)>& visit
) {
    AccessLog out(std::move(path), std::move(owner));
    out.file_ = core::Descriptor(
        ::open(out.path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)
    );
    if (!out.file_.is_open()) {
        return store::Error{
            store::ErrorCode::kUnavailable, out.path_ + " cannot be opened: " + reason()};
    }
    if (const auto read = out.read_all(visit); !read.has_value()) {
        return read.error();
    }
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
    const auto line = share::parse_chained_line(kForm, text);
    const bool follows = line && line->sequence == last_.sequence + 1 &&
                         line->previous == last_.hash &&
                         share::chained_hash(kForm, owner_, line->body) == line->hash;
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
    const std::string line = share::make_chained_line(kForm, next, owner_, fields_of(entry)) + "\n";
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
