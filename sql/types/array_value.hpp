#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/codec.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

// Arrays of every type (PostgreSQL documentation section 8.15). The send form is: number of
// dimensions, 1 if an element is NULL, OID of the element type, size and lower bound of each
// dimension, then each element as its size (-1: NULL) and its send form; numbers of 4 bytes.
namespace pgveil::types {

inline constexpr std::size_t kArrayDimensionsMax = 6;

struct ArrayDimension {
    std::int32_t size = 0;
    std::int32_t lower_bound = 1;
};

using ArrayDimensions = std::vector<ArrayDimension>;

/// Collects the elements of an array.
class ArrayWriter {
public:
    void add_null();
    void add(core::ByteView element);

    std::size_t count() const { return count_; }

    /// `dimensions` agree with the number of elements. Without elements: the empty array.
    core::SecretBytes finish(Kind element, const ArrayDimensions& dimensions) const;

private:
    core::SecretBytes elements_;
    std::size_t count_ = 0;
    bool has_null_ = false;
};

/// An array's send form, taken apart.
class ArrayReader {
public:
    /// array_recv's checks, elements aside: 08P01, 22P03, 42804, 54000. Borrows `binary`.
    static Result<ArrayReader> open(Kind element, core::ByteView binary);

    const ArrayDimensions& dimensions() const { return dimensions_; }

    /// The next element, NULL as nullopt. As often as there are elements.
    Result<std::optional<core::ByteView>> next();

    std::size_t count() const { return count_; }

    bool is_at_end() const { return rest_.empty(); }

private:
    Result<void> read_dimensions(std::int32_t number);

    ArrayDimensions dimensions_;
    std::size_t count_ = 0;
    core::ByteView rest_;
};

/// array_in, with assignment to the element's typmod. Errors in its braces are 22P02 "malformed
/// array literal" without PostgreSQL's detail, which differs between versions.
Result<core::SecretBytes> array_from_text(Type type, std::string_view text, const TextStyle& style);

Result<core::SecretBytes> array_from_binary(Type type, core::ByteView binary);

/// array_out; `binary` is a send form, else 22P03.
Result<void> append_array(Type type, core::ByteView binary, const TextStyle& style, TextSink& sink);

using ElementConversion = std::function<Result<core::SecretBytes>(core::ByteView)>;

/// The same array over `to`, each element but NULL through `convert`.
Result<core::SecretBytes> convert_elements(
    Kind from, Kind to, core::ByteView binary, const ElementConversion& convert
);

}  // namespace pgveil::types
