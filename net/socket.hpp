#pragma once

#include "net/buffer.hpp"
#include "net/error.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <sys/types.h>

namespace pgveil::net {

enum class IoStatus {
    kDone,     ///< some bytes moved
    kBlocked,  ///< nothing to do until the loop reports the socket again
    kEnd,      ///< end of input
    kFailed,   ///< Socket::error() says why
};

struct IoResult {
    IoStatus status = IoStatus::kBlocked;
    std::size_t bytes = 0;
};

/// A non-blocking descriptor and what is known about it: whether a read or a write can succeed. A
/// call that is known to block makes no system call. Owns the descriptor.
class Socket {
public:
    Socket() noexcept = default;
    /// @param connecting a connect is under way: writing waits for the loop's first report
    explicit Socket(
        int descriptor, std::string peer_address = {}, bool connecting = false
    ) noexcept;
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    Socket(Socket&& other) noexcept;
    Socket& operator=(Socket&& other) noexcept;

    ~Socket() { close(); }

    int descriptor() const noexcept { return descriptor_; }

    bool is_open() const noexcept { return descriptor_ >= 0; }

    /// A Unix socket: both ends are on this machine.
    bool is_local() const noexcept;

    const std::string& peer_address() const noexcept { return peer_address_; }

    /// What epoll reported.
    void note_events(std::uint32_t events) noexcept;

    bool can_read() const noexcept { return can_read_; }

    bool can_write() const noexcept { return can_write_; }

    IoResult receive(std::span<std::uint8_t> space) noexcept;
    IoResult send(ByteView bytes) noexcept;
    IoResult send(std::span<const ByteView> pieces) noexcept;  ///< at most 16 of them are looked at
    IoResult peek(std::span<std::uint8_t> space) noexcept;

    const error_code& error() const noexcept { return error_; }

    /// SO_ERROR: how a non-blocking connect ended.
    error_code take_connect_error() noexcept;

    void set_options(
    ) noexcept;  ///< TCP_NODELAY, keepalive, user timeout; no effect on unix sockets
    /// TCP asks whether the peer lives after so much silence, and gives up after as much again. 0:
    /// never. No effect on unix sockets.
    void set_keepalive(std::chrono::milliseconds silence) noexcept;
    void shutdown_output() noexcept;
    void close() noexcept;

private:
    IoResult sent(ssize_t count, std::size_t size) noexcept;
    IoResult failed(int number) noexcept;

    int descriptor_ = -1;
    bool can_read_ = false;
    bool can_write_ = true;
    bool hung_up_ = false;
    error_code error_;
    std::string peer_address_;
};

}  // namespace pgveil::net
