#include "keyshare/core/arena.hpp"
#include "test/keyshare/store/world.hpp"

#include <benchmark/benchmark.h>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

// The key work of one request: token and shares are checked, TK is put together, key check and "0"
// are checked, a DEK is unwrapped, the keys of two columns are derived, and everything is wiped.

namespace pgveil::store::test {
namespace {

/// A proxy whose users have one key group, and what the session of one of them presents.
class Stage final : public World {
public:
    Stage(TokenOpening opening, int other_users) {
        opening_ = opening;
        World::SetUp();
        add_others(other_users);
        const Holdings nurse = make_user("nurse", 1, {"default"});
        app_ = app_text(nurse);
        static_cast<void>(custody_->add_user("nurse", &app_, nurse.command, kNow));
        token_ = token(nurse);
    }

    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;
    Stage(Stage&&) = delete;
    Stage& operator=(Stage&&) = delete;

    ~Stage() override { World::TearDown(); }

    void TestBody() override {}

    /// One request. False if it got no keys.
    bool serve() {
        auto keys = rebuild({"nurse", &token_, &app_}, slot_);
        return keys.has_value() &&
               keys->column_key({"default", "public.patients.ssn", "equality", "siv", 64})
                   .has_value() &&
               keys->column_key({"default", "public.patients.name", "randomized", "xaes", 32})
                   .has_value();
    }

private:
    void add_others(int count) {
        std::vector<std::string> commands;
        for (int number = 0; number < count; ++number) {
            commands.push_back(make_user("user" + std::to_string(number), 1, {"default"}).command);
            if (commands.size() == share::kCommandsMax || number == count - 1) {
                static_cast<void>(custody_->apply(share::join_commands(commands), kNow));
                commands.clear();
            }
        }
    }

    core::SecretBytes token_, app_;
    OpenedTokens::Slot slot_;
};

void key_work(benchmark::State& state, TokenOpening opening, int other_users) {
    Stage stage(opening, other_users);
    if (!stage.serve()) {
        state.SkipWithError("the request got no keys: there is nothing to measure");
    }
    for ([[maybe_unused]] auto round : state) {
        benchmark::DoNotOptimize(stage.serve());
    }
}

using enum TokenOpening;
BENCHMARK_CAPTURE(key_work, per_request, kPerRequest, 0)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(key_work, per_token, kPerToken, 0)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(key_work, per_request_of_many, kPerRequest, 9999)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(key_work, per_token_of_many, kPerToken, 9999)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace pgveil::store::test

// In an arena, as in the proxy.
int main(int argc, char** argv) {
    using pgveil::core::ArenaMode;
    const auto report = pgveil::core::install_arena({.mode = ArenaMode::kUnlocked});
    if (!report.has_value()) {
        std::cerr << report.error().message << '\n';
        return EXIT_FAILURE;
    }
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return EXIT_SUCCESS;
}
