#include "proxy/relay/plan_template.hpp"

#include <gtest/gtest.h>

namespace pgveil::relay {
namespace {

using analysis::FixedText;
using analysis::ParameterUse;
using analysis::SealedLiteral;

analysis::ColumnPtr column(types::Kind kind) {
    auto column = std::make_shared<field::ProtectedColumn>();
    column->type = {kind, -1};
    column->scheme = config::Scheme::kEquality;
    return column;
}

SealedLiteral sealed(types::Kind kind) {
    return {column(kind), core::SecretBytes(4), {}, ParameterUse::kCompared};
}

/// A SELECT over `text` with this in place of what stands between the signs.
struct Sample {
    std::string text;
    analysis::Analysis analysis;

    Sample(std::string_view marked, analysis::Replacement replacement) {
        const std::size_t begin = marked.find('<');
        const std::size_t end = marked.find('>') - 1;
        text = std::string(marked.substr(0, begin)) +
               std::string(marked.substr(begin + 1, end - begin)) +
               std::string(marked.substr(end + 2));
        analysis::StatementPlan plan;
        plan.kind = analysis::StatementKind::kSelect;
        plan.touches_protected = true;
        plan.end = static_cast<std::uint32_t>(text.size());
        plan.splices.push_back(
            {static_cast<std::uint32_t>(begin),
             static_cast<std::uint32_t>(end),
             std::move(replacement)}
        );
        analysis.statements.emplace_back(std::move(plan));
    }

    analysis::StatementPlan& plan() {
        return std::get<analysis::StatementPlan>(analysis.statements.front());
    }

    std::optional<PlanTemplate> made() const {
        return PlanTemplate::of(analysis, text, parse::slots_of(text, true));
    }
};

/// `text` filled in, all of its constants being those that were sealed.
AnalysisPtr fill(const PlanTemplate& pattern, std::string_view text) {
    return pattern.filled(text, parse::slots_of(text, true), {});
}

const analysis::StatementPlan& plan_of(const AnalysisPtr& analysis) {
    return std::get<analysis::StatementPlan>(analysis->statements.front());
}

std::string plaintext_of(const AnalysisPtr& analysis, std::size_t splice = 0) {
    const auto& literal = std::get<SealedLiteral>(plan_of(analysis).splices.at(splice).replacement);
    return core::to_hex(literal.plaintext.reveal());
}

TEST(PlanTemplate, ReadsAnotherConstantInTheSamePlace) {
    Sample sample("SELECT a WHERE b = <5> OR c", sealed(types::Kind::kInt4));
    sample.analysis.relations.push_back({"public", "people"});
    sample.plan().splices.push_back({23, 24, FixedText{"s.c"}});
    const auto pattern = sample.made();
    ASSERT_TRUE(pattern);
    EXPECT_EQ(pattern->sealed(), std::vector<std::size_t>{0});
    const std::string_view other = "SELECT a WHERE b = 4711 OR c";
    const AnalysisPtr filled = fill(*pattern, other);
    ASSERT_NE(filled, nullptr);
    EXPECT_EQ(plaintext_of(filled), "00001267");
    EXPECT_FALSE(filled->passthrough);
    EXPECT_EQ(filled->relations, sample.analysis.relations) << "Bind asks whether they changed";
    const auto& splices = plan_of(filled).splices;
    ASSERT_EQ(splices.size(), 2U);
    EXPECT_EQ(other.substr(splices[0].begin, splices[0].end - splices[0].begin), "4711");
    EXPECT_EQ(splices[1].begin, 26U) << "what stands behind it has moved";
    EXPECT_EQ(plan_of(filled).end, other.size());
    EXPECT_TRUE(plan_of(filled).touches_protected);
}

TEST(PlanTemplate, AMinusSignBelongsToTheConstant) {
    const Sample sample("SELECT a WHERE b = <-5>", sealed(types::Kind::kInt4));
    const auto pattern = sample.made();
    ASSERT_TRUE(pattern);
    const AnalysisPtr filled = fill(*pattern, "SELECT a WHERE b = -1");
    ASSERT_NE(filled, nullptr);
    EXPECT_EQ(plaintext_of(filled), "ffffffff");
    EXPECT_EQ(plan_of(filled).splices.front().begin, 19U);
    EXPECT_FALSE(Sample("SELECT a WHERE b = <- 5>", sealed(types::Kind::kInt4)).made());
}

TEST(PlanTemplate, ReadsStringsAsTheColumnDoes) {
    const Sample sample("SELECT a WHERE b = <'x'>", sealed(types::Kind::kText));
    const auto pattern = sample.made();
    ASSERT_TRUE(pattern);
    EXPECT_EQ(plaintext_of(fill(*pattern, "SELECT a WHERE b = 'Anna'")), "416e6e61");
    EXPECT_EQ(plaintext_of(fill(*pattern, "SELECT a WHERE b = ''")), "");
}

TEST(PlanTemplate, AValueThatCannotBeReadIsAnalysed) {
    const Sample number("SELECT a WHERE b = <'5'>", sealed(types::Kind::kInt2));
    const auto pattern = number.made();
    ASSERT_TRUE(pattern);
    EXPECT_NE(fill(*pattern, "SELECT a WHERE b = '32767'"), nullptr);
    EXPECT_EQ(fill(*pattern, "SELECT a WHERE b = '32768'"), nullptr);
    EXPECT_EQ(fill(*pattern, "SELECT a WHERE b = 'five'"), nullptr);
}

TEST(PlanTemplate, AValueThatAlsoLeavesOpenIsAnalysed) {
    Sample sample("SELECT 'open' WHERE b = <'x'>", sealed(types::Kind::kText));
    sample.plan().open_texts = {std::hash<std::string_view>{}("open")};
    const auto pattern = sample.made();
    ASSERT_TRUE(pattern);
    ASSERT_EQ(pattern->sealed(), std::vector<std::size_t>{1});
    const auto filled = [&](std::string_view text) {
        return pattern->filled(text, *chosen(parse::slots_of(text, true), pattern->sealed()), {});
    };
    EXPECT_NE(filled("SELECT 'open' WHERE b = 'shut'"), nullptr);
    EXPECT_EQ(filled("SELECT 'open' WHERE b = 'open'"), nullptr);
}

TEST(PlanTemplate, ServesNothingWhoseConstantsMeanMore) {
    const auto is_made = [](std::string_view text, analysis::Replacement replacement) {
        return Sample(text, std::move(replacement)).made().has_value();
    };
    EXPECT_TRUE(is_made("... <1>", sealed(types::Kind::kInt4)));
    SealedLiteral cast = sealed(types::Kind::kInt4);
    cast.bare_use = std::nullopt;
    EXPECT_FALSE(is_made("... <1>", std::move(cast)));
    EXPECT_FALSE(is_made("... <1>", FixedText{"x"})) << "nothing is sealed";
    analysis::ShareHandle share;
    share.value = core::SecretBytes(8);
    EXPECT_FALSE(is_made("... <'1'>", std::move(share)));
    EXPECT_FALSE(is_made("... <E'1'>", sealed(types::Kind::kText)));
    EXPECT_FALSE(is_made("... <1.5>", sealed(types::Kind::kNumeric)));
    EXPECT_FALSE(is_made("... <12345678901>", sealed(types::Kind::kInt8)));
    EXPECT_FALSE(is_made("... <date '2020-01-01'>", sealed(types::Kind::kDate)));
}

TEST(PlanTemplate, ServesOneStatementThatReadsOrChangesRows) {
    Sample sample("... <1>", sealed(types::Kind::kInt4));
    sample.plan().kind = analysis::StatementKind::kDeclareCursor;
    EXPECT_FALSE(sample.made());
    sample.plan().kind = analysis::StatementKind::kInsert;
    EXPECT_TRUE(sample.made());
    sample.plan().repeated.push_back(column(types::Kind::kText));
    EXPECT_FALSE(sample.made()) << "a value of it leaves open, too";
    sample.plan().repeated.clear();
    sample.analysis.statements.emplace_back(analysis::StatementPlan{});
    EXPECT_FALSE(sample.made());
}

}  // namespace
}  // namespace pgveil::relay
