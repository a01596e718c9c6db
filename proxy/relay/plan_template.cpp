#include "proxy/relay/plan_template.hpp"

#include "sql/analysis/constant_value.hpp"

#include <algorithm>
#include <functional>

namespace pgveil::relay {

namespace {

using analysis::StatementKind;

/// Each takes a block of locked memory: well below what one text may hold (analysis::Limits).
constexpr std::size_t kBlanksMax = 1024;

bool may_be_template(const analysis::Analysis& analysis) {
    if (analysis.parse_failed || analysis.statements.size() != 1) {
        return false;
    }
    const auto* const plan = std::get_if<analysis::StatementPlan>(&analysis.statements.front());
    if (plan == nullptr || plan->call || !plan->used_name.empty() || !plan->repeated.empty()) {
        return false;
    }
    return plan->kind == StatementKind::kSelect || plan->kind == StatementKind::kInsert ||
           plan->kind == StatementKind::kUpdate || plan->kind == StatementKind::kDelete;
}

/// As the parser gives it.
parse::Constant constant_in(std::string_view text, const parse::Slot& slot, bool is_negative) {
    const bool is_string = slot.kind == parse::Slot::Kind::kString;
    const std::uint32_t quote = is_string ? 1 : 0;
    parse::Constant constant;
    constant.kind = is_string ? parse::Constant::Kind::kString : parse::Constant::Kind::kInteger;
    constant.text = is_negative ? "-" : "";
    constant.text.append(text.substr(slot.begin + quote, slot.end - slot.begin - 2 * quote));
    return constant;
}

/// It leaves as it is, too.
bool stands_open(const analysis::StatementPlan& plan, const parse::Constant& constant) {
    const bool is_looked_at = constant.kind == parse::Constant::Kind::kString &&
                              constant.text.size() >= parse::Inventory::kStringMin;
    return is_looked_at && std::binary_search(
                               plan.open_texts.begin(),
                               plan.open_texts.end(),
                               std::hash<std::string_view>{}(constant.text)
                           );
}

}  // namespace

std::optional<PlanTemplate> PlanTemplate::of(
    const analysis::Analysis& analysis, std::string_view text, std::span<const parse::Slot> slots
) {
    if (!may_be_template(analysis)) {
        return std::nullopt;
    }
    const auto& plan = std::get<analysis::StatementPlan>(analysis.statements.front());
    PlanTemplate made;
    for (const analysis::Splice& splice : plan.splices) {
        if (!made.add(splice, text, slots)) {
            return std::nullopt;
        }
    }
    if (made.sealed_.empty() || made.sealed_.size() > kBlanksMax) {
        return std::nullopt;
    }
    made.plan_ = without_splices(plan);
    made.plan_.columns = plan.columns;
    made.relations_ = analysis.relations;
    return made;
}

bool PlanTemplate::add(
    const analysis::Splice& splice, std::string_view text, std::span<const parse::Slot> slots
) {
    if (const auto* const fixed = std::get_if<analysis::FixedText>(&splice.replacement)) {
        pieces_.push_back({splice.begin, splice.end, *fixed});
        return true;
    }
    const auto* const sealed = std::get_if<analysis::SealedLiteral>(&splice.replacement);
    const auto slot = std::find_if(slots.begin(), slots.end(), [&splice](const auto& candidate) {
        return candidate.end == splice.end;
    });
    if (sealed == nullptr || !sealed->bare_use || slot == slots.end() ||
        splice.begin > slot->begin) {
        return false;
    }
    const std::string_view sign = text.substr(splice.begin, slot->begin - splice.begin);
    const bool is_negative = sign == "-" && slot->kind == parse::Slot::Kind::kInteger;
    if (!sign.empty() && !is_negative) {
        return false;
    }
    pieces_.push_back(
        {splice.begin, splice.end, Blank{sealed->column, *sealed->bare_use, is_negative}}
    );
    sealed_.push_back(static_cast<std::size_t>(slot - slots.begin()));
    slots_.push_back(*slot);
    return true;
}

std::optional<analysis::SealedLiteral> PlanTemplate::literal(
    const Blank& blank,
    std::string_view text,
    const parse::Slot& slot,
    const types::TextStyle& style
) const {
    const parse::Constant constant = constant_in(text, slot, blank.is_negative);
    if (stands_open(plan_, constant)) {
        return std::nullopt;
    }
    auto plaintext =
        analysis::plaintext_of_bare_constant(constant, *blank.column, blank.use, style);
    if (!plaintext.has_value()) {
        return std::nullopt;
    }
    return analysis::SealedLiteral{blank.column, std::move(*plaintext), {}, blank.use};
}

AnalysisPtr PlanTemplate::filled(
    std::string_view text, std::span<const parse::Slot> sealed, const types::TextStyle& style
) const {
    auto filled = std::make_shared<analysis::Analysis>();
    analysis::StatementPlan plan = without_splices(plan_);
    plan.columns = plan_.columns;
    plan.splices.reserve(pieces_.size());
    std::uint32_t moved = 0;  // modulo 2^32: shorter constants move what follows to the front
    std::size_t next = 0;     // of `sealed`
    for (const Piece& piece : pieces_) {
        analysis::Splice splice{piece.begin + moved, piece.end + moved, {}};
        if (const auto* const fixed = std::get_if<analysis::FixedText>(&piece.replacement)) {
            splice.replacement = *fixed;
        } else {
            const parse::Slot& slot = sealed[next];
            auto made = literal(std::get<Blank>(piece.replacement), text, slot, style);
            if (!made) {
                return nullptr;
            }
            splice.end = slot.end;
            splice.replacement = std::move(*made);
            moved = slot.end - slots_[next].end;
            ++next;
        }
        plan.splices.push_back(std::move(splice));
    }
    plan.end += moved;
    filled->statements.emplace_back(std::move(plan));
    filled->relations = relations_;
    return filled;
}

std::size_t PlanTemplate::size_bytes() const {
    std::size_t size = sizeof(*this) + analysis::size_bytes_of(plan_) +
                       sealed_.size() * (sizeof(std::size_t) + sizeof(parse::Slot));
    for (const Piece& piece : pieces_) {
        const auto* const fixed = std::get_if<analysis::FixedText>(&piece.replacement);
        size += sizeof(piece) + (fixed == nullptr ? 0 : fixed->text.size());
    }
    for (const catalog::RelationName& name : relations_) {
        size += sizeof(name) + name.schema.size() + name.name.size();
    }
    return size;
}

std::optional<std::vector<parse::Slot>> chosen(
    std::span<const parse::Slot> slots, std::span<const std::size_t> numbers
) {
    std::vector<parse::Slot> result;
    result.reserve(numbers.size());
    for (const std::size_t number : numbers) {
        if (number >= slots.size()) {
            return std::nullopt;
        }
        result.push_back(slots[number]);
    }
    return result;
}

}  // namespace pgveil::relay
