#include "proxy/relay/copy_sealer.hpp"

#include "proxy/relay/sealer.hpp"
#include "sql/field/plaintext.hpp"
#include "sql/types/codec.hpp"
#include "sql/types/text.hpp"

namespace pgveil::relay {

namespace {

using boost::system::result;

/// PostgreSQL's limit_printout_length().
std::string shortened(std::string_view text) {
    constexpr std::size_t kShown = 100;
    if (text.size() <= kShown) {
        return std::string(text);
    }
    std::size_t size = 0;
    for (;;) {
        const std::size_t next = types::character_size(text.substr(size));
        if (size + next > kShown) {
            return std::string(text.substr(0, size)) + "...";
        }
        size += next;
    }
}

}  // namespace

std::string copy_context(const analysis::CopyPlan& plan, std::uint64_t line) {
    return "COPY " + plan.relation + ", line " + std::to_string(line);
}

std::string copy_context(
    const analysis::CopyPlan& plan, std::uint64_t line, std::string_view text
) {
    return copy_context(plan, line) + ": \"" + shortened(text) + "\"";
}

void refuse_copy(SessionState& state, Refusal refusal, Outgoing& upstream) {
    Expected& expected = *state.pending.front();
    expected.copy_marker = state.marker_for(refusal);
    expected.refusal = std::move(refusal);
    wire::Output& out = upstream.made();
    const std::size_t start = out.open_message(wire::FrontendType::kCopyFail);
    out.append_cstring(expected.copy_marker);
    out.close_message(start);
    state.copy_in = false;
    state.copying.reset();
}

Refusal CopySealer::located(
    Refusal refusal, std::size_t index, const FormattedCell& cell, std::uint64_t line
) const {
    refusal.where = copy_context(*plan_, line) + ", column " + plan_->fields[index].name;
    if (cell.format == wire::Format::kText) {
        refusal.where += ": \"" + shortened(core::as_text(*cell.cell)) + "\"";
    }
    return refusal;
}

result<core::ByteView, Refusal> CopySealer::seal(
    std::size_t index, std::span<const FormattedCell> cells, std::uint64_t line
) {
    const analysis::ColumnPtr& column = plan_->columns[index].column;
    const FormattedCell& cell = cells[index];
    const auto failed = [&](Refusal refusal) {
        return located(std::move(refusal), index, cell, line);
    };
    auto read =
        cell.format == wire::Format::kBinary
            ? types::from_binary(column->type, *cell.cell)
            : types::from_text(column->type, core::as_text(*cell.cell), state_->settings.style());
    if (!read.has_value()) {
        return failed(refusal(read.error()));
    }
    const auto plaintext = field::plaintext_of(*column, std::move(*read));
    if (!plaintext.has_value()) {
        return failed(refusal(plaintext.error()));
    }
    core::Bytes row;
    if (column->is_bound()) {
        auto named = row_of_copied(plan_->columns, index, cells, state_->settings.style());
        if (!named.has_value()) {
            return failed(named.error());
        }
        row = std::move(*named);
    }
    return seal_value(*state_, *segment_, column, plaintext->reveal(), row);
}

}  // namespace pgveil::relay
