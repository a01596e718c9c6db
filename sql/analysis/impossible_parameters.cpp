#include "sql/analysis/impossible_parameters.hpp"

#include <string>

namespace pgveil::analysis {

namespace {

std::uint32_t begin_of(
    const parse::Tokens& tokens, const parse::Statement& statement, const std::string& parameter
) {
    const auto range = tokens.inside(statement.begin, statement.end);
    for (std::size_t i = range.first; i < range.last; ++i) {
        if (tokens.text_of(tokens[i]) == parameter) {
            return tokens[i].begin;
        }
    }
    return parse::kNowhere;
}

}  // namespace

void refuse_impossible_parameters(Draft& draft, const parse::Statement& statement) {
    constexpr std::uint32_t kLast = 65535;
    for (const std::uint32_t number : statement.inventory.parameters) {
        if (number == 0 || number > kLast) {
            const std::string name = "$" + std::to_string(static_cast<std::int32_t>(number));
            draft.refuse(postgres_error(
                "42P02",
                "there is no parameter " + name,
                begin_of(draft.text().tokens, statement, name)
            ));
        }
    }
}

}  // namespace pgveil::analysis
