#include "net/timer.hpp"

#include "net/loop_state.hpp"

#include <utility>

namespace pgveil::net {

Timer::Timer(Loop& loop, std::function<void()> callback)
    : loop_(&loop), callback_(std::move(callback)) {}

void Timer::set(Duration from_now) {
    clear();
    deadline_ = Clock::now() + from_now;
    loop_->state_->timers.insert(*this);
}

void Timer::clear() noexcept {
    if (is_linked()) {
        unlink();
    }
}

}  // namespace pgveil::net
