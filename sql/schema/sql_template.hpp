#pragma once

#include <string>
#include <string_view>

namespace pgveil::schema {

/// Expands the short forms of our own SQL texts, so that they read like SQL although every name and
/// operator has to be qualified (the session's search_path is the client's):
///   {=} {<>} {>} {-} {||}  the operators of pg_catalog
///   {marker}            the OID of pgveil.ciphertext, NULL where there is none
///   {home}              the OID of schema pgveil, NULL where there is none
/// Any other brace stays as it is. Literals of a person may not stand in `text`: a name with a
/// short form in it would be expanded.
std::string expand(std::string_view text);

/// An E'' literal that means `text` (UTF-8) whatever standard_conforming_strings and
/// client_encoding are: all but ASCII is written as \uXXXX.
std::string quote_literal(std::string_view text);

}  // namespace pgveil::schema
