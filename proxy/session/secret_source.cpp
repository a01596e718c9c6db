#include "proxy/session/secret_source.hpp"

#include "net/timer.hpp"
#include "proxy/log/log.hpp"

#include <boost/system/system_error.hpp>

#include <utility>

namespace pgveil::session {

namespace {

/// So many users are kept; beyond, all are asked for anew.
constexpr std::size_t kEntriesMax = 10000;

/// NAMEDATALEN - 1 of PostgreSQL.
constexpr std::size_t kNameBytesMax = 63;

/// What the asking coroutine and the source share. The source touches it only through work that it
/// posts to the loop, so there is no lock; `waiter` is null once the coroutine has given up.
struct Question {
    net::Waiter* waiter = nullptr;
    std::optional<SecretSource::Answer> answer;
};

LoginError unanswered(const std::string& reason) {
    log::error("auth_query: {reason}", {{"reason", reason}});
    return refuse("08006", "the proxy could not look up the secret of this user");
}

void put(
    SecretSource& source,
    const std::shared_ptr<Question>& question,
    std::shared_ptr<const config::Settings> settings,
    std::string user,
    const net::Remote& remote
) {
    source
        .ask(std::move(settings), std::move(user), [question, remote](SecretSource::Answer answer) {
            remote.post([question, answer = std::move(answer)] {
                question->answer = answer;
                if (question->waiter != nullptr) {
                    question->waiter->wake();
                }
            });
        });
}

/// Until the answer is there or the time is over.
net::Awaitable<void> wait_for(net::Loop& loop, Question& question, net::Duration timeout) {
    if (question.answer) {
        co_return;
    }
    net::Waiter waiter(loop);
    net::Timer timer(loop, [&waiter] { waiter.wake(); });
    timer.set(timeout);
    question.waiter = &waiter;
    std::optional<net::error_code> failure;
    try {
        co_await waiter.wait();
    } catch (const boost::system::system_error& ended) {
        failure = ended.code();
    }
    question.waiter = nullptr;
    if (failure) {
        throw boost::system::system_error(*failure);
    }
}

}  // namespace

std::optional<FoundVerifier> SecretCache::find(
    const std::string& user, std::chrono::milliseconds lifetime, Clock::time_point now
) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(user);
    if (found == entries_.end() || found->second.since + lifetime <= now) {
        return std::nullopt;
    }
    return found->second.verifier;
}

void SecretCache::keep(const std::string& user, FoundVerifier verifier, Clock::time_point now) {
    if (user.size() > kNameBytesMax) {
        return;  // no role has such a name
    }
    const std::lock_guard lock(mutex_);
    if (entries_.size() >= kEntriesMax) {
        entries_.clear();
    }
    entries_.insert_or_assign(user, Entry{std::move(verifier), now});
}

void SecretCache::forget(const std::string& user) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(user);
    if (found != entries_.end() && found->second.verifier != nullptr) {
        entries_.erase(found);
    }
}

void SecretCache::forget_all() {
    const std::lock_guard lock(mutex_);
    entries_.clear();
}

net::Awaitable<Result<FoundVerifier>> find_secret(
    net::Loop& loop,
    SecretSource& source,
    SecretCache& cache,
    std::shared_ptr<const config::Settings> settings,
    std::string user
) {
    const std::chrono::milliseconds lifetime(settings->auth_query.cache_ms);
    if (auto known = cache.find(user, lifetime, SecretCache::Clock::now())) {
        co_return *std::move(known);
    }
    const auto question = std::make_shared<Question>();
    const net::Duration timeout(settings->limits.login_timeout_ms);
    put(source, question, std::move(settings), user, loop.remote());
    co_await wait_for(loop, *question, timeout);
    if (!question->answer) {
        co_return unanswered("the database did not answer in time");
    }
    if (!question->answer->has_value()) {
        co_return unanswered(question->answer->error());
    }
    FoundVerifier verifier = **question->answer;
    cache.keep(user, verifier, SecretCache::Clock::now());
    co_return Result<FoundVerifier>(std::move(verifier));
}

}  // namespace pgveil::session
