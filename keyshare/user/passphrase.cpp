#include "keyshare/user/passphrase.hpp"

#include "keyshare/user/private_file.hpp"
#include "keyshare/user/terminal.hpp"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace pgveil::user {

namespace {

constexpr std::size_t kLineSizeMax = LineInput::kSizeMax;

Result<core::SecretBytes> checked(core::SecretBytes line, std::string_view what) {
    if (line.empty()) {
        return unusable("the " + std::string(what) + " is empty: give at least one character");
    }
    if (line.size() > kLineSizeMax) {
        return unusable("the " + std::string(what) + " is longer than 1024 bytes");
    }
    return line;
}

Result<core::SecretBytes> from_file(const std::string& path, std::string_view what) {
    auto content = read_private_file(path, kLineSizeMax + 2);
    if (!content) {
        return content.error();
    }
    std::size_t size = content->size();
    const auto drop_last = [&](std::uint8_t end) {
        if (size > 0 && content->reveal()[size - 1] == end) {
            --size;
        }
    };
    drop_last('\n');
    drop_last('\r');
    content->resize_down(size);
    if (std::ranges::count(content->reveal(), std::uint8_t{'\n'}) > 0) {
        return unusable(path + " holds more than one line: keep only the " + std::string(what));
    }
    return checked(std::move(*content), what);
}

Result<core::SecretBytes> from_descriptor(int descriptor, std::string_view what) {
    core::SecretBytes line(kLineSizeMax + 2);
    std::size_t size = 0;
    while (size < line.size()) {
        // One byte at a time: what follows the line belongs to the next reader.
        const ssize_t got = ::read(descriptor, &line.reveal_mutable()[size], 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return unusable(
                "the " + std::string(what) + " cannot be read from descriptor " +
                std::to_string(descriptor) + ": is it open for reading?"
            );
        }
        if (got == 0 || line.reveal()[size] == '\n') {
            break;
        }
        ++size;
    }
    if (size > 0 && line.reveal()[size - 1] == '\r') {
        --size;
    }
    line.resize_down(size);
    return checked(std::move(line), what);
}

Result<core::SecretBytes> from_prompt(std::string_view what, Asking asking) {
    auto first = prompt_secret(what);
    if (!first) {
        return first;
    }
    if (asking == Asking::kNew) {
        auto second = prompt_secret(std::string(what) + ", again");
        if (!second) {
            return second;
        }
        if (!core::equal_in_constant_time(first->reveal(), second->reveal())) {
            return failed("the two entries differ: start again");
        }
    }
    return checked(std::move(*first), what);
}

}  // namespace

Result<core::SecretBytes> read_secret(
    const SecretSource& source, std::string_view what, Asking asking
) {
    if (!source.file.empty()) {
        return from_file(source.file, what);
    }
    if (source.descriptor) {
        return from_descriptor(*source.descriptor, what);
    }
    return from_prompt(what, asking);
}

}  // namespace pgveil::user
