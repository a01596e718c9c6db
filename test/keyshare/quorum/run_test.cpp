#include "keyshare/quorum/generation_run.hpp"
#include "keyshare/quorum/reshare_run.hpp"
#include "test/keyshare/quorum/ceremony.hpp"

#include <gtest/gtest.h>

#include <type_traits>
#include <utility>
#include <vector>

// Members that are killed at any step go on from what they stored.

namespace pgveil::quorum {
namespace {

using core::Bytes;
using testing::Ceremony;
using testing::Change;

// A member as a program holds it: the state in memory, and the last one on its disk.
template <class Run>
class Process {
public:
    explicit Process(Run started) : state_(std::move(started)), disk_(serialize(state_)) {}

    Run& state() { return state_; }

    void store() { disk_ = serialize(state_); }

    void kill() { state_ = *resumed(); }

    const Bytes& disk() const { return disk_; }

private:
    Result<Run> resumed() const {
        if constexpr (std::is_same_v<Run, GenerationRun>) {
            return parse_generation_run(disk_);
        } else {
            return parse_reshare_run(disk_);
        }
    }

    Run state_;
    Bytes disk_;
};

std::vector<Process<GenerationRun>> started(const Ceremony& run) {
    std::vector<Process<GenerationRun>> out;
    for (const MemberKey& key : run.keys) {
        out.emplace_back(*GenerationRun::start(run.setup, key));
    }
    return out;
}

// One round: everybody sends what it stored, everybody takes it. `killed` dies before (0), between
// taking and storing (1), or after storing (2).
void one_round(
    const Ceremony& run, std::vector<Process<GenerationRun>>& members, std::size_t killed, int when
) {
    const Round round = members[0].state().round();
    std::vector<Bytes> sent;
    for (auto& member : members) {
        sent.push_back(core::to_bytes(member.state().outgoing()));
    }
    for (std::size_t i = 0; i < members.size(); ++i) {
        const auto take_all = [&] {
            for (std::uint32_t from = 1; from <= sent.size(); ++from) {
                if (from != i + 1) {
                    EXPECT_TRUE(members[i].state().receive(round, from, sent[from - 1]).has_value()
                    );
                }
            }
            EXPECT_TRUE(*members[i].state().advance(run.keys[i]));
        };
        if (i == killed && when == 0) {
            members[i].kill();
            EXPECT_EQ(core::to_bytes(members[i].state().outgoing()), sent[i]) << "the same again";
        }
        take_all();
        if (i == killed && when == 1) {
            members[i].kill();
            EXPECT_EQ(members[i].state().round(), round);
            take_all();
        }
        members[i].store();
        if (i == killed && when == 2) {
            members[i].kill();
        }
    }
}

TEST(RunTest, AGenerationSurvivesAKillAtEveryStepOfEveryMember) {
    for (std::size_t killed = 0; killed < 3; ++killed) {
        for (int when = 0; when < 3; ++when) {
            const Ceremony run({2, 3});
            auto members = started(run);
            for (int round = 0; round < 3; ++round) {
                one_round(run, members, killed, when);
            }
            std::vector<KeyShare> shares;
            for (std::size_t i = 0; i < members.size(); ++i) {
                ASSERT_EQ(members[i].state().round(), Round::kDone);
                EXPECT_EQ(members[i].state().certificate(), members[0].state().certificate());
                shares.push_back(*members[i].state().share(run.keys[i]));
            }
            const auto group = group_of(members[0].state().certificate());
            EXPECT_TRUE(testing::opens(*group, shares, {3, 1}));
        }
    }
}

TEST(RunTest, NoDealingLeavesBeforeAllPledgesAreHere) {
    const Ceremony run({2, 3});
    auto members = started(run);
    GenerationRun& one = members[0].state();
    const Bytes pledge = core::to_bytes(one.outgoing());
    EXPECT_EQ(one.awaited(), (std::vector<std::uint32_t>{2, 3}));
    ASSERT_TRUE(one.receive(Round::kPledge, 2, members[1].state().outgoing()).has_value());
    EXPECT_FALSE(*one.advance(run.keys[0]));
    EXPECT_EQ(core::to_bytes(one.outgoing()), pledge);
    ASSERT_TRUE(one.receive(Round::kPledge, 3, members[2].state().outgoing()).has_value());
    EXPECT_TRUE(*one.advance(run.keys[0]));
    EXPECT_NE(core::to_bytes(one.outgoing()), pledge);
}

TEST(RunTest, TwoDifferentMessagesOfOneMemberNameIt) {
    const Ceremony run({2, 3});
    auto members = started(run);
    GenerationRun& one = members[0].state();
    const Bytes pledge = core::to_bytes(members[1].state().outgoing());
    EXPECT_TRUE(one.receive(Round::kPledge, 2, pledge).has_value());
    EXPECT_TRUE(one.receive(Round::kPledge, 2, pledge).has_value()) << "the same again is nothing";
    const auto other = GenerationRun::start(run.setup, run.keys[1]);
    const auto refused = one.receive(Round::kPledge, 2, other->outgoing());
    EXPECT_EQ(refused.error().code, ErrorCode::kCheating);
    EXPECT_EQ(refused.error().participants, std::vector<std::uint32_t>{2});
    const Bytes longer(pledge.size() + 1);
    EXPECT_EQ(
        one.receive(Round::kPledge, 3, longer).error().participants, std::vector<std::uint32_t>{3}
    );
    EXPECT_EQ(one.receive(Round::kPledge, 1, pledge).error().code, ErrorCode::kForeign);
    EXPECT_EQ(one.receive(Round::kPledge, 4, pledge).error().code, ErrorCode::kForeign);
    EXPECT_EQ(one.receive(Round::kDone, 2, pledge).error().code, ErrorCode::kForeign);
}

// Until the last signature there is no new group, and the old one goes on; afterwards everybody can
// have it, whoever was away.
TEST(RunTest, AReshareSurvivesAKillAtEveryStepAndNeverHalves) {
    Ceremony run({2, 3});
    run.run();
    for (std::size_t killed = 0; killed < 3; ++killed) {
        Change change(run.group, {2, 3});
        change.deal(run.keys, run.shares);
        std::vector<Process<ReshareRun>> members;
        for (const MemberKey& key : change.keys) {
            members.emplace_back(*ReshareRun::start(change.setup, key));
        }
        for (std::size_t i = 0; i < 3; ++i) {
            ASSERT_TRUE(members[i].state().accept(change.keys[i], change.dealings).has_value());
            if (i == killed) {
                members[i].kill();  // before it stored: it has sent nothing, and accepts again
                EXPECT_FALSE(members[i].state().has_accepted());
                ASSERT_TRUE(members[i].state().accept(change.keys[i], change.dealings).has_value());
            }
            members[i].store();
        }
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_FALSE(*members[i].state().finish());
            EXPECT_TRUE(testing::opens(run.group, run.shares, {1, 2}));
            for (std::uint32_t from = 1; from <= 3; ++from) {
                if (from != i + 1) {
                    const Bytes signature = core::to_bytes(members[from - 1].state().signature());
                    EXPECT_TRUE(members[i].state().receive(from, signature).has_value());
                }
            }
            ASSERT_TRUE(*members[i].state().finish());
            members[i].store();
            members[i].kill();
            EXPECT_TRUE(members[i].state().is_done());
        }
        std::vector<KeyShare> shares;
        for (std::size_t i = 0; i < 3; ++i) {
            shares.push_back(*members[i].state().share(change.keys[i]));
            EXPECT_EQ(members[i].state().group(), members[0].state().group());
        }
        EXPECT_TRUE(testing::opens(members[0].state().group(), shares, {1, 3}));
    }
}

TEST(RunTest, WhoSignedOneReshareSignsNoOther) {
    Ceremony run({2, 3});
    run.run();
    Change change(run.group, {2, 3});
    change.deal(run.keys, run.shares);
    auto member = *ReshareRun::start(change.setup, change.keys[0]);
    const std::vector<Bytes> two{change.dealings[0], change.dealings[1]};
    ASSERT_TRUE(member.accept(change.keys[0], two).has_value());
    const Bytes signature = core::to_bytes(member.signature());
    EXPECT_TRUE(member.accept(change.keys[0], two).has_value());
    EXPECT_EQ(member.accept(change.keys[0], change.dealings).error().code, ErrorCode::kCheating);
    EXPECT_EQ(core::to_bytes(member.signature()), signature);
}

TEST(RunTest, AForgedSignatureIsDroppedAndTheRightOneTaken) {
    Ceremony run({2, 3});
    run.run();
    Change change(run.group, {2, 3});
    change.deal(run.keys, run.shares).accept_all();
    auto member = *ReshareRun::start(change.setup, change.keys[0]);
    ASSERT_TRUE(member.accept(change.keys[0], change.dealings).has_value());
    ASSERT_TRUE(member.receive(2, change.signatures[2]).has_value());
    ASSERT_TRUE(member.receive(3, change.signatures[2]).has_value());
    EXPECT_EQ(member.finish().error().participants, std::vector<std::uint32_t>{2});
    EXPECT_EQ(member.awaited(), std::vector<std::uint32_t>{2});
    ASSERT_TRUE(member.receive(2, change.signatures[1]).has_value());
    EXPECT_TRUE(*member.finish());
}

TEST(RunTest, StatesAreStrict) {
    Ceremony run({2, 3});
    run.run();
    Change change(run.group, {2, 3});
    change.deal(run.keys, run.shares);
    auto reshare = *ReshareRun::start(change.setup, change.keys[0]);
    ASSERT_TRUE(reshare.accept(change.keys[0], change.dealings).has_value());
    const Bytes one = serialize(started(run).front().state());
    const Bytes two = serialize(reshare);
    EXPECT_EQ(serialize(*parse_generation_run(one)), one);
    EXPECT_EQ(serialize(*parse_reshare_run(two)), two);
    for (std::size_t size = 0; size < two.size(); size += 11) {
        EXPECT_TRUE(parse_generation_run(core::ByteView(one).first(size % one.size())).has_error());
        EXPECT_TRUE(parse_reshare_run(core::ByteView(two).first(size)).has_error());
    }
    EXPECT_TRUE(parse_generation_run(two).has_error());
    EXPECT_TRUE(parse_reshare_run(one).has_error());
}

}  // namespace
}  // namespace pgveil::quorum
