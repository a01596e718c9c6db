#pragma once

#include "net/loop.hpp"

#include <boost/intrusive/set_hook.hpp>

#include <functional>

namespace pgveil::net {

/// A coarse one-shot deadline. Setting and clearing cost no system call: the nearest deadline
/// becomes the timeout of the loop's next wait. The callback runs from the loop; it may destroy the
/// timer.
class Timer : public boost::intrusive::set_base_hook<
                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    Timer(Loop& loop, std::function<void()> callback);
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    Timer(Timer&&) = delete;
    Timer& operator=(Timer&&) = delete;
    ~Timer() = default;

    void set(Duration from_now);  ///< replaces an earlier setting
    void clear() noexcept;

    bool is_set() const noexcept { return is_linked(); }

    Clock::time_point deadline() const noexcept { return deadline_; }

    friend bool operator<(const Timer& left, const Timer& right) noexcept {
        return left.deadline_ < right.deadline_;
    }

private:
    friend class Loop;
    Loop* loop_;
    std::function<void()> callback_;
    Clock::time_point deadline_{};
};

}  // namespace pgveil::net
