#include "sql/analysis/facade.hpp"

#include "sql/schema/facade.hpp"
#include "sql/schema/schema.hpp"

#include <algorithm>

namespace pgveil::analysis {

namespace {

/// Puts façades into one statement.
class CatalogReader {
public:
    CatalogReader(Draft& draft, const parse::Statement& statement)
        : draft_(draft), text_(draft.text()), inventory_(statement.inventory) {}

    void run() {
        for (const auto& table : inventory_.tables) {
            if (const catalog::Relation* const relation = relation_behind(table)) {
                replace(table, *relation);
            }
        }
        for (const auto& reference : inventory_.references) {
            shorten(reference);
        }
    }

private:
    const catalog::Relation* relation_behind(const parse::Inventory::Table& table) {
        const bool may_be = table.schema.empty() ? schema::has_facade(table.name)
                                                 : schema::has_facade(table.schema, table.name);
        if (!may_be || !table.is_source || table.is_common) {
            return nullptr;
        }
        const auto* const relation = text_.relations.described({table.schema, table.name});
        const bool has_one =
            relation != nullptr && schema::has_facade(relation->schema, relation->name);
        return has_one ? relation : nullptr;
    }

    void replace(const parse::Inventory::Table& table, const catalog::Relation& relation) {
        const auto& system_columns = inventory_.system_columns;
        if (inventory_.has_star && !system_columns.empty()) {
            draft_.refuse(refusal_of(
                relation.schema + "." + relation.name,
                "* beside the system column " + system_columns.front(),
                "list the columns",
                table.begin
            ));
            return;
        }
        const auto name = text_.tokens.at(table.begin);
        const auto end = parse::qualified_name_end(text_.tokens, table.begin);
        if (!name || !end) {
            draft_.refuse(refusal_of(
                table.name, "this way of writing a relation name", "write schema.table", table.begin
            ));
            return;
        }
        std::string text = schema::facade_of(relation, text_.context.policy, system_columns);
        if (!table.has_alias) {
            text += " AS " + schema::quote_identifier(table.name);
        }
        Splice place = whole_reference(*name, *end);
        if (is_table_command_) {
            text.insert(0, "SELECT * FROM ");
        }
        draft_.splice(place.begin, place.end, FixedText{std::move(text)});
        replaced_.push_back({table.schema, table.name});
    }

    /// The name with what may stand around it only when it is a table: ONLY, `*`, TABLE.
    Splice whole_reference(std::size_t first, std::uint32_t end) {
        const parse::Tokens& tokens = text_.tokens;
        std::size_t last = tokens.inside(tokens[first].begin, end).last;  // behind the name
        if (last < tokens.size() && tokens.text_of(tokens[last]) == "*") {
            ++last;
        }
        const bool in_parentheses =
            first >= 2 && tokens.is_symbol(first - 1, "(") && tokens.is_word(first - 2, "only");
        if (in_parentheses) {
            first -= 2;
            ++last;
        } else if (first >= 1 && tokens.is_word(first - 1, "only")) {
            --first;
        }
        is_table_command_ = first >= 1 && tokens.is_word(first - 1, "table");
        if (is_table_command_) {
            --first;
        }
        return {tokens[first].begin, tokens[last - 1].end, FixedText{}};
    }

    /// `pg_catalog.pg_type.oid` becomes `pg_type.oid`: a sub-select has no schema.
    void shorten(const parse::Inventory::Reference& reference) {
        const catalog::RelationName name{
            *(reference.relation.end() - 2), reference.relation.back()};
        const auto first = text_.tokens.at(reference.begin);
        const bool is_replaced =
            std::find(replaced_.begin(), replaced_.end(), name) != replaced_.end();
        const std::size_t last = first.value_or(0) + 2 * (reference.relation.size() - 1);
        const bool is_there = is_replaced && first && last < text_.tokens.size() &&
                              text_.tokens.name_at(last) == name.name;
        if (!is_there) {
            return;
        }
        // All of it is replaced, so that the position of an error is where the reference begins.
        const parse::Token& kept = text_.tokens[last];
        draft_.splice(
            reference.begin, kept.end, FixedText{std::string(text_.tokens.text_of(kept))}
        );
    }

    Draft& draft_;
    Text& text_;
    const parse::Inventory& inventory_;
    std::vector<catalog::RelationName> replaced_;
    bool is_table_command_ = false;
};

}  // namespace

void show_plain_catalog(Draft& draft, const parse::Statement& statement) {
    if (!draft.text().context.policy.is_empty()) {
        CatalogReader(draft, statement).run();
    }
}

}  // namespace pgveil::analysis
