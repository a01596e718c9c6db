#include "sql/catalog/lookup.hpp"

#include <charconv>
#include <limits>
#include <utility>

namespace pgveil::catalog {

namespace {

using Cell = std::optional<std::string_view>;

constexpr std::size_t kRoutineCell = 18;
constexpr std::size_t kViewCell = 20;

/// Reads the cells of one row from left to right; any defect is remembered and reported once.
class RowReader {
public:
    explicit RowReader(LookupRow row) : row_(row) {}

    bool next_is_null() const { return next_ >= row_.size() || !row_[next_]; }

    std::string text() {
        const Cell cell = take();
        good_ = good_ && cell.has_value();
        return std::string(cell.value_or(std::string_view()));
    }

    std::string text_or_empty() { return std::string(take().value_or(std::string_view())); }

    template <class Number>
    Number number() {
        const Cell cell = take();
        Number value = 0;
        const std::string_view digits = cell.value_or(std::string_view());
        const auto* const end = digits.data() + digits.size();
        const auto [stop, code] = std::from_chars(digits.data(), end, value);
        good_ = good_ && cell.has_value() && code == std::errc() && stop == end;
        return value;
    }

    bool truth() {
        const Cell cell = take();
        good_ = good_ && (cell == "t" || cell == "f");
        return cell == "t";
    }

    bool good() const { return good_; }

    /// The cells from `index` on come next.
    void skip_to(std::size_t index) { next_ = index; }

private:
    Cell take() { return next_ < row_.size() ? row_[next_++] : std::nullopt; }

    LookupRow row_;
    std::size_t next_ = 0;
    bool good_ = true;
};

Column read_column(RowReader& cells) {
    Column column;
    column.attnum = cells.number<std::int16_t>();
    column.name = cells.text();
    column.type_oid = cells.number<std::uint32_t>();
    column.typmod = cells.number<std::int32_t>();
    column.type_name = cells.text();
    column.is_ciphertext = cells.truth();
    column.not_null = cells.truth();
    column.has_default = cells.truth();
    column.generated_or_identity = cells.truth();
    column.is_generated = cells.truth();
    return column;
}

Relation read_relation(RowReader& cells) {
    Relation relation;
    relation.oid = cells.number<std::uint32_t>();
    relation.schema = cells.text();
    relation.name = cells.text();
    const std::string relkind = cells.text();
    relation.relkind = relkind.size() == 1 ? relkind.front() : '?';
    relation.over_protected = cells.truth();
    relation.has_bytewise_text = cells.truth();
    return relation;
}

void read_view(LookupRow row, Relation& relation) {
    RowReader cells(row);
    cells.skip_to(kViewCell);
    relation.view_text = cells.text_or_empty();
    if (!relation.over_protected) {
        relation.view_text.clear();  // not followed
    }
    relation.query_hash = cells.text_or_empty();
    relation.is_intercepted = cells.text_or_empty() == "t";
}

Routine read_routine(RowReader& cells) {
    Routine routine;
    routine.schema = cells.text();
    const std::string reason = cells.text();
    routine.reason = reason == "v"   ? Routine::Reason::kSignature
                     : reason == "u" ? Routine::Reason::kUnread
                                     : Routine::Reason::kSource;
    return routine;
}

Error unexpected(const char* what) {
    return Error{std::string("the answer to the catalog lookup is not as expected: ") + what};
}

}  // namespace

LookupReader::LookupReader(std::vector<RelationName> names)
    : names_(std::move(names)), entries_(names_.size()) {}

Result<void> LookupReader::add_row(LookupRow row) {
    if (row.size() != kLookupColumns) {
        return unexpected("wrong number of columns");
    }
    RowReader cells(row);
    const auto ordinal = cells.number<std::uint32_t>();
    if (!cells.good() || ordinal == 0 || ordinal > entries_.size()) {
        return unexpected("a row for no name");
    }
    std::string creation_schema = cells.text_or_empty();
    auto& entry = entries_[ordinal - 1];
    const bool is_first = !entry.has_value();
    if (is_first) {
        entry.emplace();
        entry->creation_schema = std::move(creation_schema);
    }
    if (cells.next_is_null()) {
        return add_routine(row, is_first);
    }
    Relation relation = read_relation(cells);
    if (is_first) {
        read_view(row, relation);
        entry->relation = std::move(relation);
    } else if (!entry->relation || entry->relation->oid != relation.oid) {
        return unexpected("one name, two relations");
    }
    if (!cells.next_is_null()) {
        entry->relation->columns.push_back(read_column(cells));
    }
    return cells.good() ? Result<void>() : unexpected("a cell that cannot be read");
}

/// A name without a relation: of functions, or absent.
Result<void> LookupReader::add_routine(LookupRow row, bool is_first) {
    RowReader cells(row);
    const auto index = cells.number<std::uint32_t>() - 1;
    cells.skip_to(kRoutineCell);
    if (cells.next_is_null()) {
        return is_first ? Result<void>() : unexpected("an absent name with two rows");
    }
    if (names_[index].kind == RelationName::Kind::kRelation) {
        return unexpected("a function in place of a relation");
    }
    entries_[index]->routines.push_back(read_routine(cells));
    return cells.good() ? Result<void>() : unexpected("a function that cannot be read");
}

Result<void> LookupReader::finish(Catalog& catalog) && {
    for (const auto& entry : entries_) {
        if (!entry) {
            return unexpected("a name without a row");
        }
    }
    for (std::size_t i = 0; i < names_.size(); ++i) {
        catalog.put(std::move(names_[i]), std::move(*entries_[i]));
    }
    return {};
}

}  // namespace pgveil::catalog
