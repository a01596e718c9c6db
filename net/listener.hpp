#pragma once

#include "net/address.hpp"
#include "net/loop.hpp"
#include "net/socket.hpp"
#include "net/stream.hpp"
#include "net/timer.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace pgveil::net {

/// Accepts connections for one worker. Every worker opens its own on the same address
/// (SO_REUSEPORT); the kernel spreads connections over them and a session never changes its worker.
class Listener : private Watched {
public:
    using OnAccept = std::function<void(std::unique_ptr<Stream>)>;

    /// Whether nobody listens at `address` yet. With SO_REUSEPORT a second process of the same user
    /// would otherwise share the port unnoticed: call this once, before the first open().
    static Result<void> check_free(const Address& address);

    /// @param address port 0 lets the kernel choose: open the first, ask port(), open the others
    /// there
    /// @param on_accept called on the loop for every connection; starts a session and returns
    static Result<std::unique_ptr<Listener>> open(
        Loop& loop, const Address& address, OnAccept on_accept
    );

    /// Accepts from a socket that listens already, beside others that do: the connection goes to
    /// whoever is there first. `listening` stays the caller's.
    static Result<std::unique_ptr<Listener>> share(
        Loop& loop, const Socket& listening, OnAccept on_accept
    );

    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    Listener(Listener&&) = delete;
    Listener& operator=(Listener&&) = delete;
    ~Listener() override;

    std::uint16_t port() const noexcept;

    const Socket& socket() const noexcept { return socket_; }

    void close() noexcept;  ///< accept no more; connections in the queue are reset by the kernel

private:
    Listener(Loop& loop, Socket socket, OnAccept on_accept);
    void on_events(std::uint32_t events) override;
    void accept_all();

    Loop* loop_;
    Socket socket_;
    OnAccept on_accept_;
    Timer retry_;
};

}  // namespace pgveil::net
