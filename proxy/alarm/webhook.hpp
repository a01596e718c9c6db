#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace pgveil::alarm {

/// Sends texts by POST to one URL, in their order, from a thread of its own: the only includer of
/// libcurl. A text that is not taken within five seconds is given up; so is one beyond a hundred
/// that wait. Any thread may send.
class Webhook {
public:
    /// @param url http or https; certificates are checked against the system's
    /// @param report called by the thread with why a text was given up
    Webhook(std::string url, std::function<void(std::string_view reason)> report);
    Webhook(const Webhook&) = delete;
    Webhook& operator=(const Webhook&) = delete;
    Webhook(Webhook&&) = delete;
    Webhook& operator=(Webhook&&) = delete;
    /// Waits for the text that is on its way; what waits behind it is given up.
    ~Webhook();

    /// @param json the body; its Content-Type is application/json
    void send(std::string json);

private:
    void run();
    std::string post(const std::string& json) const;

    const std::string url_;
    const std::function<void(std::string_view reason)> report_;
    std::mutex mutex_;  ///< of the two below
    std::deque<std::string> waiting_;
    bool is_ending_ = false;
    std::condition_variable changed_;
    std::thread thread_;
};

}  // namespace pgveil::alarm
