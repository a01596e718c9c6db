#pragma once

#include "keyshare/core/bytes.hpp"
#include "sql/types/type.hpp"

#include <span>

// What ties a value to its row (`bind_to`). FORMATS.md, "Row binding".
namespace pgveil::field {

/// One key column's value: its send form in the type `kind`.
struct KeyValue {
    types::Kind kind = types::Kind::kInt8;
    core::Bytes form;

    friend bool operator==(const KeyValue&, const KeyValue&) = default;
};

/// True for the types a key column may have: those where the value that a client gives is, byte for
/// byte, the value that the server stores and compares. int2, int4, int8 and uuid.
bool can_bind(types::Kind kind);

/// True if a value of the one type is a value of the other, whatever its width.
bool is_same_key_type(types::Kind left, types::Kind right);

/// The row's part of the associated data: LP(type, value, ...) over the keys in the order of
/// `bind_to`. Integers count as int8, so that a key column can be widened. Every kind must be one
/// that can_bind(), with a form of its size (invariant); at least one key.
core::Bytes row_binding(std::span<const KeyValue> keys);

}  // namespace pgveil::field
