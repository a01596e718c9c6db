#pragma once

#include "proxy/relay/row_keys.hpp"
#include "sql/analysis/plan.hpp"
#include "sql/types/style.hpp"

#include <boost/system/result.hpp>

// A value that a client binds, on its way to the column. Errors are PostgreSQL's.
namespace pgveil::relay {

/// The value a client sent for a parameter (or an element of it; not NULL), as the send form of its
/// input type.
boost::system::result<core::SecretBytes, Refusal> read_parameter(
    const analysis::ParameterPlan& parameter,
    const FormattedCell& sent,
    const types::TextStyle& style
);

/// The same value after the casts around the parameter.
boost::system::result<core::SecretBytes, Refusal> cast_parameter(
    const analysis::ParameterPlan& parameter, core::SecretBytes value, const types::TextStyle& style
);

/// What is sealed for the column of a protected parameter, from what read_parameter() gave.
boost::system::result<core::SecretBytes, Refusal> plaintext_of_parameter(
    const analysis::ParameterPlan& parameter, core::SecretBytes value, const types::TextStyle& style
);

}  // namespace pgveil::relay
