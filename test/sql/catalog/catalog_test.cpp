#include "sql/catalog/catalog.hpp"

#include <gtest/gtest.h>

namespace pgveil::catalog {
namespace {

TEST(Catalog, TellsAbsentFromUnknown) {
    Catalog catalog;
    catalog.put({"", "gone"}, Entry{std::nullopt, "public"});
    ASSERT_NE(catalog.find({"", "gone"}), nullptr);
    EXPECT_FALSE(catalog.find({"", "gone"})->relation.has_value());
    EXPECT_EQ(catalog.find({"", "new"}), nullptr);
    EXPECT_EQ(catalog.find({"public", "gone"}), nullptr);
}

TEST(Catalog, CountsItsBytes) {
    Catalog catalog;
    EXPECT_EQ(catalog.size_bytes(), 0U);
    Relation relation;
    relation.columns.resize(10);
    catalog.put({"", "t"}, Entry{relation, "public"});
    const std::size_t one = catalog.size_bytes();
    EXPECT_GT(one, 10 * sizeof(Column));
    catalog.put({"", "t"}, Entry{relation, "public"});
    EXPECT_EQ(catalog.size_bytes(), one);
    catalog.erase({"", "t"});
    EXPECT_EQ(catalog.size_bytes(), 0U);
}

TEST(Catalog, KnowsAgainWhatHasNotChanged) {
    Catalog catalog;
    Relation relation;
    relation.oid = 1;
    catalog.put({"", "t"}, Entry{relation, "public"});
    const auto before = catalog.share({"", "t"});
    catalog.clear();
    catalog.clear();
    EXPECT_EQ(catalog.share({"", "t"}), nullptr) << "it has to be looked up";
    catalog.put({"", "t"}, Entry{relation, "public"});
    EXPECT_EQ(catalog.share({"", "t"}), before);
    catalog.clear();
    relation.oid = 2;
    catalog.put({"", "t"}, Entry{relation, "public"});
    EXPECT_NE(catalog.share({"", "t"}), before);
    EXPECT_EQ(catalog.find({"", "t"})->relation->oid, 2U);
}

TEST(Catalog, QuotesNames) {
    EXPECT_EQ(quoted({"", "t"}), "\"t\"");
    EXPECT_EQ(quoted({"S", "a\"b"}), "\"S\".\"a\"\"b\"");
}

}  // namespace
}  // namespace pgveil::catalog
