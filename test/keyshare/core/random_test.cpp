#include "keyshare/core/random.hpp"

#include "test/keyshare/core/subprocess.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace pgveil::core {
namespace {

std::string draw(RandomSource& random) {
    Bytes bytes(16);
    random.fill(bytes);
    return to_hex(bytes);
}

TEST(BatchedRandom, NeverRepeatsAcrossBatchesAndSizes) {
    BatchedRandom random;
    std::set<std::string> seen;
    for (int i = 0; i < 2000; ++i) {
        EXPECT_TRUE(seen.insert(draw(random)).second);
    }
    Bytes odd(10'001);
    random.fill(odd);
    EXPECT_NE(odd, Bytes(10'001));
    random.fill({});
    EXPECT_TRUE(seen.insert(draw(random)).second);
}

TEST(BatchedRandom, ForkedChildDrawsOtherBytesThanItsParent) {
    BatchedRandom random;
    static_cast<void>(draw(random));
    const std::string childs = testing::in_child([&random] { return draw(random); });
    const std::string parents = draw(random);
    EXPECT_EQ(childs.size(), 32U);
    EXPECT_NE(childs, parents);
}

TEST(RandomSecret, HasTheSizeAskedFor) {
    EXPECT_EQ(random_secret(system_random(), 77).size(), 77U);
    using Key = Secret<struct RandomRole>;
    const Key first = random_secret<Key>(system_random());
    const Key second = random_secret<Key>(system_random());
    EXPECT_FALSE(equal_in_constant_time(first.reveal(), second.reveal()));
}

}  // namespace
}  // namespace pgveil::core
