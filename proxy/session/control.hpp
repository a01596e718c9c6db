#pragma once

#include "proxy/admin/console_command.hpp"
#include "proxy/admin/console_conversation.hpp"

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace pgveil::session {

/// A command of the console that no worker can carry out: RELOAD, SHUTDOWN, EXPLAIN VEIL.
struct ControlRequest {
    ControlRequest(admin::Command what, std::function<void(admin::Answer)> where)
        : command(std::move(what)), reply(std::move(where)) {}

    admin::Command command;
    std::function<void(admin::Answer)> reply;  ///< once, from any thread
};

/// Requests on their way from the workers to the main thread, in order. Any thread.
class Control {
public:
    void post(ControlRequest request) {
        const std::lock_guard lock(mutex_);
        requests_.push_back(std::move(request));
    }

    std::vector<ControlRequest> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(requests_, {});
    }

private:
    std::mutex mutex_;
    std::vector<ControlRequest> requests_;
};

}  // namespace pgveil::session
