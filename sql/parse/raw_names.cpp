#include "sql/parse/raw.hpp"

#include <span>
#include <string>

namespace pgveil::parse {

std::vector<const void*> elements_of(const List* list) {
    std::vector<const void*> elements;
    if (list == nullptr) {
        return elements;
    }
    const std::span cells(list->elements, static_cast<std::size_t>(list->length));
    elements.reserve(cells.size());
    for (const ListCell& cell : cells) {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-union-access): a List of nodes holds pointers
        elements.push_back(cell.ptr_value);
    }
    return elements;
}

Names names_of(const List* list) {
    Names names;
    for (const void* element : elements_of(list)) {
        if (element != nullptr && tag_of(element) == T_String) {
            names.push_back(text_or_empty(node_as<String>(element)->sval));
        }
    }
    return names;
}

void RawReader::note_names(const void* node) {
    const std::size_t calls = inventory_.calls.size();
    static_cast<void>(expression(node));
    inventory_.calls.resize(calls);  // they point into what is gone
}

TypeName RawReader::type_name(const ::TypeName* type) {
    TypeName result;
    if (type == nullptr) {
        result.is_odd = true;
        return result;
    }
    result.names = names_of(type->names);
    result.begin = offset_of(type->location);
    result.is_array = type->arrayBounds != nullptr;
    result.is_odd = type->setof || type->pct_type;
    for (const void* modifier : elements_of(type->typmods)) {
        const auto* constant = node_as<A_Const>(modifier);
        // NOLINTBEGIN(cppcoreguidelines-pro-type-union-access): PostgreSQL's tagged union
        if (tag_of(modifier) != T_A_Const || constant->isnull ||
            constant->val.node.type != T_Integer) {
            result.is_odd = true;
            note_names(modifier);
            continue;
        }
        result.typmods.push_back(constant->val.ival.ival);
        // NOLINTEND(cppcoreguidelines-pro-type-union-access)
    }
    if (!result.names.empty() && result.names.front() != "pg_catalog") {
        inventory_.types.try_emplace(result.names, result.begin);
    }
    return result;
}

void CommonNames::push(std::string name) {
    ++counts_[name];
    names_.push_back(std::move(name));
}

void CommonNames::cut(std::size_t size) {
    while (names_.size() > size) {
        const auto found = counts_.find(names_.back());
        if (--found->second == 0) {
            counts_.erase(found);
        }
        names_.pop_back();
    }
}

}  // namespace pgveil::parse
