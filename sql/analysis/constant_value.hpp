#pragma once

#include "keyshare/core/secret.hpp"
#include "sql/analysis/constants.hpp"
#include "sql/analysis/enum_types.hpp"
#include "sql/analysis/plan.hpp"
#include "sql/field/protected_column.hpp"
#include "sql/types/style.hpp"
#include "sql/types/type.hpp"

namespace pgveil::analysis {

/// What reading a constant depends on in the session.
struct Reading {
    const types::TextStyle& style;
    EnumTypes& enums;
};

/// The type that PostgreSQL's make_const() gives a constant: int4, int8 or numeric by its digits.
/// Nullopt: an untyped string, NULL, or a type that is none of ours.
std::optional<types::Kind> kind_of_constant(const parse::Constant& constant);

/// The plaintext of a constant with its casts, as `column` takes it (field::plaintext_of): assigned
/// by assignment casts, or compared without loss. The constant is not NULL.
types::Result<core::SecretBytes> plaintext_of_constant(
    const BareConstant& bare,
    const field::ProtectedColumn& column,
    ParameterUse use,
    const Reading& reading
);

/// The same of a constant without casts: an integer, or an untyped string.
types::Result<core::SecretBytes> plaintext_of_bare_constant(
    const parse::Constant& constant,
    const field::ProtectedColumn& column,
    ParameterUse use,
    const types::TextStyle& style
);

/// A constant with its casts as a parameter of this type takes it, by assignment: an argument of
/// EXECUTE.
types::Result<core::SecretBytes> argument_value(
    const BareConstant& bare, const types::Type& parameter, const Reading& reading
);

/// The plaintext of the value of a parameter, as `column` takes it.
types::Result<core::SecretBytes> plaintext_of_parameter(
    core::ByteView value,
    const types::Type& parameter,
    const field::ProtectedColumn& column,
    ParameterUse use,
    const types::TextStyle& style
);

}  // namespace pgveil::analysis
