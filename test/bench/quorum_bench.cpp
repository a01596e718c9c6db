#include "test/keyshare/quorum/ceremony.hpp"

#include <benchmark/benchmark.h>
#include <utility>
#include <vector>

// What a member and an asker of a threshold group compute, and a whole key generation on one core.

namespace pgveil::quorum::testing {
namespace {

Ceremony done(Size size) {
    Ceremony run(size);
    run.run();
    return run;
}

// A group of 3 of 5 with one question.
struct Stage {
    Ceremony run = done({3, 5});
    Sealed sealed = seal_to(run.group);
    OpenRequest asked = *ask(run.group, sealed.point, "bench", "measure");
};

void partial_with_proof(benchmark::State& state) {
    const Stage stage;
    for ([[maybe_unused]] auto round : state) {
        benchmark::DoNotOptimize(
            make_partial(stage.run.group, stage.run.shares[0], stage.sealed.point, {})
        );
    }
}

void verify_partial(benchmark::State& state) {
    const Stage stage;
    const auto partial =
        *make_partial(stage.run.group, stage.run.shares[4], stage.sealed.point, {});
    for ([[maybe_unused]] auto round : state) {
        if (!partial_holds(stage.run.group, stage.sealed.point, {}, partial)) {
            state.SkipWithError("the partial does not hold: there is nothing to measure");
        }
    }
}

// Proof, seal and signature: all a member does for one request.
void answer_request(benchmark::State& state) {
    const Stage stage;
    for ([[maybe_unused]] auto round : state) {
        benchmark::DoNotOptimize(
            answer(stage.run.group, stage.run.shares[0], stage.run.key(1), stage.asked.request)
        );
    }
}

// Three answers opened, checked and combined.
void recover_three_of_five(benchmark::State& state) {
    const Stage stage;
    std::vector<core::Bytes> sealed;
    for (std::uint32_t index = 1; index <= 3; ++index) {
        sealed.push_back(*answer(
            stage.run.group, stage.run.shares[index - 1], stage.run.key(index), stage.asked.request
        ));
    }
    for ([[maybe_unused]] auto round : state) {
        std::vector<Answer> answers;
        for (std::uint32_t index = 1; index <= 3; ++index) {
            answers.push_back(*open_answer(stage.run.group, stage.asked, index, sealed[index - 1]));
        }
        if (!combine(stage.run.group, stage.asked.request, answers).has_value()) {
            state.SkipWithError("the answers do not combine: there is nothing to measure");
        }
    }
}

// All five members' work, one after the other.
void generate_key_of_five(benchmark::State& state) {
    for ([[maybe_unused]] auto round : state) {
        benchmark::DoNotOptimize(done({3, 5}));
    }
}

void refresh_of_five(benchmark::State& state) {
    const Ceremony run = done({3, 5});
    for ([[maybe_unused]] auto round : state) {
        Change change(run.group, {3, 5});
        change.deal(run.keys, run.shares).accept_all();
    }
}

BENCHMARK(partial_with_proof)->Unit(benchmark::kMicrosecond);
BENCHMARK(verify_partial)->Unit(benchmark::kMicrosecond);
BENCHMARK(answer_request)->Unit(benchmark::kMicrosecond);
BENCHMARK(recover_three_of_five)->Unit(benchmark::kMicrosecond);
BENCHMARK(generate_key_of_five)->Unit(benchmark::kMillisecond);
BENCHMARK(refresh_of_five)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pgveil::quorum::testing

BENCHMARK_MAIN();
