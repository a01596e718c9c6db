#include "keyshare/core/arena.hpp"

#include <cerrno>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <system_error>

namespace pgveil::core {
namespace {

Error refused(const std::string& what) {
    return {ErrorCode::kProcess, what + ": " + std::generic_category().message(errno)};
}

}  // namespace

Result<void> forbid_core_files() {
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) {
        return refused("core files cannot be switched off (RLIMIT_CORE)");
    }
    return {};
}

Result<void> forbid_attaching() {
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {  // NOLINT(*-vararg): prctl(2) is one
        return refused("the process cannot be made undumpable (PR_SET_DUMPABLE)");
    }
    return {};
}

Result<void> disable_core_dumps() {
    auto files = forbid_core_files();
    return files.has_value() ? forbid_attaching() : files;
}

}  // namespace pgveil::core
