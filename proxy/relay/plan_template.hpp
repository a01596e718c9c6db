#pragma once

#include "proxy/relay/planned.hpp"
#include "sql/parse/pattern.hpp"
#include "sql/types/style.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace pgveil::relay {

/// The decision on a text with constants to seal, without these: for all texts that differ from it
/// in them alone. What was decided rests on their kind; their values are read anew, and where one
/// cannot be read the text is to be analysed, which gives the error. Immutable.
class PlanTemplate {
public:
    /// `slots` as of parse::slots_of(text). Nullopt unless the text is one SELECT, INSERT, UPDATE
    /// or DELETE, each of its sealed constants is one of the slots, alone or behind a minus sign,
    /// and nothing else of it is for one time only.
    static std::optional<PlanTemplate>
    of(const analysis::Analysis& analysis, std::string_view text, std::span<const parse::Slot> slots
    );

    /// The decision for `text`, which is the same without `sealed`, slots in it. Null: analyse it.
    AnalysisPtr filled(
        std::string_view text, std::span<const parse::Slot> sealed, const types::TextStyle& style
    ) const;

    /// The numbers of the sealed slots, in order.
    const std::vector<std::size_t>& sealed() const { return sealed_; }

    std::size_t size_bytes() const;

private:
    /// A constant that is sealed.
    struct Blank {
        analysis::ColumnPtr column;
        analysis::ParameterUse use = analysis::ParameterUse::kPlain;
        bool is_negative = false;
    };

    /// One splice, in the text that was analysed.
    struct Piece {
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
        std::variant<analysis::FixedText, Blank> replacement;
    };

    PlanTemplate() = default;

    bool add(
        const analysis::Splice& splice, std::string_view text, std::span<const parse::Slot> slots
    );
    std::optional<analysis::SealedLiteral> literal(
        const Blank& blank,
        std::string_view text,
        const parse::Slot& slot,
        const types::TextStyle& style
    ) const;

    analysis::StatementPlan plan_;                  // without splices
    std::vector<catalog::RelationName> relations_;  // what every such text depends on
    std::vector<Piece> pieces_;
    std::vector<std::size_t> sealed_;
    std::vector<parse::Slot> slots_;  // those that were sealed, in the text that was analysed
};

/// Those of `slots` with these numbers. Nullopt if there are not so many.
std::optional<std::vector<parse::Slot>> chosen(
    std::span<const parse::Slot> slots, std::span<const std::size_t> numbers
);

}  // namespace pgveil::relay
