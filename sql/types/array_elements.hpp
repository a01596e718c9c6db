#pragma once

#include "keyshare/core/bytes.hpp"
#include "sql/types/style.hpp"
#include "sql/types/type.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

// Arrays of one dimension, as PostgreSQL's array_in and array_recv read them (documentation
// section 8.15). More dimensions and bounds (`[2:3]={...}`) are kUnsupportedForm.
namespace pgveil::types {

/// Gets the elements one by one: nullopt is NULL. The bytes are valid during the call only. False
/// ends the reading.
using ElementReader = std::function<bool(std::optional<core::ByteView>)>;

/// The text of each element, quotes and backslashes taken off. 22P02 for what is no array. Of
/// `style` array_nulls counts.
Result<void> read_array_text(
    std::string_view text, const TextStyle& style, const ElementReader& reader
);

/// Each element in binary form. 42804 for elements of another type, 22P03 for what is no array.
Result<void> read_array_binary(core::ByteView binary, Kind element, const ElementReader& reader);

/// The binary form of a bytea[], made element by element.
class ByteaArray {
public:
    void add(std::optional<core::ByteView> element);

    core::Bytes finish() const;

private:
    core::Bytes elements_;
    std::uint32_t count_ = 0;
    bool has_null_ = false;
};

}  // namespace pgveil::types
