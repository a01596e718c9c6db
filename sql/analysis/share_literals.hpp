#pragma once

#include "sql/parse/ast.hpp"
#include "sql/parse/tokens.hpp"

#include <optional>
#include <string>
#include <string_view>

// Shares that are written into a text as literals. They are recognised by tokens alone, so that the
// parser, whose tree lives in ordinary memory, never gets to see one.
namespace pgveil::analysis {

/// What stands between the quotes of a string constant where that is its value letter by letter:
/// '...', E'...' and $tag$...$tag$ without a quote or backslash inside. nullopt for any other form.
/// Borrowed from `written`, the constant as it stands in the text.
std::optional<std::string_view> plain_content(std::string_view written);

/// `sql` with the content of every such constant that is a value of a session parameter of ours
/// (SET pgveil.x = '...', set_config('pgveil.x', '...', ...)) or an argument of SELECT
/// pgveil.f(...) overwritten by as many `x`; nullopt if there is none. Offsets stay what they are.
/// Neither the result nor anything allocated on the way holds a share. Not seen: other forms of
/// constants, and names that are escaped (U&) or put together.
std::optional<std::string> without_shares(std::string_view sql, const parse::Tokens& tokens);

/// What is inside of all casts around it.
const parse::Expression& without_casts(const parse::Expression& expression);

/// The value of `constant`, which stands at `node` of a tree that may have been read from
/// without_shares(): from the text itself where it stands there letter by letter. Borrowed from
/// the text or from the tree.
std::string_view share_of(
    const parse::Tokens& tokens, const parse::Expression& node, const parse::Constant& constant
);

}  // namespace pgveil::analysis
