#include "net/loop.hpp"
#include "net/loop_state.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace pgveil::net {

namespace asio = boost::asio;

Waiter::Waiter(Loop& loop) noexcept : loop_(&loop) {}

Waiter::~Waiter() {
    wake(asio::error::operation_aborted);
}

Awaitable<void> Waiter::wait() {
    return asio::async_initiate<const asio::use_awaitable_t<>, void(error_code)>(
        [this](auto handler) { start(std::move(handler)); }, asio::use_awaitable
    );
}

Awaitable<void> Waiter::yield() {
    return asio::async_initiate<const asio::use_awaitable_t<>, void(error_code)>(
        [this](auto handler) {
            start(std::move(handler));
            wake();
        },
        asio::use_awaitable
    );
}

void Waiter::start(Handler handler) {
    if (is_waiting()) {
        static_cast<void>(std::fputs("net: two coroutines wait for the same event\n", stderr));
        std::abort();
    }
    Loop::State& state = *loop_->state_;
    operation_ = state.new_operation();
    operation_->waiter = this;
    operation_->handler.emplace(std::move(handler));
    state.waiters.push_back(*this);
    auto slot = asio::get_associated_cancellation_slot(*operation_->handler);
    if (slot.is_connected()) {
        slot.assign([operation = operation_.get()](asio::cancellation_type /*type*/) {
            if (operation->waiter != nullptr) {
                operation->waiter->wake(asio::error::operation_aborted);
            }
        });
    }
    if (state.stopping) {
        wake(asio::error::operation_aborted);
    }
}

void Waiter::wake(error_code error) {
    if (!is_waiting()) {
        return;
    }
    unlink();
    operation_->waiter = nullptr;
    operation_->error = error;
    loop_->state_->ready.push_back(std::move(operation_));
}

void Waiter::resume(Operation& operation) {
    (*operation.handler)(operation.error);
}

}  // namespace pgveil::net
