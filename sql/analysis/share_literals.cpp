#include "sql/analysis/share_literals.hpp"

#include "sql/analysis/analyzer.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace pgveil::analysis {

namespace {

using parse::TokenKind;

/// An identifier that spells `name` in any case: parameter names are folded, quoted or not.
bool is_name(const parse::Tokens& tokens, std::size_t index, std::string_view name) {
    if (index >= tokens.size() || tokens[index].kind != TokenKind::kQuotedIdentifier) {
        return tokens.is_word(index, name);
    }
    const std::string written = tokens.name_at(index);
    return std::equal(
        written.begin(),
        written.end(),
        name.begin(),
        name.end(),
        [](char left, char right) {
            return (left >= 'A' && left <= 'Z' ? left - 'A' + 'a' : left) == right;
        }
    );
}

bool is_string(const parse::Tokens& tokens, std::size_t index) {
    return index < tokens.size() && tokens[index].kind == TokenKind::kString;
}

bool begins_statement(const parse::Tokens& tokens, std::size_t index) {
    return index == 0 || tokens.is_symbol(index - 1, ";");
}

/// Behind `pgveil . x` or `"pgveil.x"`; `index` itself for anything else.
std::size_t behind_parameter(const parse::Tokens& tokens, std::size_t index) {
    if (is_name(tokens, index, "pgveil") && tokens.is_symbol(index + 1, ".")) {
        return index + 3;
    }
    const bool is_one_name = index < tokens.size() &&
                             tokens[index].kind == TokenKind::kQuotedIdentifier &&
                             is_veil_parameter_name(tokens.name_at(index));
    return is_one_name ? index + 1 : index;
}

/// `SET pgveil.x = '...'`, from its first word.
void add_value_of_set(
    const parse::Tokens& tokens, std::size_t index, std::vector<std::size_t>& constants
) {
    if (!tokens.is_word(index, "set") || !begins_statement(tokens, index)) {
        return;
    }
    const bool is_scoped =
        tokens.is_word(index + 1, "local") || tokens.is_word(index + 1, "session");
    const std::size_t name = index + (is_scoped ? 2 : 1);
    const std::size_t sign = behind_parameter(tokens, name);
    const bool sets = sign > name && (tokens.is_symbol(sign, "=") || tokens.is_word(sign, "to"));
    if (sets && is_string(tokens, sign + 1)) {
        constants.push_back(sign + 1);
    }
}

/// `set_config ( 'pgveil.x' [:: text] , '...'`, from its first word.
void add_value_of_call(
    const parse::Tokens& tokens, std::size_t index, std::vector<std::size_t>& constants
) {
    if (!is_name(tokens, index, "set_config") || !tokens.is_symbol(index + 1, "(") ||
        !is_string(tokens, index + 2)) {
        return;
    }
    const auto name = plain_content(tokens.text_of(tokens[index + 2]));
    const std::size_t comma = tokens.is_symbol(index + 3, "::") ? index + 5 : index + 3;
    if (name && is_veil_parameter_name(*name) && tokens.is_symbol(comma, ",") &&
        is_string(tokens, comma + 1)) {
        constants.push_back(comma + 1);
    }
}

/// The string constants of `SELECT pgveil . f ( ... )`, from its first word.
void add_arguments(
    const parse::Tokens& tokens, std::size_t index, std::vector<std::size_t>& constants
) {
    const bool is_call = tokens.is_word(index, "select") && begins_statement(tokens, index) &&
                         is_name(tokens, index + 1, "pgveil") && tokens.is_symbol(index + 2, ".") &&
                         tokens.is_symbol(index + 4, "(");
    for (std::size_t at = index + 5;
         is_call && at < tokens.size() && !tokens.is_symbol(at, ")") && !tokens.is_symbol(at, ";");
         ++at) {
        if (is_string(tokens, at)) {
            constants.push_back(at);
        }
    }
}

/// The tokens that are shares; some may come twice.
std::vector<std::size_t> shares_in(const parse::Tokens& tokens) {
    std::vector<std::size_t> constants;
    for (std::size_t index = 0; index < tokens.size(); ++index) {
        add_value_of_set(tokens, index, constants);
        add_value_of_call(tokens, index, constants);
        add_arguments(tokens, index, constants);
    }
    return constants;
}

/// Cheap, and false for nearly every text.
bool may_name_parameter(std::string_view sql) {
    constexpr std::string_view kName = "pgveil";
    return std::search(
               sql.begin(),
               sql.end(),
               kName.begin(),
               kName.end(),
               [](char left, char right) {
                   return (left >= 'A' && left <= 'Z' ? left - 'A' + 'a' : left) == right;
               }
           ) != sql.end();
}

}  // namespace

std::optional<std::string_view> plain_content(std::string_view written) {
    if (written.starts_with('$')) {
        const std::size_t tag = written.find('$', 1) + 1;
        return tag > 1 && written.size() >= 2 * tag
                   ? std::optional(written.substr(tag, written.size() - 2 * tag))
                   : std::nullopt;
    }
    if (written.starts_with('e') || written.starts_with('E')) {
        written.remove_prefix(1);
    }
    if (written.size() < 2 || !written.starts_with('\'') || !written.ends_with('\'')) {
        return std::nullopt;
    }
    const std::string_view content = written.substr(1, written.size() - 2);
    return content.find_first_of("'\\") == std::string_view::npos ? std::optional(content)
                                                                  : std::nullopt;
}

std::optional<std::string> without_shares(std::string_view sql, const parse::Tokens& tokens) {
    if (!may_name_parameter(sql)) {
        return std::nullopt;
    }
    std::string rest;
    std::size_t copied = 0;
    for (const std::size_t index : shares_in(tokens)) {
        const parse::Token& token = tokens[index];
        const auto content = plain_content(tokens.text_of(token));
        if (!token.is_terminated || !content || token.begin < copied) {
            continue;
        }
        const auto begin = static_cast<std::size_t>(content->data() - sql.data());
        rest.append(sql.substr(copied, begin - copied)).append(content->size(), 'x');
        copied = begin + content->size();
    }
    return copied == 0 ? std::nullopt : std::optional(rest.append(sql.substr(copied)));
}

const parse::Expression& without_casts(const parse::Expression& expression) {
    const parse::Expression* inner = &expression;
    while (const auto* const cast = std::get_if<parse::Cast>(&inner->node)) {
        inner = cast->operand.get();
    }
    return *inner;
}

std::string_view share_of(
    const parse::Tokens& tokens, const parse::Expression& node, const parse::Constant& constant
) {
    const auto index = tokens.at(node.begin);
    const bool is_here = constant.kind == parse::Constant::Kind::kString && index &&
                         tokens[*index].kind == TokenKind::kString &&
                         tokens[*index].begin == node.begin;
    const auto content =
        is_here ? plain_content(tokens.text_of(tokens[*index])) : std::optional<std::string_view>();
    return content ? *content : std::string_view(constant.text);
}

}  // namespace pgveil::analysis
