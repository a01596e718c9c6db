#include "proxy/session/secret_source.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace pgveil::session {
namespace {

using std::chrono::milliseconds;

FoundVerifier some_verifier() {
    const core::Bytes salt(16, 1);
    return std::make_shared<const ScramVerifier>(
        std::move(*verifier_of_password(core::as_bytes("pencil"), salt, 4096))
    );
}

TEST(SecretCache, KeepsAnswersForAWhileUnknownUsersIncluded) {
    SecretCache cache;
    const auto now = SecretCache::Clock::now();
    const FoundVerifier verifier = some_verifier();
    cache.keep("nurse", verifier, now);
    cache.keep("ghost", nullptr, now);
    EXPECT_EQ(cache.find("nurse", milliseconds(10), now), verifier);
    ASSERT_TRUE(cache.find("ghost", milliseconds(10), now).has_value());
    EXPECT_EQ(*cache.find("ghost", milliseconds(10), now), nullptr);
    EXPECT_FALSE(cache.find("clerk", milliseconds(10), now).has_value());
    EXPECT_FALSE(cache.find("nurse", milliseconds(10), now + milliseconds(10)).has_value());
    EXPECT_FALSE(cache.find("nurse", milliseconds(0), now).has_value()) << "0 keeps nothing";
}

TEST(SecretCache, ForgetsWhoCameWithAnotherPassword) {
    SecretCache cache;
    const auto now = SecretCache::Clock::now();
    cache.keep("nurse", some_verifier(), now);
    cache.forget("nurse");
    EXPECT_FALSE(cache.find("nurse", milliseconds(10), now).has_value());
    cache.keep("nurse", some_verifier(), now);
    cache.forget_all();
    EXPECT_FALSE(cache.find("nurse", milliseconds(10), now).has_value());
}

TEST(SecretCache, GoesOnKnowingThatThereIsNoSuchUser) {
    SecretCache cache;
    const auto now = SecretCache::Clock::now();
    cache.keep("ghost", nullptr, now);
    cache.forget("ghost");
    EXPECT_TRUE(cache.find("ghost", milliseconds(10), now).has_value());
    cache.keep(std::string(64, 'g'), nullptr, now);
    EXPECT_FALSE(cache.find(std::string(64, 'g'), milliseconds(10), now).has_value());
}

TEST(SecretCache, IsBounded) {
    SecretCache cache;
    const auto now = SecretCache::Clock::now();
    for (int count = 0; count < 10001; ++count) {
        cache.keep("user" + std::to_string(count), nullptr, now);
    }
    EXPECT_FALSE(cache.find("user0", milliseconds(10), now).has_value());
    EXPECT_TRUE(cache.find("user10000", milliseconds(10), now).has_value());
}

/// Answers from a thread of its own, as the real one does.
class FixedSource final : public SecretSource {
public:
    explicit FixedSource(std::optional<Answer> answer) : answer_(std::move(answer)) {}

    ~FixedSource() override {
        for (std::thread& each : threads_) {
            each.join();
        }
    }

    FixedSource(const FixedSource&) = delete;
    FixedSource& operator=(const FixedSource&) = delete;
    FixedSource(FixedSource&&) = delete;
    FixedSource& operator=(FixedSource&&) = delete;

    void ask(std::shared_ptr<const config::Settings>, std::string, Done done) override {
        ++asked;
        if (answer_) {
            threads_.emplace_back([answer = *answer_, done = std::move(done)] { done(answer); });
        }
    }

    int asked = 0;

private:
    std::optional<Answer> answer_;
    std::vector<std::thread> threads_;
};

Result<FoundVerifier> ask(SecretSource& source, SecretCache& cache) {
    auto settings = std::make_shared<config::Settings>();
    settings->limits.login_timeout_ms = 200;
    net::Loop loop;
    Result<FoundVerifier> found(silence("not asked"));
    loop.spawn(
        [](net::Loop& on,
           SecretSource& from,
           SecretCache& kept,
           std::shared_ptr<const config::Settings> rules,
           Result<FoundVerifier>& out) -> net::Awaitable<void> {
            out = co_await find_secret(on, from, kept, std::move(rules), "nurse");
            on.stop();
        }(loop, source, cache, settings, found)
    );
    loop.run();
    return found;
}

TEST(FindSecret, AsksOnceWhileTheAnswerIsFresh) {
    const FoundVerifier verifier = some_verifier();
    FixedSource source{SecretSource::Answer(verifier)};
    SecretCache cache;
    for (int count = 0; count < 2; ++count) {
        const auto found = ask(source, cache);
        ASSERT_TRUE(found.has_value()) << found.error().summary();
        EXPECT_EQ(*found, verifier);
    }
    EXPECT_EQ(source.asked, 1);
}

TEST(FindSecret, FailsWhereTheDatabaseCannotBeAsked) {
    FixedSource source{SecretSource::Answer(std::string("connection refused"))};
    SecretCache cache;
    const auto found = ask(source, cache);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().sqlstate, "08006");
    EXPECT_EQ(found.error().summary().find("connection refused"), std::string::npos)
        << "the reason is for the log";
}

TEST(FindSecret, FailsWhereTheDatabaseDoesNotAnswer) {
    FixedSource source{std::nullopt};
    SecretCache cache;
    const auto found = ask(source, cache);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().sqlstate, "08006");
}

}  // namespace
}  // namespace pgveil::session
