#include "sql/analysis/enum_change.hpp"

#include "sql/types/enum_type.hpp"

namespace pgveil::analysis {

void refuse_enum_change(Draft& draft, std::uint32_t begin, std::uint32_t end) {
    const parse::Tokens& tokens = draft.text().tokens;
    const auto [first, last] = tokens.inside(begin, end);
    if (last - first < 4 || !tokens.is_word(first, "alter") || !tokens.is_word(first + 1, "type")) {
        return;
    }
    std::size_t next = first + 3;
    parse::Names names = {tokens.name_at(first + 2)};
    if (tokens.is_symbol(next, ".") && next + 2 < last) {
        names.push_back(tokens.name_at(next + 1));
        next += 2;
    }
    const bool is_renamed = tokens.is_word(next, "rename");
    const bool is_moved = tokens.is_word(next, "set");
    const auto kind = is_renamed || is_moved ? draft.enums().named(names) : std::nullopt;
    if (!kind) {
        return;
    }
    const bool is_label = is_renamed && tokens.is_word(next + 1, "value");
    draft.refuse(refusal_of(
        types::enum_name_of(types::enum_definition_of(*kind)),
        is_label   ? "ALTER TYPE ... RENAME VALUE of an enum of encrypted columns"
        : is_moved ? "ALTER TYPE ... SET SCHEMA of an enum of encrypted columns"
                   : "ALTER TYPE ... RENAME of an enum of encrypted columns",
        is_label ? "stored values keep the old label: ADD VALUE, list the new label in the policy, "
                   "then UPDATE the rows"
                 : "the policy goes by its name: change it past pgveil, and under \"enums\" and in "
                   "\"type\" in the policy",
        begin
    ));
}

}  // namespace pgveil::analysis
