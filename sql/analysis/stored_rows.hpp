#pragma once

#include "sql/analysis/relations.hpp"
#include "sql/analysis/value.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace pgveil::analysis {

/// The stored rows that values of a statement come from unchanged (Value::stored), and which of
/// them a list of values tells apart. One object per statement; relations are borrowed.
class StoredRows {
public:
    /// Rows of one FROM item; the number that Value::stored names.
    std::size_t add(const KnownRelation& relation);

    /// A value that comes from the one or the other, as of a set operation: nowhere, unless both
    /// are the same column of one relation.
    Origin either(const Origin& one, const Origin& other);

    /// Two rows of `list` that agree in all that can be compared agree in `value`, too: the list
    /// holds a unique key of the stored row that the value comes from.
    bool is_settled(const Value& value, std::span<const Value> list) const;

private:
    struct Rows {
        const catalog::Relation* relation = nullptr;
        std::size_t one = 0;  // of either(): the numbers that it joins
        std::size_t other = 0;
    };

    bool holds(std::int16_t attnum, std::size_t number, std::span<const Value> list) const;

    std::vector<Rows> rows_;
};

}  // namespace pgveil::analysis
