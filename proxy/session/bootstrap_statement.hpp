#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pgveil::session {

/// One argument of the call: text that stands in the statement, or the number of a `$n`.
using BootstrapArgument = std::variant<std::string, std::uint32_t>;

/// `SELECT pgveil.bootstrap(step, argument)`.
struct BootstrapCall {
    BootstrapArgument step;
    BootstrapArgument argument;

    /// The highest `$n`, 0 without parameters.
    std::uint32_t parameter_count() const;
};

/// The only statement the bootstrap endpoint knows, in a grammar of its own: keywords in any case,
/// blanks anywhere between tokens, arguments as `'...'` (a quote doubled) or `$1` / `$2`, each with
/// an optional `::text`, one optional semicolon at the end. Comments, E'' strings and everything
/// else give nothing: what is not this call is refused as a whole.
std::optional<BootstrapCall> parse_bootstrap_call(std::string_view sql);

/// True for a text without any statement: blanks and semicolons only.
bool is_empty_statement(std::string_view sql);

}  // namespace pgveil::session
