#include "net/loop.hpp"

#include "net/loop_state.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace pgveil::net {

namespace {

/// After stop(): how often coroutines that go on waiting are told to end.
constexpr int kEndingRoundsMax = 1000;

[[noreturn]] void throw_errno(const char* what) {
    throw boost::system::system_error(error_code(errno, boost::system::system_category()), what);
}

/// A lost network ends a session and nothing else; anything else is our own mistake.
void swallow_network_errors(std::exception_ptr exception) {
    if (!exception) {
        return;
    }
    try {
        std::rethrow_exception(std::move(exception));
    } catch (const boost::system::system_error&) {
        return;
    }
}

}  // namespace

Remote::Inbox::Inbox() : descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (descriptor_ < 0) {
        throw_errno("eventfd");
    }
}

Remote::Inbox::~Inbox() {
    ::close(descriptor_);
}

void Remote::Inbox::add(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    if (!open_) {
        return;
    }
    work_.push_back(std::move(work));
    if (work_.size() == 1) {
        ::eventfd_write(descriptor_, 1);
    }
}

std::vector<std::function<void()>> Remote::Inbox::take() {
    const std::lock_guard lock(mutex_);
    eventfd_t count = 0;
    ::eventfd_read(descriptor_, &count);
    return std::exchange(work_, {});
}

void Remote::Inbox::close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
    work_.clear();
}

void Remote::post(std::function<void()> work) const {
    inbox_->add(std::move(work));
}

// UNSAFE switches off the io_context's own locks: other threads come in through the inbox only.
Loop::State::State()
    : io(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE),
      work(io.get_executor()),
      epoll(::epoll_create1(EPOLL_CLOEXEC)),
      inbox(std::make_shared<Remote::Inbox>()) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll < 0 || ::epoll_ctl(epoll, EPOLL_CTL_ADD, inbox->descriptor(), &event) != 0) {
        throw_errno("epoll");
    }
}

Loop::State::~State() {
    inbox->close();
    ::close(epoll);
}

/// One turn: run what is ready, wait, note what happened.
void Loop::State::turn() {
    settle();
    wait_for_events(ready.empty() ? timeout_ms() : 0);
}

/// Runs coroutines and what they post until only those are left that asked to run later.
void Loop::State::settle() {
    do {
        run_ready();
    } while (io.poll() > 0);
}

void Loop::State::run_ready() {
    std::swap(ready, running);
    for (std::unique_ptr<Waiter::Operation>& operation : running) {
        Waiter::resume(*operation);
        recycle(std::move(operation));
    }
    running.clear();
}

void Loop::State::wait_for_events(int timeout_ms) {
    const int count =
        ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), timeout_ms);
    if (count < 0 && errno != EINTR) {
        throw_errno("epoll_wait");
    }
    now = Clock::now();
    dispatch(count > 0 ? static_cast<std::size_t>(count) : 0);
    run_due_timers();
}

void Loop::State::dispatch(std::size_t count) {
    for (batch = std::span(events).first(count); !batch.empty();) {
        const epoll_event event = batch.front();
        batch = batch.subspan(1);
        if (event.events == 0) {
            continue;  // unwatched by an earlier event of this batch
        }
        if (event.data.ptr == nullptr) {
            run_posted();
        } else {
            static_cast<Watched*>(event.data.ptr)->on_events(event.events);
        }
    }
}

void Loop::State::run_posted() {
    for (const std::function<void()>& posted : inbox->take()) {
        posted();
    }
}

void Loop::State::run_due_timers() {
    while (!timers.empty() && timers.begin()->deadline() <= now) {
        Timer& due = *timers.begin();
        due.unlink();
        due.callback_();
    }
}

int Loop::State::timeout_ms() const noexcept {
    if (timers.empty()) {
        return -1;
    }
    const auto left = std::chrono::ceil<Duration>(timers.begin()->deadline() - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT32_MAX));
}

void Loop::State::end_all_waits() {
    for (int round = 0; coroutines > 0 && round < kEndingRoundsMax; ++round) {
        while (!waiters.empty()) {
            waiters.front().wake(boost::asio::error::operation_aborted);
        }
        settle();
    }
}

std::unique_ptr<Waiter::Operation> Loop::State::new_operation() {
    if (spare.empty()) {
        return std::make_unique<Waiter::Operation>();
    }
    std::unique_ptr<Waiter::Operation> operation = std::move(spare.back());
    spare.pop_back();
    return operation;
}

void Loop::State::recycle(std::unique_ptr<Waiter::Operation> operation) noexcept {
    operation->handler.reset();
    operation->error = {};
    spare.push_back(std::move(operation));
}

Loop::Loop() : state_(std::make_unique<State>()) {}

Loop::~Loop() {
    if (state_->coroutines > 0) {
        state_->stopping = true;
        run();
    }
}

void Loop::run() {
    // The turns run inside one handler of the io_context: Asio then keeps its per-thread memory for
    // coroutine frames over all turns instead of throwing it away at the end of each poll().
    State& state = *state_;
    boost::asio::post(state.io, [&state] {
        while (!state.stopping) {
            state.turn();
        }
        state.end_all_waits();
        state.io.stop();
    });
    state.io.restart();
    state.io.run();
}

void Loop::stop() {
    remote().post([state = state_.get()] { state->stopping = true; });
}

bool Loop::is_stopping() const noexcept {
    return state_->stopping;
}

Remote Loop::remote() const {
    return Remote(state_->inbox);
}

void Loop::spawn(Awaitable<void> coroutine) {
    ++state_->coroutines;
    boost::asio::co_spawn(
        state_->io,
        std::move(coroutine),
        [state = state_.get()](std::exception_ptr exception) {
            --state->coroutines;
            swallow_network_errors(std::move(exception));
        }
    );
}

Awaitable<void> Loop::sleep(Duration time) {
    Waiter waiter(*this);
    Timer timer(*this, [&waiter] { waiter.wake(); });
    timer.set(time);
    co_await waiter.wait();
}

Awaitable<void> Loop::yield() {
    Waiter waiter(*this);
    co_await waiter.yield();
}

Clock::time_point Loop::now() const noexcept {
    return state_->now;
}

BufferPool& Loop::buffers() noexcept {
    return state_->buffers;
}

boost::asio::io_context::executor_type Loop::executor() noexcept {
    return state_->io.get_executor();
}

void Loop::watch(int descriptor, Watched& watched) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &watched;
    if (::epoll_ctl(state_->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        throw_errno("epoll_ctl");
    }
}

void Loop::unwatch(int descriptor, Watched& watched) {
    ::epoll_ctl(state_->epoll, EPOLL_CTL_DEL, descriptor, nullptr);
    for (epoll_event& event : state_->batch) {
        if (event.data.ptr == &watched) {
            event.events = 0;
        }
    }
}

}  // namespace pgveil::net
