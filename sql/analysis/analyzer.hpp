#pragma once

#include "config/policy.hpp"
#include "sql/analysis/claims.hpp"
#include "sql/analysis/named_plans.hpp"
#include "sql/analysis/plan.hpp"
#include "sql/catalog/catalog.hpp"
#include "sql/types/style.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace pgveil::analysis {

/// Limits of one text. What is larger is refused with 54000 or 54001, or, where nothing protected
/// can be concerned, passed on.
struct Limits {
    std::size_t text_bytes = 16U << 20U;
    /// Words, constants and signs that are given to the parser, whose tree takes some hundred bytes
    /// for each. Four times as many are still looked at for protected names.
    std::size_t tokens = 1U << 20U;
    /// What the plans of all statements that are not plain may take (size_bytes_of).
    std::size_t plan_bytes = 64U << 20U;
    std::size_t statements = 10'000;
    /// Plaintext of all sealed literals of a text: it lives in locked memory until it is sealed.
    std::size_t literal_bytes = 512U << 10U;
    /// Names that one text may ask to look up.
    std::size_t lookups = 256;
};

/// What a decision depends on. Borrowed for the call.
struct Context {
    const config::Policy& policy;
    const catalog::Catalog& catalog;
    const types::TextStyle& style;
    /// The session's value. When off, backslashes in plain literals mean something else to the
    /// server than to the parser: such a text is refused where something protected is concerned.
    bool standard_conforming_strings = true;
    /// As declared by Parse; 0 or missing = not declared. Empty for a simple query.
    std::vector<std::uint32_t> parameter_oids;
    Limits limits;
    /// The session's value, as the server reports it.
    std::string_view client_encoding = "UTF8";
    /// The database's, as the server reports it.
    std::string_view server_encoding = "UTF8";
    /// The server's major version; 0: not known.
    int server_major = 0;
    /// What EXECUTE and FETCH run; null: no name is known.
    const NamedPlans* names = nullptr;
    /// In a failed transaction nothing can: a text that the server is known not to read is refused
    /// with the server's words, whatever it names.
    bool can_look_up = true;
    NextKeys next_keys = {};
};

/// Decides what happens with every statement of `sql` (no NUL; in an encoding whose characters may
/// end in a quote or backslash, such as SJIS, ASCII only: all else is refused). Pure: text, policy
/// and catalog in, decision out; never throws, bounded in depth and memory for any bytes.
///
///     for (;;) {
///         auto analysis = analyze(sql, context);
///         if (analysis.missing.empty()) break;      // decided
///         look the names up, put the answers (absent ones too) into the catalog, again
///     }
///
/// The loop ends: a name is reported missing only while the catalog has no entry for it.
/// Promise: a statement that is not fully understood and could concern a protected relation is
/// rejected. Not promised: that the server accepts what passes.
/// A plan is valid as long as policy, search_path, catalog, parameter OIDs, and (if it holds
/// SealedLiterals) TextStyle are those of the call; one with a used_name, while that name stands
/// for `used`. Any thread.
Analysis analyze(std::string_view sql, const Context& context);

/// True for every spelling of a parameter name under `pgveil.` or `pgveil_verified.`:
/// ASCII case folded, `-` read as `_`.
bool is_veil_parameter_name(std::string_view name);

/// The parameter that `name` spells, by the same folding; nullopt for any other name, unknown
/// `pgveil.*` ones included.
std::optional<SessionParameter> session_parameter_of(std::string_view name);

/// "pgveil.user_id", ...
std::string_view name_of(SessionParameter parameter);

}  // namespace pgveil::analysis
