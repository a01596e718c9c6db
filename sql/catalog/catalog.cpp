#include "sql/catalog/catalog.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pgveil::catalog {

namespace {

std::size_t size_of(const RelationName& name, const Entry& entry) {
    constexpr std::size_t kNodeOverhead = 64;
    return kNodeOverhead + sizeof(RelationName) + name.schema.size() + size_bytes_of(entry);
}

void append_quoted(std::string& into, std::string_view identifier) {
    into.push_back('"');
    for (const char letter : identifier) {
        into.append(letter == '"' ? 2 : 1, letter);
    }
    into.push_back('"');
}

}  // namespace

bool names_type(const RelationName& name) {
    return name.kind == RelationName::Kind::kType || name.kind == RelationName::Kind::kTypeOid;
}

std::size_t size_bytes_of(const Entry& entry) {
    std::size_t size = sizeof(Entry) + entry.creation_schema.size();
    if (entry.relation) {
        size += entry.relation->schema.size() + entry.relation->name.size() +
                entry.relation->view_text.size() + entry.relation->query_hash.size() +
                entry.relation->partition_key.size();
        for (const QualifiedName& ancestor : entry.relation->ancestors) {
            size += sizeof(QualifiedName) + ancestor.schema.size() + ancestor.name.size();
        }
        for (const Column& column : entry.relation->columns) {
            size += sizeof(Column) + column.name.size() + column.type_name.size();
        }
        for (const auto& key : entry.relation->keys) {
            size += sizeof(std::vector<std::int16_t>) + key.size() * sizeof(std::int16_t);
        }
    }
    if (entry.enum_type) {
        size += entry.enum_type->schema.size() + entry.enum_type->shown_name.size();
    }
    if (entry.held_rows) {
        for (const QualifiedName& name : entry.held_rows->relations) {
            size += sizeof(QualifiedName) + name.schema.size() + name.name.size();
        }
    }
    for (const Routine& routine : entry.routines) {
        size += sizeof(Routine) + routine.schema.size();
    }
    return size;
}

const Column* Relation::column(std::string_view column_name) const {
    const auto found =
        std::find_if(columns.begin(), columns.end(), [column_name](const Column& column) {
            return column.name == column_name;
        });
    return found == columns.end() ? nullptr : &*found;
}

const Entry* Catalog::find(const RelationName& name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : found->second.get();
}

std::shared_ptr<const Entry> Catalog::share(const RelationName& name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : found->second;
}

void Catalog::put(RelationName name, Entry entry) {
    erase(name);
    size_bytes_ += size_of(name, entry);
    const auto former = former_.find(name);
    const bool is_as_before = former != former_.end() && *former->second == entry;
    auto kept = is_as_before ? former->second : std::make_shared<const Entry>(std::move(entry));
    entries_.emplace(std::move(name), std::move(kept));
}

void Catalog::erase(const RelationName& name) {
    const auto found = entries_.find(name);
    if (found != entries_.end()) {
        size_bytes_ -= size_of(found->first, *found->second);
        entries_.erase(found);
    }
}

void Catalog::erase_absent() {
    for (auto item = entries_.begin(); item != entries_.end();) {
        const RelationName::Kind kind = item->first.kind;
        const bool is_absent = (kind == RelationName::Kind::kRelation && !item->second->relation) ||
                               (kind == RelationName::Kind::kEnum && !item->second->enum_type) ||
                               (names_type(item->first) && !item->second->held_rows);
        size_bytes_ -= is_absent ? size_of(item->first, *item->second) : 0;
        item = is_absent ? entries_.erase(item) : std::next(item);
    }
}

void Catalog::clear() {
    if (!entries_.empty()) {
        former_ = std::move(entries_);
    }
    entries_.clear();
    size_bytes_ = 0;
}

std::string shape_of(const Relation& relation) {
    std::string shape(1, relation.relkind);
    for (const Column& column : relation.columns) {
        shape += &column == &relation.columns.front() ? " " : ", ";
        append_quoted(shape, column.name);
        shape += " " + (column.is_ciphertext ? "ciphertext" : std::to_string(column.type_oid));
        if (!column.is_ciphertext && column.typmod >= 0) {
            shape += "(" + std::to_string(column.typmod) + ")";
        }
    }
    return relation.query_hash.empty() ? shape : shape + " query " + relation.query_hash;
}

std::string quoted(const RelationName& name) {
    std::string result;
    if (!name.schema.empty()) {
        append_quoted(result, name.schema);
        result.push_back('.');
    }
    append_quoted(result, name.name);
    return result;
}

}  // namespace pgveil::catalog
