#include "proxy/audit/segment_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

namespace pgveil::audit {
namespace {

constexpr std::string_view kPrefix = "audit-";
constexpr std::string_view kSuffix = ".jsonl";
constexpr std::size_t kDigits = 12;

bool is_segment(std::string_view name) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) ||
        name.size() < kPrefix.size() + kDigits + kSuffix.size()) {
        return false;
    }
    const auto digits = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
    return std::all_of(digits.begin(), digits.end(), [](char letter) {
        return letter >= '0' && letter <= '9';
    });
}

/// By the number in the name, which may be longer than 12 digits.
bool is_older(const std::filesystem::path& left, const std::filesystem::path& right) {
    const std::string one = left.filename().string();
    const std::string other = right.filename().string();
    return one.size() != other.size() ? one.size() < other.size() : one < other;
}

Result<SegmentEnd> end_of(
    const std::filesystem::path& file, std::string_view content, std::string_view tenant
) {
    SegmentEnd end;
    const std::size_t newline = content.rfind('\n');
    end.torn_bytes =
        newline == std::string_view::npos ? content.size() : content.size() - newline - 1;
    content.remove_suffix(end.torn_bytes);
    bool is_last = true;
    while (!content.empty()) {
        content.remove_suffix(1);
        const std::size_t before = content.rfind('\n');
        const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
        const auto line = parse_line(content.substr(begin));
        if (!line || (is_last && hash_of(tenant, line->body) != line->hash)) {
            return Error{
                file.string(),
                "its last line is not one of this log. `pgveil audit verify` says more; move the "
                "folder away to begin a new log"};
        }
        if (is_last) {
            end.last = line->link();
        }
        if (line->text("event") == "head") {
            break;
        }
        is_last = false;
        ++end.unsigned_lines;
        content = content.substr(0, begin);
    }
    return end;
}

}  // namespace

std::string segment_name(std::uint64_t first_sequence) {
    std::string digits = std::to_string(first_sequence);
    digits.insert(0, digits.size() < kDigits ? kDigits - digits.size() : 0, '0');
    return std::string(kPrefix) + digits + std::string(kSuffix);
}

Result<std::vector<std::filesystem::path>> list_segments(const std::filesystem::path& folder) {
    std::error_code failed;
    std::vector<std::filesystem::path> files;
    for (auto entry = std::filesystem::directory_iterator(folder, failed);
         !failed && entry != std::filesystem::directory_iterator();
         entry.increment(failed)) {
        if (is_segment(entry->path().filename().string())) {
            files.push_back(entry->path());
        }
    }
    if (failed) {
        return Error{folder.string(), failed.message()};
    }
    std::sort(files.begin(), files.end(), is_older);
    return files;
}

Result<std::string> read_segment(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    if (!stream.is_open() || stream.bad()) {
        return Error{file.string(), std::string("cannot be read: ") + std::strerror(errno)};
    }
    return content;
}

Result<SegmentEnd> find_end(const std::filesystem::path& folder, std::string_view tenant) {
    const auto files = list_segments(folder);
    if (!files.has_value()) {
        return files.error();
    }
    for (auto file = files->rbegin(); file != files->rend(); ++file) {
        const auto content = read_segment(*file);
        if (!content.has_value()) {
            return content.error();
        }
        if (content->find('\n') != std::string::npos) {
            return end_of(*file, *content, tenant);
        }
        std::error_code failed;
        std::filesystem::remove(*file, failed);  // killed before its first line was whole
        if (failed) {
            return Error{file->string(), failed.message()};
        }
    }
    return SegmentEnd{};
}

}  // namespace pgveil::audit
