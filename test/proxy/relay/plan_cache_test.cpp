#include "proxy/relay/plan_cache.hpp"

#include <gtest/gtest.h>

namespace pgveil::relay {
namespace {

const std::vector<std::uint32_t> kNoOids;

PlanKey key(std::string_view text, std::uint64_t epoch = 1) {
    return PlanKey{epoch, "clinic", true, "UTF8", "UTF8", kNoOids, text};
}

catalog::Entry table(std::uint32_t oid) {
    catalog::Entry entry;
    entry.relation.emplace();
    entry.relation->oid = oid;
    return entry;
}

AnalysisPtr plain_over(const std::string& name) {
    auto analysis = std::make_shared<analysis::Analysis>();
    analysis->passthrough = true;
    analysis->statements.emplace_back(analysis::StatementPlan{});
    analysis->relations.push_back({"", name});
    return analysis;
}

TEST(PlanCache, GivesAPlanBackWhileItsRelationsLookTheSame) {
    PlanCache cache;
    cache.set_limit(100'000);
    catalog::Catalog catalog;
    catalog.put({"", "visits"}, table(1));
    cache.put(key("SELECT 1"), plain_over("visits"), catalog);
    EXPECT_NE(cache.find(key("SELECT 1"), catalog), nullptr);
    EXPECT_EQ(cache.find(key("SELECT 2"), catalog), nullptr);
    EXPECT_EQ(cache.find(key("SELECT 1", 2), catalog), nullptr) << "another policy";
    catalog.put({"", "visits"}, table(2));
    EXPECT_EQ(cache.find(key("SELECT 1"), catalog), nullptr) << "another relation of that name";
    catalog.clear();
    EXPECT_EQ(cache.find(key("SELECT 1"), catalog), nullptr) << "not looked up";
}

std::shared_ptr<analysis::Analysis> plain_of_kind(analysis::StatementKind kind) {
    auto analysis = std::make_shared<analysis::Analysis>();
    analysis->passthrough = true;
    analysis::StatementPlan plan;
    plan.kind = kind;
    analysis->statements.emplace_back(std::move(plan));
    return analysis;
}

TEST(PlanCache, APlainStatementServesTextsWithOtherIntegers) {
    using analysis::StatementKind;
    const catalog::Catalog catalog;
    for (const StatementKind kind :
         {StatementKind::kSelect,
          StatementKind::kInsert,
          StatementKind::kUpdate,
          StatementKind::kDelete}) {
        PlanCache cache;
        cache.set_limit(100'000);
        const AnalysisPtr put = plain_of_kind(kind);
        cache.put(key("... id = 1"), put, catalog);
        EXPECT_EQ(cache.find(key("... id = 1"), catalog), put);
        EXPECT_EQ(cache.find(key("... id = 4711"), catalog), put);
        EXPECT_EQ(cache.find(key("... id = 4711000000"), catalog), nullptr);
        EXPECT_EQ(cache.find(key("... id = '1'"), catalog), nullptr);
        EXPECT_EQ(cache.find(key("... no = 1"), catalog), nullptr);
        EXPECT_EQ(cache.find(key("... id = 1", 2), catalog), nullptr) << "another policy";
        PlanKey other_encoding = key("... id = 1");
        other_encoding.client_encoding = "GB18030";
        EXPECT_EQ(cache.find(other_encoding, catalog), nullptr);
    }
}

TEST(PlanCache, EverythingElseServesItsOwnTextAlone) {
    using analysis::StatementKind;
    const catalog::Catalog catalog;
    const auto serves_others = [&catalog](const AnalysisPtr& put) {
        PlanCache cache;
        cache.set_limit(100'000);
        cache.put(key("... 1"), put, catalog);
        EXPECT_EQ(cache.find(key("... 1"), catalog), put);
        return cache.find(key("... 2"), catalog) != nullptr;
    };
    EXPECT_TRUE(serves_others(plain_of_kind(StatementKind::kSelect)));
    EXPECT_FALSE(serves_others(plain_of_kind(StatementKind::kCreateTable)));
    EXPECT_FALSE(serves_others(plain_of_kind(StatementKind::kOther)));
    const auto unread = plain_of_kind(StatementKind::kSelect);
    unread->parse_failed = true;
    EXPECT_FALSE(serves_others(unread));
    auto opened = std::make_shared<analysis::Analysis>();
    analysis::StatementPlan plan;
    plan.kind = StatementKind::kSelect;
    plan.results.emplace_back();
    opened->statements.emplace_back(std::move(plan));
    EXPECT_FALSE(serves_others(opened));
}

TEST(PlanCache, StaysWithinItsBytes) {
    PlanCache cache;
    cache.set_limit(20'000);
    catalog::Catalog catalog;
    catalog.put({"", "visits"}, table(1));
    for (int i = 0; i < 1000; ++i) {
        const std::string text = "SELECT " + std::to_string(i);
        cache.put(key(text), plain_over("visits"), catalog);
        ASSERT_LE(cache.size_bytes(), 20'000U);
        ASSERT_NE(cache.find(key(text), catalog), nullptr);
    }
    EXPECT_EQ(cache.find(key("SELECT 0"), catalog), nullptr) << "the least recently used went";
}

TEST(PlanCache, KeepsNoSecret) {
    PlanCache cache;
    cache.set_limit(100'000);
    const catalog::Catalog catalog;
    auto analysis = std::make_shared<analysis::Analysis>();
    analysis::StatementPlan plan;
    analysis::ShareHandle share;
    share.value = core::SecretBytes(8);
    plan.splices.push_back({0, 1, std::move(share)});
    analysis->statements.emplace_back(std::move(plan));
    cache.put(key("SET x"), analysis, catalog);
    EXPECT_EQ(cache.find(key("SET x"), catalog), nullptr);
}

/// A SELECT whose constant at `begin` is sealed.
AnalysisPtr sealing(std::uint32_t begin, std::uint32_t end) {
    auto column = std::make_shared<field::ProtectedColumn>();
    column->type = {types::Kind::kInt4, -1};
    column->scheme = config::Scheme::kEquality;
    auto analysis = std::make_shared<analysis::Analysis>();
    analysis::StatementPlan plan;
    plan.kind = analysis::StatementKind::kSelect;
    plan.splices.push_back(
        {begin,
         end,
         analysis::SealedLiteral{
             column, core::SecretBytes(4), {}, analysis::ParameterUse::kCompared}}
    );
    analysis->statements.emplace_back(std::move(plan));
    analysis->relations.push_back({"", "visits"});
    return analysis;
}

TEST(PlanCache, KeepsWhatIsSealedWithoutItsConstants) {
    PlanCache cache;
    cache.set_limit(100'000);
    catalog::Catalog catalog;
    catalog.put({"", "visits"}, table(1));
    const types::TextStyle style;
    const auto found = [&](std::string_view text, const types::TextStyle* read_in) {
        PlanKey asked = key(text);
        asked.style = read_in;
        return cache.find(asked, catalog);
    };
    cache.put(key("... 7, 'a' WHERE b = 1"), sealing(21, 22), catalog);
    for (const std::string_view text : {"... 7, 'a' WHERE b = 1", "... 7, 'a' WHERE b = 4711"}) {
        const AnalysisPtr known = found(text, &style);
        ASSERT_NE(known, nullptr);
        EXPECT_FALSE(known->passthrough);
        const auto& plan = std::get<analysis::StatementPlan>(known->statements.front());
        EXPECT_EQ(plan.splices.front().end, text.size());
    }
    for (const std::string_view text :
         {"... 8, 'a' WHERE b = 1",
          "... 7, 'b' WHERE b = 1",
          "... 7, 'a' WHERE b = '1'",
          "... 7, 'a' WHERE c = 1",
          "... 7, 'a' WHERE b = 1, 1",
          "... 7, 'a' WHERE b = 4711000000"}) {
        EXPECT_EQ(found(text, &style), nullptr) << text;
    }
    EXPECT_EQ(found("... 7, 'a' WHERE b = 1", nullptr), nullptr);
    catalog.put({"", "visits"}, table(2));
    EXPECT_EQ(found("... 7, 'a' WHERE b = 1", &style), nullptr) << "another relation";
}

TEST(PlanCache, ATextOfAnotherEncodingIsAnotherText) {
    PlanCache cache;
    cache.set_limit(100'000);
    const catalog::Catalog catalog;
    auto analysis = std::make_shared<analysis::Analysis>();
    analysis->passthrough = true;
    PlanKey asked = key("SELECT '\x83\x5c'");
    cache.put(asked, analysis, catalog);
    EXPECT_NE(cache.find(asked, catalog), nullptr);
    asked.client_encoding = "SJIS";
    EXPECT_EQ(cache.find(asked, catalog), nullptr);
    asked.client_encoding = "UTF8";
    asked.server_encoding = "LATIN1";
    EXPECT_EQ(cache.find(asked, catalog), nullptr);
}

}  // namespace
}  // namespace pgveil::relay
