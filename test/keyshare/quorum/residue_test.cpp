#include "keyshare/core/arena.hpp"
#include "keyshare/quorum/curve.hpp"
#include "test/keyshare/core/memory_scan.hpp"
#include "test/keyshare/core/subprocess.hpp"
#include "test/keyshare/quorum/ceremony.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

// Shares, member keys and results in memory: in the arena while they live, nowhere afterwards.

namespace pgveil::quorum {
namespace {

using core::testing::Hits;
using core::testing::Needle;

#if defined(__SANITIZE_THREAD__)
constexpr bool kScanIsTooSlow = true;
#else
constexpr bool kScanIsTooSlow = false;
#endif

void watch(std::vector<Needle>& needles, core::ByteView secret) {
    for (const Needle& needle : core::testing::needles_of_key(secret)) {
        needles.push_back(needle);
    }
}

std::string told(const Hits& alive, const Hits& dead) {
    std::string said;
    if (alive.in_arena + alive.elsewhere == 0) {
        said += "the scan is blind; ";
    }
    if (alive.elsewhere != 0) {
        said += std::to_string(alive.elsewhere) + " copies outside the arena; ";
    }
    if (dead.in_arena + dead.elsewhere != 0) {
        said += std::to_string(dead.in_arena) + " in the arena and " +
                std::to_string(dead.elsewhere) + " elsewhere after death; ";
    }
    return said;
}

// A key is made, used, refreshed and recovered; everything dies.
std::string life_of_a_group() {
    std::vector<Needle> needles;
    Hits alive;
    {
        testing::Ceremony run({2, 3});
        run.run();
        watch(needles, run.key(1).scalar().reveal());
        watch(needles, run.shares[0].scalar.reveal());
        const auto sealed = testing::seal_to(run.group);
        const OpenRequest asked = *ask(run.group, sealed.point, "a", "b");
        std::vector<Answer> answers;
        for (const std::uint32_t index : {1U, 3U}) {
            const auto bytes =
                answer(run.group, run.shares[index - 1], run.key(index), asked.request);
            answers.push_back(*open_answer(run.group, asked, index, *bytes));
        }
        watch(needles, answers.front().partial.value.reveal());
        const auto combined = combine(run.group, asked.request, answers);
        watch(needles, x_of(*combined).reveal());
        testing::Change change(run.group, {2, 3});
        change.deal(run.keys, run.shares).accept_all();
        watch(needles, change.shares[0].scalar.reveal());
        const auto recovered =
            recover(run.key(2), run.certificate, *sealed_shares_of(run.setup, run.dealings, 2));
        alive = core::testing::scan(needles);
    }
    return told(alive, core::testing::scan(needles));
}

TEST(QuorumResidue, OfSharesMemberKeysPartialsAndResults) {
    if (kScanIsTooSlow) {
        GTEST_SKIP() << "not under ThreadSanitizer";
    }
    const auto body = []() -> std::string {
        const auto report = core::install_arena({.mode = core::ArenaMode::kMlock});
        return report.has_value() ? life_of_a_group() : report.error().message;
    };
    EXPECT_EQ(core::testing::in_child(body), "");
}

}  // namespace
}  // namespace pgveil::quorum
