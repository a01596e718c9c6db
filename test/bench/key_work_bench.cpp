#include "keyshare/core/arena.hpp"
#include "test/keyshare/store/world.hpp"

#include <benchmark/benchmark.h>
#include <cstdlib>
#include <iostream>

// The key work of one request: token and shares are checked, TK is put together, key check and "0"
// are checked, a DEK is unwrapped, the keys of two columns are derived, and everything is wiped.

namespace pgveil::store::test {
namespace {

/// A proxy with one user of one key group, and what the user's session presents.
class Stage final : public World {
public:
    explicit Stage(TokenOpening opening) {
        opening_ = opening;
        World::SetUp();
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
    core::SecretBytes token_, app_;
    OpenedTokens::Slot slot_;
};

void key_work(benchmark::State& state, TokenOpening opening) {
    Stage stage(opening);
    if (!stage.serve()) {
        state.SkipWithError("the request got no keys: there is nothing to measure");
    }
    for ([[maybe_unused]] auto round : state) {
        benchmark::DoNotOptimize(stage.serve());
    }
}

BENCHMARK_CAPTURE(key_work, per_request, TokenOpening::kPerRequest)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(key_work, per_token, TokenOpening::kPerToken)->Unit(benchmark::kMicrosecond);

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
