#include "keyshare/user/terminal.hpp"

#include "keyshare/core/descriptor.hpp"

#include <cerrno>
#include <fcntl.h>
#include <span>
#include <termios.h>
#include <unistd.h>

namespace pgveil::user {

namespace {

constexpr std::uint8_t kInterrupt = 0x03;
constexpr std::uint8_t kEndOfInput = 0x04;
constexpr std::uint8_t kBackspace = 0x08;
constexpr std::uint8_t kKill = 0x15;
constexpr std::uint8_t kDelete = 0x7f;

/// Takes the terminal out of echo and line mode for its lifetime.
class SilentTerminal {
public:
    explicit SilentTerminal(int descriptor) : descriptor_(descriptor) {
        silent_ = ::tcgetattr(descriptor_, &before_) == 0;
        if (!silent_) {
            return;
        }
        termios quiet = before_;
        // Without ISIG an interrupt arrives as a key, so that echo is on again before we leave.
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
        quiet.c_cc[VMIN] = 1;
        quiet.c_cc[VTIME] = 0;
        silent_ = ::tcsetattr(descriptor_, TCSAFLUSH, &quiet) == 0;
    }

    SilentTerminal(const SilentTerminal&) = delete;
    SilentTerminal& operator=(const SilentTerminal&) = delete;
    SilentTerminal(SilentTerminal&&) = delete;
    SilentTerminal& operator=(SilentTerminal&&) = delete;

    ~SilentTerminal() {
        if (silent_) {
            ::tcsetattr(descriptor_, TCSAFLUSH, &before_);
        }
    }

    bool is_silent() const { return silent_; }

private:
    int descriptor_;
    bool silent_ = false;
    termios before_{};
};

LineInput::State read_line(int descriptor, LineInput& line) {
    for (;;) {
        std::uint8_t key = 0;
        const ssize_t got = ::read(descriptor, &key, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        const LineInput::State state = line.feed(got == 1 ? key : kEndOfInput);
        if (state != LineInput::State::kReading) {
            return state;
        }
    }
}

}  // namespace

bool Console::print(std::string_view text) const {
    return core::write_all(output_, core::as_bytes(text));
}

bool Console::print_secret(core::ByteView text) const {
    return core::write_all(output_, text);
}

void Console::note(std::string_view text) const {
    const std::string line = program_ + ": " + std::string(text) + "\n";
    core::write_all(notes_, core::as_bytes(line));
}

int Console::fail(const Error& error) const {
    note(error.message);
    return static_cast<int>(error.code);
}

LineInput::State LineInput::feed(std::uint8_t key) {
    switch (key) {
        case '\r':
        case '\n': return State::kDone;
        case kEndOfInput: return size_ > 0 ? State::kDone : State::kCancelled;
        case kInterrupt: return State::kCancelled;
        case kKill: size_ = 0; return State::kReading;
        case kBackspace:
        case kDelete: erase_one(); return State::kReading;
        default: break;
    }
    if (size_ == kSizeMax) {
        return State::kTooLong;
    }
    line_.reveal_mutable()[size_++] = key;
    return State::kReading;
}

void LineInput::erase_one() {
    const auto is_continuation = [this] {
        return (line_.reveal()[size_] & 0xc0U) == 0x80U;
    };
    while (size_ > 0) {
        --size_;
        if (!is_continuation()) {
            return;
        }
    }
}

core::SecretBytes LineInput::take() {
    line_.resize_down(size_);
    return std::move(line_);
}

Result<core::SecretBytes> prompt_secret(std::string_view question) {
    const core::Descriptor tty(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!tty.is_open()) {
        return unusable(
            "there is no terminal to ask for the " + std::string(question) +
            ": give it by file or descriptor (see --help)"
        );
    }
    const SilentTerminal silent(tty.get());
    if (!silent.is_silent()) {
        return failed("the terminal's echo cannot be switched off: give the secret by file");
    }
    core::write_all(tty.get(), core::as_bytes(std::string(question) + ": "));
    LineInput line;
    const LineInput::State state = read_line(tty.get(), line);
    core::write_all(tty.get(), core::as_bytes("\n"));
    if (state == LineInput::State::kTooLong) {
        return unusable("the " + std::string(question) + " is longer than 1024 bytes");
    }
    if (state == LineInput::State::kCancelled) {
        return failed("cancelled");
    }
    return line.take();
}

}  // namespace pgveil::user
