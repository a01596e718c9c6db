#include "sql/parse/raw.hpp"

#include <string_view>
#include <utility>

// What hangs on the columns of a table: sequences with an owner, extended statistics.
namespace pgveil::parse {

namespace {

/// OWNED BY among the options; OWNED BY NONE and a missing one are none.
const DefElem* owner_among(const List* options) {
    const DefElem* found = nullptr;
    for (const void* element : elements_of(options)) {
        const auto& option = *node_as<DefElem>(element);
        if (std::string_view(option.defname) != "owned_by") {
            continue;
        }
        if (found != nullptr) {
            return nullptr;  // an error, with names that nobody reads
        }
        found = &option;
    }
    return found;
}

bool read_owner(const List* options, std::string_view command, Statement& into) {
    const DefElem* const option = owner_among(options);
    if (option == nullptr || option->arg == nullptr || tag_of(option->arg) != T_List) {
        return false;
    }
    Names names = names_of(node_as<List>(option->arg));
    constexpr std::size_t kMost = 3;  // schema.table.column
    if (names.size() < 2 || names.size() > kMost) {
        return false;
    }
    OwnedSequence sequence;
    sequence.command = command;
    sequence.owner.begin = offset_of(option->location);
    sequence.column = std::move(names.back());
    names.pop_back();
    sequence.owner.name = std::move(names.back());
    names.pop_back();
    if (!names.empty()) {
        sequence.owner.schema = std::move(names.front());
    }
    into.node = std::move(sequence);
    return true;
}

}  // namespace

bool RawReader::read_dependent(const void* node, Statement& into) {
    switch (static_cast<int>(tag_of(node))) {
        case T_CreateSeqStmt:
            return read_owner(node_as<CreateSeqStmt>(node)->options, "CREATE SEQUENCE", into);
        case T_AlterSeqStmt:
            return read_owner(node_as<AlterSeqStmt>(node)->options, "ALTER SEQUENCE", into);
        case T_CreateStatsStmt: return read_statistics(*node_as<CreateStatsStmt>(node), into);
        default: return false;
    }
}

bool RawReader::read_statistics(const CreateStatsStmt& raw, Statement& into) {
    const auto relations = elements_of(raw.relations);
    if (relations.size() != 1 || tag_of(relations.front()) != T_RangeVar) {
        return false;
    }
    CreateStatistics result;
    result.target = table(node_as<RangeVar>(relations.front()));
    for (const void* each : elements_of(raw.exprs)) {
        const auto& part = *node_as<StatsElem>(each);
        IndexElement element;
        element.column = text_or_empty(part.name);
        element.expression = expression(part.expr);
        result.elements.push_back(std::move(element));
    }
    into.node = std::move(result);
    return true;
}

}  // namespace pgveil::parse
