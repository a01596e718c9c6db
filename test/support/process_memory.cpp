#include "test/support/process_memory.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace pgveil::support {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPiece = std::size_t{1} << 20U;

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

std::string folder_of(pid_t process) {
    return "/proc/" + std::to_string(process);
}

// "7f12-7f34 rw-p 00000000 00:00 0   [heap]"
bool parse_head(const std::string& line, Mapping& mapping) {
    std::istringstream words(line);
    char dash = 0;
    std::string offset;
    std::string device;
    std::string inode;
    words >> std::hex >> mapping.begin >> dash >> mapping.end >> mapping.rights;
    if (!words || dash != '-' || mapping.rights.size() != 4) {
        return false;
    }
    words >> offset >> device >> inode >> std::ws;
    std::getline(words, mapping.name);
    if (mapping.name.empty()) {
        mapping.name = "anonymous";
    }
    return true;
}

// The kernel's own pages in every process: clocks, no data of anybody.
bool is_of_kernel(const Mapping& mapping) {
    return mapping.name.starts_with("[vv") || mapping.name == "[vsyscall]";
}

char state_of(const std::filesystem::path& task) {
    std::ifstream file(task / "stat");
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(") ");
    return name_end == std::string::npos ? '\0' : line.at(name_end + 2);
}

bool is_stopped(pid_t process) {
    const std::filesystem::directory_iterator tasks(folder_of(process) + "/task");
    return std::ranges::all_of(tasks, [](const auto& task) {
        return state_of(task.path()) == 'T';
    });
}

}  // namespace

std::vector<Mapping> mappings_of(pid_t process) {
    std::ifstream file(folder_of(process) + "/smaps");
    if (!file) {
        fail("the mappings of process " + std::to_string(process));
    }
    std::vector<Mapping> mappings;
    std::string line;
    while (std::getline(file, line)) {
        Mapping next;
        if (parse_head(line, next)) {
            mappings.push_back(std::move(next));
        } else if (line.starts_with("VmFlags:") && !mappings.empty()) {
            mappings.back().is_dumpable = (line + " ").find(" dd ") == std::string::npos;
        }
    }
    std::erase_if(mappings, is_of_kernel);
    return mappings;
}

std::uint64_t read_mapping(
    int memory_file,
    const Mapping& mapping,
    std::size_t overlap,
    const std::function<void(std::uint64_t, core::ByteView)>& visit
) {
    std::vector<std::uint8_t> piece(kPiece);
    std::uint64_t unreadable = 0;
    std::uint64_t at = mapping.begin;
    while (at < mapping.end) {
        const std::size_t wanted = std::min<std::uint64_t>(kPiece, mapping.end - at);
        const ssize_t got = pread(memory_file, piece.data(), wanted, static_cast<off_t>(at));
        if (got <= 0) {
            const std::uint64_t skipped = std::min<std::uint64_t>(kPage, mapping.end - at);
            unreadable += skipped;
            at += skipped;
            continue;
        }
        const auto size = static_cast<std::size_t>(got);
        visit(at, core::ByteView(piece).first(size));
        const bool is_last = size <= overlap || at + size >= mapping.end;
        at += is_last ? size : size - overlap;
    }
    return unreadable;
}

Stopped::Stopped(pid_t process) : process_(process) {
    if (kill(process, SIGSTOP) != 0) {
        fail("stopping process " + std::to_string(process));
    }
    while (!is_stopped(process)) {
        std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
}

Stopped::~Stopped() {
    static_cast<void>(kill(process_, SIGCONT));
}

}  // namespace pgveil::support
