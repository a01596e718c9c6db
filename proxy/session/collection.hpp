#pragma once

#include "net/loop.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace pgveil::session {

/// Values that other threads send to one coroutine, which waits for so many of them:
///
///     Collection<Facts> facts(loop, 2);
///     ask(facts.receiver()); ask(facts.receiver());   // each calls what it got, once, anywhere
///     const std::vector<Facts> all = co_await facts.all();
///
/// Values that come after the collection is gone are dropped. Everything else belongs to the thread
/// of `loop`.
template <class Value>
class Collection {
public:
    Collection(net::Loop& loop, std::size_t expected)
        : loop_(&loop), expected_(expected), state_(std::make_shared<State>()) {}

    Collection(const Collection&) = delete;
    Collection& operator=(const Collection&) = delete;
    Collection(Collection&&) = delete;
    Collection& operator=(Collection&&) = delete;

    ~Collection() { state_->waiter = nullptr; }

    std::function<void(Value)> receiver() const {
        return [state = state_, remote = loop_->remote()](Value value) {
            remote.post([state, received = std::move(value)]() mutable {
                state->values.push_back(std::move(received));
                if (state->waiter != nullptr) {
                    state->waiter->wake();
                }
            });
        };
    }

    /// Once. Throws operation_aborted when the loop stops.
    net::Awaitable<std::vector<Value>> all() {
        net::Waiter waiter(*loop_);
        const Place place(*state_, waiter);
        while (state_->values.size() < expected_) {
            co_await waiter.wait();
        }
        co_return std::move(state_->values);
    }

private:
    struct State {
        std::vector<Value> values;
        net::Waiter* waiter = nullptr;
    };

    /// The waiter is known as long as it lives.
    class Place {
    public:
        Place(State& state, net::Waiter& waiter) : state_(&state) { state.waiter = &waiter; }

        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        Place(Place&&) = delete;
        Place& operator=(Place&&) = delete;

        ~Place() { state_->waiter = nullptr; }

    private:
        State* state_;
    };

    net::Loop* loop_;
    std::size_t expected_;
    std::shared_ptr<State> state_;
};

}  // namespace pgveil::session
