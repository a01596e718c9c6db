#pragma once

#include "net/buffer.hpp"
#include "net/loop.hpp"
#include "net/timer.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>

#include <array>
#include <mutex>
#include <optional>
#include <span>
#include <sys/epoll.h>
#include <vector>

/// The inside of Loop, shared by loop.cpp, waiter.cpp and timer.cpp.
namespace pgveil::net {

/// What other threads may touch. Outlives the loop as long as somebody holds a Remote.
struct Remote::Inbox {
    Inbox();
    Inbox(const Inbox&) = delete;
    Inbox& operator=(const Inbox&) = delete;
    Inbox(Inbox&&) = delete;
    Inbox& operator=(Inbox&&) = delete;
    ~Inbox();

    void add(std::function<void()> work);
    std::vector<std::function<void()>> take();
    void close();

    /// An eventfd, readable while there is work.
    int descriptor() const { return descriptor_; }

private:
    int descriptor_;
    std::mutex mutex_;
    std::vector<std::function<void()>> work_;
    bool open_ = true;
};

/// One wait: the suspended coroutine and how it is to go on. Its address stays the same from the
/// start of the wait until the coroutine runs again, because a cancellation slot may point to it.
struct Waiter::Operation {
    std::optional<Handler> handler;
    Waiter* waiter = nullptr;  ///< null once woken
    error_code error;
};

struct Loop::State {
    using Waiters = boost::intrusive::list<Waiter, boost::intrusive::constant_time_size<false>>;
    using Timers = boost::intrusive::multiset<Timer, boost::intrusive::constant_time_size<false>>;
    using Operations = std::vector<std::unique_ptr<Waiter::Operation>>;

    State();
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    State(State&&) = delete;
    State& operator=(State&&) = delete;
    ~State();

    void turn();
    void run_ready();
    void settle();
    void wait_for_events(int timeout_ms);
    void dispatch(std::size_t count);
    void run_posted();
    void run_due_timers();
    int timeout_ms() const noexcept;
    void end_all_waits();

    std::unique_ptr<Waiter::Operation> new_operation();
    void recycle(std::unique_ptr<Waiter::Operation> operation) noexcept;

    boost::asio::io_context io;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
    int epoll;
    std::shared_ptr<Remote::Inbox> inbox;
    BufferPool buffers;
    Waiters waiters;
    Timers timers;
    Operations ready;
    Operations running;
    Operations spare;
    std::array<epoll_event, 256> events{};
    std::span<epoll_event> batch;  ///< events of this turn not yet dispatched
    Clock::time_point now = Clock::now();
    std::size_t coroutines = 0;
    bool stopping = false;
};

}  // namespace pgveil::net
