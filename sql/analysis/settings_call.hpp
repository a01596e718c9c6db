#pragma once

#include "sql/analysis/draft.hpp"

namespace pgveil::analysis {

/// set_config with a name that the server takes from its own list of settings, as pg_dump writes
/// it:
///
///     SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = '...'
///
/// Parameters of ours do not stand in that list (a custom parameter is never shown there), so the
/// name is none of them, whatever WHERE says. Null if `select` is not of this form, or the value
/// might be a share.
const parse::Expression* settings_call(const parse::Select& select);

/// Makes sure that it is PostgreSQL's own list: nobody's table of the same name.
void pass_settings_call(Draft& draft, const parse::Select& select);

}  // namespace pgveil::analysis
