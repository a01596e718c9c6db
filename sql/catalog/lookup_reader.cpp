#include "sql/catalog/lookup.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace pgveil::catalog {

namespace {

using Cell = std::optional<std::string_view>;

constexpr std::size_t kOidCell = 2;
constexpr std::size_t kOverProtectedCell = 6;
constexpr std::size_t kAttnumCell = 8;
constexpr std::size_t kCiphertextCell = 13;
constexpr std::size_t kRoutineCell = 18;
constexpr std::size_t kViewCell = 20;
constexpr std::size_t kAncestorsCell = 21;
constexpr std::size_t kPartitionKeyCell = 22;
constexpr std::size_t kKeysCell = 23;
constexpr std::size_t kEnumCell = 24;
constexpr std::size_t kQueryHashCell = 28;
constexpr std::size_t kInterceptedCell = 29;
constexpr std::size_t kHeldRowsCell = 30;
constexpr std::size_t kViewpointCell = 32;
constexpr std::size_t kDataKeyCell = 33;

/// Reads the cells of one row from left to right; any defect is remembered and reported once.
class RowReader {
public:
    explicit RowReader(LookupRow row) : row_(row) {}

    bool next_is_null() const { return next_ >= row_.size() || !row_[next_]; }

    bool next_is_null_or_empty() const { return next_is_null() || row_[next_]->empty(); }

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
    cells.skip_to(kDataKeyCell);
    column.data_key = cells.next_is_null_or_empty() ? 0 : cells.number<std::uint32_t>();
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

std::string read_text(LookupRow row, std::size_t cell) {
    RowReader cells(row);
    cells.skip_to(cell);
    return cells.text_or_empty();
}

/// Takes one `"name"` from the front of `text`, inner quotes doubled; nullopt: there is none.
std::optional<std::string> take_quoted(std::string_view& text) {
    std::string name;
    if (!text.starts_with('"')) {
        return std::nullopt;
    }
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"' && !text.substr(i + 1).starts_with('"')) {
            text.remove_prefix(i + 1);
            return name;
        }
        i += text[i] == '"' ? std::size_t{1} : 0;
        name.push_back(text[i]);
    }
    return std::nullopt;
}

/// `"schema"."name" "schema"."name"`; nullopt: it is not written so.
std::optional<std::vector<QualifiedName>> qualified_names_in(std::string_view text) {
    std::vector<QualifiedName> names;
    while (!text.empty()) {
        auto schema = take_quoted(text);
        const bool has_point = text.starts_with('.');
        text.remove_prefix(has_point ? 1 : 0);
        auto name = schema && has_point ? take_quoted(text) : std::nullopt;
        if (!name) {
            return std::nullopt;
        }
        names.push_back({std::move(*schema), std::move(*name)});
        text.remove_prefix(text.starts_with(' ') ? 1 : 0);
    }
    return names;
}

/// `1 2,3`. False: not of this form.
bool read_keys(const Cell& cell, std::vector<std::vector<std::int16_t>>& into) {
    std::string_view rest = cell.value_or(std::string_view());
    bool begins_key = true;
    while (!rest.empty()) {
        std::int16_t attnum = 0;
        const auto [stop, code] = std::from_chars(rest.data(), rest.data() + rest.size(), attnum);
        if (code != std::errc()) {
            return false;
        }
        if (begins_key) {
            into.emplace_back();
        }
        into.back().push_back(attnum);
        rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
        begins_key = rest.starts_with(',');
        if (!rest.empty() && !begins_key && !rest.starts_with(' ')) {
            return false;
        }
        rest.remove_prefix(std::min<std::size_t>(rest.size(), 1));
    }
    return true;
}

Routine read_routine(RowReader& cells) {
    Routine routine;
    routine.schema = cells.text();
    const std::string reason = cells.text();
    routine.reason = reason == "v"   ? Routine::Reason::kSignature
                     : reason == "t" ? Routine::Reason::kType
                     : reason == "u" ? Routine::Reason::kUnread
                                     : Routine::Reason::kSource;
    return routine;
}

std::optional<EnumType> read_enum(RowReader& cells) {
    cells.skip_to(kEnumCell);
    if (cells.next_is_null()) {
        return std::nullopt;
    }
    EnumType type;
    type.oid = cells.number<std::uint32_t>();
    type.array_oid = cells.number<std::uint32_t>();
    type.schema = cells.text();
    type.shown_name = cells.text();
    return type;
}

/// A row of a brief answer that does not say what the relation is.
bool leaves_open(LookupRow row) {
    const bool has_column = row[kAttnumCell].has_value();
    const bool has_keys =
        row[kDataKeyCell] && row[kDataKeyCell]->find(' ') != Cell::value_type::npos;
    return row[kOidCell] &&
           (!row[kOverProtectedCell] || has_keys || (has_column && !row[kCiphertextCell]));
}

Error unexpected(const char* what) {
    return Error{std::string("the answer to the catalog lookup is not as expected: ") + what};
}

/// What stands in the first row of a relation only.
Result<void> read_first_row(LookupRow row, Relation& relation) {
    if (relation.over_protected) {
        relation.view_text = read_text(row, kViewCell);
    }
    relation.query_hash = read_text(row, kQueryHashCell);
    relation.is_intercepted = read_text(row, kInterceptedCell) == "t";
    auto ancestors = qualified_names_in(read_text(row, kAncestorsCell));
    if (!ancestors) {
        return unexpected("parents that cannot be read");
    }
    relation.ancestors = std::move(*ancestors);
    relation.partition_key = read_text(row, kPartitionKeyCell);
    if (!read_keys(row[kKeysCell], relation.keys)) {
        return unexpected("keys that cannot be read");
    }
    return {};
}

}  // namespace

std::string viewpoint_query() {
    return "SELECT " + std::string(kViewpoint);
}

LookupReader::LookupReader(std::vector<RelationName> names, Answers answers)
    : names_(std::move(names)),
      entries_(names_.size()),
      is_open_(names_.size()),
      is_brief_(answers == Answers::kBrief) {}

Result<void> LookupReader::add_row(LookupRow row) {
    if (row.size() != kLookupColumns) {
        return unexpected("wrong number of columns");
    }
    viewpoint_ = row[kViewpointCell].value_or(std::string_view());
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
    if (is_brief_ && leaves_open(row)) {
        is_open_[ordinal - 1] = true;
    }
    if (is_open_[ordinal - 1]) {
        return {};
    }
    if (cells.next_is_null()) {
        return add_other(row, is_first, names_[ordinal - 1]);
    }
    Relation relation = read_relation(cells);
    if (is_first) {
        auto read = read_first_row(row, relation);
        if (!read.has_value()) {
            return read;
        }
        entry->relation = std::move(relation);
    } else if (!entry->relation || entry->relation->oid != relation.oid) {
        return unexpected("one name, two relations");
    }
    if (!cells.next_is_null()) {
        entry->relation->columns.push_back(read_column(cells));
    }
    return cells.good() ? Result<void>() : unexpected("a cell that cannot be read");
}

/// A name without a relation.
Result<void> LookupReader::add_other(LookupRow row, bool is_first, const RelationName& name) {
    if (names_type(name)) {
        return add_type(row, is_first);
    }
    return name.kind == RelationName::Kind::kEnum ? add_enum(row, is_first)
                                                  : add_routine(row, is_first);
}

/// A name of functions, or absent.
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

Result<void> LookupReader::add_enum(LookupRow row, bool is_first) {
    RowReader cells(row);
    const auto index = cells.number<std::uint32_t>() - 1;
    entries_[index]->enum_type = read_enum(cells);
    if (!is_first) {
        return unexpected("one name, two enums");
    }
    return cells.good() ? Result<void>() : unexpected("an enum that cannot be read");
}

Result<void> LookupReader::add_type(LookupRow row, bool is_first) {
    RowReader cells(row);
    const auto index = cells.number<std::uint32_t>() - 1;
    cells.skip_to(kHeldRowsCell);
    if (!is_first) {
        return unexpected("one name, two types");
    }
    if (cells.next_is_null()) {
        return {};
    }
    HeldRows held;
    held.is_veiled = cells.truth();
    auto relations = qualified_names_in(cells.text_or_empty());
    if (!relations || !cells.good()) {
        return unexpected("a type that cannot be read");
    }
    held.relations = std::move(*relations);
    entries_[index]->held_rows = std::move(held);
    return {};
}

bool LookupReader::names_keys() const {
    return std::any_of(entries_.begin(), entries_.end(), [](const auto& entry) {
        return entry && entry->relation &&
               std::any_of(
                   entry->relation->columns.begin(),
                   entry->relation->columns.end(),
                   [](const Column& column) { return column.data_key != 0; }
               );
    });
}

void LookupReader::take_for_usual(std::span<const std::uint32_t> key_ids) {
    for (auto& entry : entries_) {
        if (!entry || !entry->relation) {
            continue;
        }
        for (Column& column : entry->relation->columns) {
            if (std::find(key_ids.begin(), key_ids.end(), column.data_key) != key_ids.end()) {
                column.data_key = 0;
            }
        }
    }
}

std::vector<RelationName> LookupReader::left_open() const {
    std::vector<RelationName> names;
    for (std::size_t i = 0; i < names_.size(); ++i) {
        if (is_open_[i]) {
            names.push_back(names_[i]);
        }
    }
    return names;
}

Result<void> LookupReader::finish(Catalog& catalog) && {
    for (const auto& entry : entries_) {
        if (!entry) {
            return unexpected("a name without a row");
        }
    }
    for (std::size_t i = 0; i < names_.size(); ++i) {
        if (!is_open_[i]) {
            catalog.put(std::move(names_[i]), std::move(*entries_[i]));
        }
    }
    return {};
}

}  // namespace pgveil::catalog
