#include "sql/field/row_binding.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/core/lp.hpp"

#include <algorithm>

namespace pgveil::field {

namespace {

bool is_integer(types::Kind kind) {
    return kind == types::Kind::kInt2 || kind == types::Kind::kInt4 || kind == types::Kind::kInt8;
}

/// Two's complement on eight bytes.
core::Bytes widened(core::ByteView integer) {
    constexpr std::size_t kWidth = 8;
    const bool is_negative = (integer.front() & 0x80U) != 0;
    core::Bytes wide(kWidth, is_negative ? 0xff : 0);
    std::copy_backward(integer.begin(), integer.end(), wide.end());
    return wide;
}

}  // namespace

bool can_bind(types::Kind kind) {
    return is_integer(kind) || kind == types::Kind::kUuid;
}

bool is_same_key_type(types::Kind left, types::Kind right) {
    return left == right || (is_integer(left) && is_integer(right));
}

core::Bytes row_binding(std::span<const KeyValue> keys) {
    core::invariant(!keys.empty(), "a bound value has a row");
    core::Bytes binding;
    for (const KeyValue& key : keys) {
        core::invariant(can_bind(key.kind), "a key of bind_to has one of the types for it");
        const auto size = static_cast<std::size_t>(types::typlen_of(key.kind));
        core::invariant(key.form.size() == size, "a key of bind_to is in its send form");
        const types::Kind kind = is_integer(key.kind) ? types::Kind::kInt8 : key.kind;
        const core::Bytes form = is_integer(key.kind) ? widened(key.form) : key.form;
        core::append(
            binding, core::length_prefixed({core::as_bytes(types::canonical_name_of(kind)), form})
        );
    }
    return binding;
}

}  // namespace pgveil::field
