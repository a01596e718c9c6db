#include "proxy/mirror/secret_query.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

namespace pgveil::mirror {

namespace {

constexpr std::chrono::seconds kEndingTime{1};

struct Question {
    std::shared_ptr<const config::Settings> settings;
    std::string user;
    SecretQuery::Done done;
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();

    std::chrono::milliseconds patience() const {
        return std::chrono::milliseconds(settings->limits.login_timeout_ms);
    }

    /// Whoever asked is told so by now: those behind come sooner.
    bool is_given_up() const { return std::chrono::steady_clock::now() - since > patience(); }
};

}  // namespace

/// What the thread and its owner share.
class SecretQuery::Asker {
public:
    void add(Question question) {
        const std::lock_guard lock(mutex_);
        questions_.push_back(std::move(question));
        changed_.notify_all();
    }

    void run() {
        while (auto question = next()) {
            question->done(
                question->is_given_up() ? Answer(Error{"the database did not answer in time"})
                                        : answer(*question)
            );
        }
        database_.reset();
        const std::lock_guard lock(mutex_);
        has_ended_ = true;
        changed_.notify_all();
    }

    void end() {
        std::unique_lock lock(mutex_);
        is_ending_ = true;
        changed_.notify_all();
        changed_.wait_for(lock, kEndingTime, [this] { return has_ended_; });
    }

private:
    std::optional<Question> next();
    Answer answer(const Question& question);
    Answer answer_once(const Question& question);
    Result<void> connect(const config::Settings& settings);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Question> questions_;
    bool is_ending_ = false;
    bool has_ended_ = false;
    // Of the thread.
    std::shared_ptr<const config::Settings> connected_with_;
    std::optional<Database> database_;
};

std::optional<Question> SecretQuery::Asker::next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_ending_ || !questions_.empty(); });
    if (is_ending_) {
        return std::nullopt;
    }
    Question question = std::move(questions_.front());
    questions_.pop_front();
    return question;
}

/// A connection that was kept may be gone: the server was restarted, or has failed over.
SecretQuery::Answer SecretQuery::Asker::answer(const Question& question) {
    const bool was_kept = database_.has_value() && connected_with_ == question.settings;
    try {
        Answer result = answer_once(question);
        if (!result.has_value() && was_kept) {
            result = answer_once(question);
        }
        return result;
    } catch (const std::bad_alloc&) {
        return Error{"out of memory for secrets"};
    }
}

SecretQuery::Answer SecretQuery::Asker::answer_once(const Question& question) {
    if (!database_ || connected_with_ != question.settings) {
        const auto connected = connect(*question.settings);
        if (!connected.has_value()) {
            return connected.error();
        }
        connected_with_ = question.settings;
    }
    auto found = database_->ask_secret(
        question.settings->auth_query.query, question.user, question.patience()
    );
    if (!found.has_value()) {
        database_.reset();
    }
    return found;
}

Result<void> SecretQuery::Asker::connect(const config::Settings& settings) {
    database_.reset();
    const config::AuthQuerySettings& asking = settings.auth_query;
    const Login login{asking.database, asking.user, asking.password_file};
    auto connected = Database::connect_as(settings, login);
    if (!connected.has_value()) {
        return connected.error();
    }
    database_.emplace(std::move(*connected));
    return {};
}

/// Detached: a database that hangs must not keep the process from ending. The thread holds all that
/// it uses.
SecretQuery::SecretQuery() : asker_(std::make_shared<Asker>()) {
    std::thread([asker = asker_] { asker->run(); }).detach();
}

SecretQuery::~SecretQuery() {
    asker_->end();
}

void SecretQuery::ask(
    std::shared_ptr<const config::Settings> settings, std::string user, Done done
) {
    Question question;
    question.settings = std::move(settings);
    question.user = std::move(user);
    question.done = std::move(done);
    asker_->add(std::move(question));
}

}  // namespace pgveil::mirror
