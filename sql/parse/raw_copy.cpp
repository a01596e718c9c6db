#include "sql/parse/raw.hpp"

#include <memory>
#include <utility>

extern "C" {
#include <nodes/value.h>
}

namespace pgveil::parse {

namespace {

Copy::Option option_of(const DefElem& raw) {
    Copy::Option option;
    option.name = text_or_empty(raw.defname);
    if (raw.arg == nullptr) {
        return option;
    }
    option.form = Copy::Option::Form::kText;
    switch (static_cast<int>(tag_of(raw.arg))) {
        case T_String: option.text = text_or_empty(node_as<String>(raw.arg)->sval); break;
        case T_Integer: option.text = std::to_string(node_as<Integer>(raw.arg)->ival); break;
        case T_Boolean: option.text = node_as<Boolean>(raw.arg)->boolval ? "true" : "false"; break;
        case T_List:
            option.form = Copy::Option::Form::kColumns;
            option.columns = names_of(reinterpret_cast<const List*>(raw.arg));
            break;
        case T_A_Star: option.form = Copy::Option::Form::kAllColumns; break;
        default: option.form = Copy::Option::Form::kOther;
    }
    return option;
}

}  // namespace

Copy RawReader::copy(const CopyStmt& raw) {
    Copy result;
    if (raw.relation != nullptr) {
        result.target = table(raw.relation);
    }
    result.columns = names_of(raw.attlist);
    if (raw.query != nullptr) {
        result.query = std::make_unique<Statement>();
        if (!read_query(raw.query, *result.query)) {
            note_unknown();
        }
    }
    result.is_from = raw.is_from;
    result.is_at_server = raw.is_program || raw.filename != nullptr;
    for (const void* element : elements_of(raw.options)) {
        result.options.push_back(option_of(*node_as<DefElem>(element)));
    }
    result.where = expression(raw.whereClause);
    return result;
}

}  // namespace pgveil::parse
