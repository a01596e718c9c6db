#include "keyshare/postgres/password_file.hpp"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace pgveil::postgres {

std::optional<core::SecretBytes> read_password(const std::string& path) {
    constexpr std::size_t kPasswordMax = 1024;
    core::SecretBytes password(kPasswordMax);
    if (path.empty()) {
        password.resize_down(1);
        return password;
    }
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const auto bytes = password.reveal_mutable();
    const ssize_t got = file < 0 ? -1 : ::read(file, bytes.data(), kPasswordMax - 1);
    if (file >= 0) {
        ::close(file);
    }
    const auto line = bytes.first(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    const auto end = static_cast<std::size_t>(std::ranges::find(line, '\n') - line.begin());
    if (end == 0) {
        return std::nullopt;
    }
    bytes[end] = 0;
    password.resize_down(end + 1);
    return password;
}

}  // namespace pgveil::postgres
