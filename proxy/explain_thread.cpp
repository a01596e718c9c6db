#include "proxy/explain_thread.hpp"

#include "proxy/admin/console_show.hpp"
#include "proxy/explain.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace pgveil::proxy {

namespace {

constexpr std::size_t kWaitingMax = 10;

struct Job {
    session::ControlRequest request;
    session::SnapshotPtr snapshot;
};

admin::Answer answer_to(const Job& job) {
    const auto& command = std::get<admin::Explain>(job.request.command);
    ExplainRequest request;
    request.sql = command.sql;
    request.database = command.database;
    const auto explained = explain_running(job.snapshot->settings, job.snapshot->policy, request);
    if (!explained.has_value()) {
        return admin::failed(admin::CommandError("08006", explained.error().message));
    }
    admin::Answer answer;
    answer.table = admin::explain_table(explained->text);
    return answer;
}

admin::Answer answer_safely(const Job& job) {
    try {
        return answer_to(job);
    } catch (const std::exception& failure) {
        return admin::failed(admin::CommandError("XX000", failure.what()));
    }
}

}  // namespace

struct ExplainThread::Queue {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Job> jobs;
    bool stopping = false;

    /// Nothing: the thread ends.
    std::optional<Job> next() {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return stopping || !jobs.empty(); });
        if (stopping) {
            return std::nullopt;
        }
        Job job = std::move(jobs.front());
        jobs.pop_front();
        return job;
    }
};

ExplainThread::ExplainThread() : queue_(std::make_shared<Queue>()) {
    // Detached: it may hang in a look-up when the proxy ends. It holds all that it uses.
    std::thread([queue = queue_] {
        while (auto job = queue->next()) {
            job->request.reply(answer_safely(*job));
        }
    }).detach();
}

ExplainThread::~ExplainThread() {
    const std::lock_guard lock(queue_->mutex);
    queue_->stopping = true;
    queue_->changed.notify_all();
}

void ExplainThread::post(session::ControlRequest request, session::SnapshotPtr snapshot) {
    {
        const std::lock_guard lock(queue_->mutex);
        if (queue_->jobs.size() < kWaitingMax) {
            queue_->jobs.push_back({std::move(request), std::move(snapshot)});
            queue_->changed.notify_all();
            return;
        }
    }
    request.reply(admin::failed(admin::CommandError(
        "53000", "too many EXPLAIN VEIL wait already: the database may not answer"
    )));
}

}  // namespace pgveil::proxy
