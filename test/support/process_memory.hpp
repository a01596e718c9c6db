#pragma once

#include "keyshare/core/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

/// The memory of another process, seen from outside. For root: a process that forbids attaching
/// shows itself to nobody else. Failures of the system are exceptions, because tests use it only.
namespace pgveil::support {

/// One line of /proc/PID/smaps.
struct Mapping {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::string rights;       ///< "rw-p"
    std::string name;         ///< "[heap]", a path, or "anonymous"
    bool is_dumpable = true;  ///< a core file would hold it (no MADV_DONTDUMP)

    bool is_readable() const { return rights.starts_with('r'); }

    bool is_writable() const { return rights.size() > 1 && rights[1] == 'w'; }
};

std::vector<Mapping> mappings_of(pid_t process);

/// Hands over a mapping in pieces that overlap by `overlap` bytes, with the address of each.
/// Returns how many bytes could not be read (all of them with memfd_secret).
std::uint64_t read_mapping(
    int memory_file,
    const Mapping& mapping,
    std::size_t overlap,
    const std::function<void(std::uint64_t, core::ByteView)>& visit
);

/// Holds a process (all its threads) still while the object lives.
class Stopped {
public:
    explicit Stopped(pid_t process);
    Stopped(const Stopped&) = delete;
    Stopped& operator=(const Stopped&) = delete;
    Stopped(Stopped&&) = delete;
    Stopped& operator=(Stopped&&) = delete;
    ~Stopped();

private:
    pid_t process_;
};

}  // namespace pgveil::support
