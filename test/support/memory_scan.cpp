// Looks for secrets in the memory of a process, or in a file such as a core dump.
//
//     memory_scan --pid N                every readable mapping, once
//     memory_scan --pid N --writable     only those the process can write to
//     memory_scan --pid N --samples M    the same, with the process stopped, at M random moments
//     memory_scan --file F
//
// Standard input: one secret block of 8 bytes a line, in hexadecimal digits.
// Standard output: one JSON object {"bytes": looked at, "unreadable": {mapping: bytes}, "hits":
// [{"block": line from 0, "order", "mapping", "dumpable", "address", "count"}]}; a block is
// reported once for each mapping, with the first address.
#include "test/support/block_set.hpp"
#include "test/support/process_memory.hpp"

#include <algorithm>
#include <chrono>
#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <unistd.h>

namespace pgveil::support {
namespace {

constexpr std::size_t kOverlap = kSecretBlockSize - 1;
constexpr std::size_t kPiece = std::size_t{1} << 20U;

struct Arguments {
    pid_t process = 0;
    std::string file;
    bool writable_only = false;
    unsigned samples = 0;
};

const char* name_of(ByteOrder order) {
    switch (order) {
        case ByteOrder::kPlain: return "plain";
        case ByteOrder::kReversed: return "reversed";
        case ByteOrder::kWordsReversed: return "words reversed";
    }
    return "";
}

BlockSet read_wanted(std::istream& input) {
    BlockSet wanted;
    std::string hex;
    while (input >> hex) {
        const auto bytes = core::from_hex(hex);
        if (!bytes.has_value() || bytes->size() != kSecretBlockSize) {
            throw std::runtime_error(
                "not a block of 8 bytes: line " + std::to_string(wanted.size() + 1)
            );
        }
        SecretBlock block{};
        std::ranges::copy(*bytes, block.begin());
        wanted.add(block);
    }
    return wanted;
}

/// What was seen so far.
class Findings {
public:
    explicit Findings(const BlockSet& wanted) : wanted_(&wanted) {}

    void look_at(const Mapping& mapping, std::uint64_t address, core::ByteView memory) {
        bytes_ += memory.size();
        wanted_->find_in(memory, [&](const BlockSet::Hit& hit) {
            auto& found = hits_[{hit.block, hit.order, mapping.begin}];
            if (found.count++ == 0) {
                found.mapping = mapping;
                found.address = address + hit.offset;
            }
        });
    }

    void not_read(const Mapping& mapping, std::uint64_t bytes) {
        if (bytes > 0) {
            unreadable_[mapping.name] += bytes;
        }
    }

    nlohmann::json to_json() const {
        nlohmann::json hits = nlohmann::json::array();
        for (const auto& [key, found] : hits_) {
            hits.push_back(
                {{"block", std::get<0>(key)},
                 {"order", name_of(std::get<1>(key))},
                 {"mapping", found.mapping.name},
                 {"rights", found.mapping.rights},
                 {"size", found.mapping.end - found.mapping.begin},
                 {"dumpable", found.mapping.is_dumpable},
                 {"address", found.address},
                 {"offset", found.address - found.mapping.begin},
                 {"count", found.count}}
            );
        }
        return {{"bytes", bytes_}, {"unreadable", unreadable_}, {"hits", hits}};
    }

private:
    struct Found {
        Mapping mapping;
        std::uint64_t address = 0;
        std::uint64_t count = 0;
    };

    const BlockSet* wanted_;
    std::map<std::tuple<std::size_t, ByteOrder, std::uint64_t>, Found> hits_;
    std::map<std::string, std::uint64_t> unreadable_;
    std::uint64_t bytes_ = 0;
};

class ProcessMemory {
public:
    explicit ProcessMemory(pid_t process)
        : process_(process),
          file_(open(("/proc/" + std::to_string(process) + "/mem").c_str(), O_RDONLY | O_CLOEXEC)) {
        if (file_ < 0) {
            throw std::runtime_error(
                "the memory of process " + std::to_string(process) + " is not to be had"
            );
        }
    }

    ProcessMemory(const ProcessMemory&) = delete;
    ProcessMemory& operator=(const ProcessMemory&) = delete;
    ProcessMemory(ProcessMemory&&) = delete;
    ProcessMemory& operator=(ProcessMemory&&) = delete;

    ~ProcessMemory() { close(file_); }

    void scan(Findings& findings, bool writable_only) const {
        for (const Mapping& mapping : mappings_of(process_)) {
            if (mapping.is_readable() && (mapping.is_writable() || !writable_only)) {
                scan(findings, mapping);
            }
        }
    }

private:
    void scan(Findings& findings, const Mapping& mapping) const {
        const auto look = [&](std::uint64_t address, core::ByteView memory) {
            findings.look_at(mapping, address, memory);
        };
        findings.not_read(mapping, read_mapping(file_, mapping, kOverlap, look));
    }

    pid_t process_;
    int file_;
};

void sample(const Arguments& arguments, Findings& findings) {
    std::mt19937 generator(std::random_device{}());
    std::uniform_int_distribution<int> pause_us(500, 4000);
    const ProcessMemory memory(arguments.process);
    for (unsigned made = 0; made < arguments.samples; ++made) {
        std::this_thread::sleep_for(std::chrono::microseconds(pause_us(generator)));
        const Stopped stopped(arguments.process);
        memory.scan(findings, true);
    }
}

void scan_file(const std::string& path, Findings& findings) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw std::runtime_error(path + " cannot be read");
    }
    const Mapping whole{0, 0, "r--p", path, true};
    core::Bytes piece(kPiece);
    std::size_t kept = 0;
    std::uint64_t at = 0;
    while (file) {
        const core::MutableByteView room = core::MutableByteView(piece).subspan(kept);
        file.read(
            static_cast<char*>(static_cast<void*>(room.data())),
            static_cast<std::streamsize>(room.size())
        );
        const std::size_t size = kept + static_cast<std::size_t>(file.gcount());
        findings.look_at(whole, at, core::ByteView(piece).first(size));
        kept = std::min(kOverlap, size);
        std::copy_n(piece.begin() + static_cast<std::ptrdiff_t>(size - kept), kept, piece.begin());
        at += size - kept;
    }
}

void run(const Arguments& arguments) {
    const BlockSet wanted = read_wanted(std::cin);
    Findings findings(wanted);
    if (!arguments.file.empty()) {
        scan_file(arguments.file, findings);
    } else if (arguments.samples > 0) {
        sample(arguments, findings);
    } else {
        ProcessMemory(arguments.process).scan(findings, arguments.writable_only);
    }
    std::cout << findings.to_json() << '\n';
}

}  // namespace
}  // namespace pgveil::support

int main(int argc, char** argv) {
    CLI::App app("Looks for secrets in the memory of a process or in a file", "memory_scan");
    pgveil::support::Arguments arguments;
    auto* process = app.add_option("--pid", arguments.process);
    app.add_option("--file", arguments.file)->excludes(process);
    app.add_flag("--writable", arguments.writable_only)->needs(process);
    app.add_option("--samples", arguments.samples)->needs(process);
    try {
        app.parse(argc, argv);
        pgveil::support::run(arguments);
    } catch (const CLI::ParseError& error) {
        return app.exit(error);
    } catch (const std::exception& error) {
        std::cerr << "memory_scan: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
