#include "proxy/relay/shared_catalog.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace pgveil::relay {
namespace {

using catalog::Entry;
using catalog::RelationName;

const std::string kMine = "1 app {pg_catalog,public} 0 UTF8 off";
const std::string kOther = "1 app {pg_catalog,private} 0 UTF8 off";
const SharedCatalog::Scope kScope{"clinic", 7, 3};
const std::vector<RelationName> kVisits = {{"", "visits"}};
const std::vector<RelationName> kBoth = {{"", "visits"}, {"", "rooms"}};

std::shared_ptr<const Entry> table(std::uint32_t oid) {
    Entry entry;
    entry.relation.emplace();
    entry.relation->oid = oid;
    return std::make_shared<const Entry>(std::move(entry));
}

class SharedCatalogTest : public testing::Test {
protected:
    SharedCatalogTest() {
        shared.put(kScope, kMine, kVisits[0], table(5), 1000);
        told = {{kBoth[0], table(5)}, {kBoth[1], table(6)}};
    }

    bool takes(const SharedCatalog::Scope& scope, const std::string& viewpoint) {
        return shared.take(scope, viewpoint, kVisits, 900, told, into).has_value();
    }

    SharedCatalog shared;
    SharedCatalog::Told told;
    catalog::Catalog into;
};

TEST_F(SharedCatalogTest, ConfirmsWhatAnotherSessionWasTold) {
    EXPECT_TRUE(shared.has(kScope, kVisits, 900));
    EXPECT_EQ(shared.take(kScope, kMine, kVisits, 900, told, into), 1000);
    ASSERT_NE(into.find(kVisits[0]), nullptr);
    EXPECT_EQ(into.find(kVisits[0])->relation->oid, 5U);
}

TEST_F(SharedCatalogTest, RemembersOfEachDatabaseWhatABriefLookUpLeavesOpen) {
    EXPECT_FALSE(shared.is_intricate("clinic", kVisits[0]));
    shared.note_intricate("clinic", kVisits[0]);
    EXPECT_TRUE(shared.is_intricate("clinic", kVisits[0]));
    EXPECT_FALSE(shared.is_intricate("clinic", kBoth[1]));
    EXPECT_FALSE(shared.is_intricate("other", kVisits[0]));
    for (int number = 0; number < 5000; ++number) {
        shared.note_intricate("clinic", {"", "t" + std::to_string(number)});
    }
    EXPECT_TRUE(shared.is_intricate("clinic", {"", "t4999"}));
    EXPECT_FALSE(shared.is_intricate("clinic", kVisits[0])) << "bounded";
}

TEST_F(SharedCatalogTest, GivesNothingToAnotherViewpoint) {
    EXPECT_FALSE(takes(kScope, kOther));
    EXPECT_FALSE(takes(kScope, ""));
    EXPECT_TRUE(takes(kScope, kMine));
}

TEST_F(SharedCatalogTest, GivesNothingInAnotherDatabaseUnderAnotherPolicyOrAfterDefinitions) {
    EXPECT_FALSE(takes({"other", 7, 3}, kMine));
    EXPECT_FALSE(takes({"clinic", 8, 3}, kMine));
    EXPECT_FALSE(takes({"clinic", 7, 4}, kMine));
    EXPECT_FALSE(shared.has({"clinic", 7, 4}, kVisits, 900));
    EXPECT_EQ(into.size(), 0U);
}

TEST_F(SharedCatalogTest, GivesNothingThatIsTooOld) {
    EXPECT_FALSE(shared.has(kScope, kVisits, 1001));
    EXPECT_FALSE(shared.take(kScope, kMine, kVisits, 1001, told, into).has_value());
    EXPECT_TRUE(shared.take(kScope, kMine, kVisits, 1000, told, into).has_value());
}

TEST_F(SharedCatalogTest, GivesAllNamesOrNone) {
    EXPECT_FALSE(shared.take(kScope, kMine, kBoth, 900, told, into).has_value());
    EXPECT_EQ(into.size(), 0U);
    shared.put(kScope, kMine, kBoth[1], table(6), 950);
    EXPECT_EQ(shared.take(kScope, kMine, kBoth, 900, told, into), 950);
    EXPECT_EQ(into.size(), 2U);
}

TEST_F(SharedCatalogTest, KeepsNoAbsentNameAndNoTextOfAView) {
    Entry view;
    view.relation.emplace();
    view.relation->view_text = "SELECT 1";
    shared.put(kScope, kMine, kBoth[1], std::make_shared<const Entry>(view), 1000);
    EXPECT_FALSE(shared.has(kScope, kBoth, 900));
    shared.put(kScope, kMine, kBoth[1], std::make_shared<const Entry>(), 1000);
    EXPECT_FALSE(shared.has(kScope, kBoth, 900));
}

TEST_F(SharedCatalogTest, IsBoundedInMemory) {
    for (std::uint32_t number = 0; number < 100000; ++number) {
        const RelationName name{"", "t" + std::to_string(number)};
        shared.put(kScope, kMine, name, table(number), 1000);
    }
    EXPECT_FALSE(shared.has(kScope, kVisits, 900));
}

TEST_F(SharedCatalogTest, ConfirmsOnlyWhatASessionWasToldItself) {
    told.clear();
    EXPECT_FALSE(takes(kScope, kMine));
    told = {{kVisits[0], table(4)}};
    EXPECT_FALSE(takes(kScope, kMine));
    told = {{kVisits[0], table(5)}};
    EXPECT_TRUE(takes(kScope, kMine));
}

}  // namespace
}  // namespace pgveil::relay
