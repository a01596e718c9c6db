#include "keyshare/custody/asker.hpp"
#include "test/keyshare/quorum/ceremony.hpp"

#include <benchmark/benchmark.h>
#include <cstdlib>
#include <string>
#include <utility>

// What asking real custodians takes, over HTTPS. CUSTODY_BENCH_ASKERS and CUSTODY_BENCH_GROUP name
// the files that --custodians and --group take; the group's policy allows the purpose "open".

namespace pgveil::custody {
namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
    return value == nullptr ? "" : value;
}

Result<Asker> new_asker() {
    auto settings = load_asker_settings(variable("CUSTODY_BENCH_ASKERS"));
    if (!settings.has_value()) {
        return settings.error();
    }
    auto group = load_group(variable("CUSTODY_BENCH_GROUP"));
    if (!group.has_value()) {
        return group.error();
    }
    return Asker::make(*std::move(settings), *std::move(group));
}

bool is_recovered(Asker& asker, benchmark::State& state) {
    const auto sealed = quorum::testing::seal_to(asker.pinned().group);
    const Question question{sealed.point, "open"};
    const auto answer = asker.ask_blinded(question);
    if (!answer.has_value()) {
        state.SkipWithError(answer.error().message.c_str());
        return false;
    }
    return true;
}

// A program that starts, as pgveil-envelope and a proxy do: connections and all.
void recover_afresh(benchmark::State& state) {
    for ([[maybe_unused]] auto round : state) {
        auto asker = new_asker();
        if (!asker.has_value()) {
            state.SkipWithError(asker.error().message.c_str());
            return;
        }
        if (!is_recovered(*asker, state)) {
            return;
        }
    }
}

// One that has asked before.
void recover_again(benchmark::State& state) {
    auto asker = new_asker();
    if (!asker.has_value() || !is_recovered(*asker, state)) {
        state.SkipWithError("the custodians do not answer: there is nothing to measure");
        return;
    }
    for ([[maybe_unused]] auto round : state) {
        if (!is_recovered(*asker, state)) {
            return;
        }
    }
}

BENCHMARK(recover_afresh)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(recover_again)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace pgveil::custody

BENCHMARK_MAIN();
