#pragma once

#include "net/error.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/intrusive/list_hook.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

/// net/: sockets, TLS, timers and the loop they run on.
///   Loop       one per worker thread: epoll, coroutines, timers, buffers
///   Remote     the one handle of a Loop that other threads may use
///   Waiter     a place where one coroutine waits for one event
///   Timer      a coarse deadline                          (timer.hpp)
///   BufferPool, Buffer                                    (buffer.hpp)
///   Listener   accepts connections, one per worker        (listener.hpp)
///   UnixListener  a Unix socket that workers share        (unix_listener.hpp)
///   Stream     a connection, TCP or TLS                   (stream.hpp)
///   TlsContext certificates and rules of one leg          (tls_context.hpp)
///   connect    host name to Stream                        (connect.hpp)
///   race       two coroutines until one ends              (race.hpp)
///   HttpServer answers GET on a few paths                 (http_server.hpp)
///   HttpsServer     answers requests with bodies, by TLS   (https_server.hpp)
///   HttpForwarder  stands in front of one web application (http_forwarder.hpp)
namespace pgveil::net {

template <class T>
using Awaitable = boost::asio::awaitable<T>;

using Clock = std::chrono::steady_clock;
using Duration = std::chrono::milliseconds;

class BufferPool;
class Loop;
class Timer;

/// Something with a descriptor that the loop watches. Registered once, edge-triggered, for reading
/// and writing: what was reported stays true until a call on the descriptor says otherwise, and no
/// epoll_ctl is needed while data flows.
class Watched {
public:
    Watched() = default;
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    Watched(Watched&&) = delete;
    Watched& operator=(Watched&&) = delete;
    virtual ~Watched() = default;

    /// @param events EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR. Runs no coroutine itself.
    virtual void on_events(std::uint32_t events) = 0;
};

/// Hands work to a loop from any thread, also after the loop is gone (then it is dropped).
class Remote {
public:
    struct Inbox;

    explicit Remote(std::shared_ptr<Inbox> inbox) : inbox_(std::move(inbox)) {}

    /// Runs `work` on the loop's thread, soon, in order of posting.
    void post(std::function<void()> work) const;

private:
    std::shared_ptr<Inbox> inbox_;
};

/// One coroutine can wait here for one event. Belongs to a loop and its thread; must not outlive
/// it. The wait can be cancelled by awaitable operators (&& and ||). A woken coroutine never runs
/// inside wake(): it runs from the loop, later, so wake() may be called from anywhere on the
/// thread.
class Waiter : public boost::intrusive::list_base_hook<
                   boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    struct Operation;

    explicit Waiter(Loop& loop) noexcept;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    Waiter(Waiter&&) = delete;
    Waiter& operator=(Waiter&&) = delete;
    ~Waiter();

    /// Suspends until wake(). Throws boost::system::system_error with the error given to wake();
    /// operation_aborted on cancellation and when the loop stops. One waiting coroutine at a time.
    Awaitable<void> wait();

    /// Suspends until everything else that is ready has run.
    Awaitable<void> yield();

    void wake(error_code error = {});  ///< nothing when nobody waits

    bool is_waiting() const noexcept { return operation_ != nullptr; }

private:
    using Handler = boost::asio::
        async_result<boost::asio::use_awaitable_t<>, void(boost::system::error_code)>::handler_type;

    friend class Loop;
    void start(Handler handler);
    static void resume(Operation& operation);

    Loop* loop_;
    std::unique_ptr<Operation> operation_;
};

/// The event loop of one worker thread. Its own epoll descriptor waits; Asio's io_context only runs
/// coroutines and never makes a system call. Everything except `remote` and `stop` belongs to the
/// thread that calls run(), or to the constructing thread before that.
///
/// run() ends all waits before it returns, and so does the destructor of a loop that never ran.
/// Objects made on a loop (streams, timers, listeners) must be destroyed before it.
class Loop {
public:
    Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    Loop(Loop&&) = delete;
    Loop& operator=(Loop&&) = delete;
    ~Loop();

    /// Runs until stop(). Then every waiting coroutine gets operation_aborted and may unwind; run()
    /// returns when they have.
    void run();

    /// Any thread, also a signal-handling one (not a signal handler).
    void stop();

    bool is_stopping() const noexcept;

    Remote remote() const;

    /// Starts a coroutine on this loop. An exception other than boost::system::system_error that
    /// leaves it ends the process: sessions catch their own.
    void spawn(Awaitable<void> coroutine);

    /// Suspends the calling coroutine for at least `time` (precision: about a millisecond).
    Awaitable<void> sleep(Duration time);

    /// Lets everything else that is ready run first.
    Awaitable<void> yield();

    /// Read once per wake-up: as late as the work since then took.
    Clock::time_point now() const noexcept;

    BufferPool& buffers() noexcept;

    boost::asio::io_context::executor_type executor() noexcept;

    void watch(int descriptor, Watched& watched);    ///< throws system_error (descriptor limit)
    void unwatch(int descriptor, Watched& watched);  ///< before the descriptor is closed

private:
    friend class Waiter;
    friend class Timer;
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace pgveil::net
