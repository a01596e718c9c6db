#pragma once

#include "sql/types/type.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Enums (PostgreSQL documentation section 8.7). Which ones there are and what their labels are says
// the policy; which OIDs they have and how they are written says the database of a session.
namespace pgveil::types {

struct EnumDefinition {
    std::string schema;
    std::string name;
    std::vector<std::string> labels;  // at least one; valid UTF-8

    friend bool operator==(const EnumDefinition&, const EnumDefinition&) = default;
};

/// What a database calls an enum. All zero and empty: not known yet.
struct EnumIdentity {
    std::uint32_t oid = 0;
    std::uint32_t array_oid = 0;
    std::string shown_name;  // format_type(): it depends on search_path

    friend bool operator==(const EnumIdentity&, const EnumIdentity&) = default;
};

/// The kind of an enum, the same for equal arguments. Kinds are kept until the process ends, so
/// their number is limited: beyond 65536 an error (54000). Thread-safe, as all functions here.
Result<Kind> enum_kind(const EnumDefinition& definition, const EnumIdentity& identity = {});

/// Of an enum or an array of it.
const EnumDefinition& enum_definition_of(Kind kind);
const EnumIdentity& enum_identity_of(Kind kind);

/// True for enums of one definition (or arrays of them), in whatever database.
bool is_same_enum(Kind left, Kind right);

/// `schema.name`, a part that is not [a-z_][a-z0-9_$]* in double quotes.
std::string enum_name_of(const EnumDefinition& definition);

/// enum_in(), enum_recv(): 22P02 for what is no label.
Result<void> check_label(Kind kind, std::string_view text);

}  // namespace pgveil::types
