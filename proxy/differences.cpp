#include "proxy/differences.hpp"

#include "config/migrating.hpp"
#include "sql/catalog/lookup.hpp"
#include "sql/schema/inspection.hpp"
#include "sql/schema/schema.hpp"
#include "sql/types/enum_type.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

namespace pgveil::proxy {

namespace {

using Row = std::vector<std::string>;

std::string entry_name(const config::TablePolicy& table) {
    return table.schema + "." + table.name;
}

template <class Number>
Number number(const std::string& text) {
    Number value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string no_check(
    const std::string& table, const std::string& check, const config::ColumnPolicy& column
) {
    return "has no CHECK " + check + ", so plaintext could be stored: ALTER TABLE " + table +
           " ADD " + schema::check_constraint(column.name, column.scheme);
}

constexpr const char* kViewAdvice =
    "through pgveil it is read as its query tells; make sure that it is meant to be there, and pin "
    "it (pgveil check --pin)";

/// Compares one database with the policy, one kind of difference after the other.
class Comparison {
public:
    Comparison(mirror::Database& database, const config::Policy& policy)
        : database_(database), policy_(policy), names_(catalog::protected_parameter(policy)) {}

    mirror::Result<Differences> run() {
        using Step = std::pair<std::string, void (Comparison::*)(const mirror::Rows&)>;
        const std::vector<Step> steps = {
            {schema::relations_query(), &Comparison::relations},
            {schema::marker_query(), &Comparison::marker},
            {schema::parents_query(), &Comparison::parents},
            {schema::columns_query(), &Comparison::columns},
            {schema::checks_query(), &Comparison::checks},
            {schema::enums_query(), &Comparison::enums},
            {schema::attachments_query(), &Comparison::attachments},
            {schema::views_query(), &Comparison::views}};
        for (const auto& [query, step] : steps) {
            const bool has_parameter = query.find("$1") != std::string::npos;
            const auto rows = database_.run(
                query, has_parameter ? std::vector<std::string>{names_} : std::vector<std::string>{}
            );
            if (!rows.has_value()) {
                return rows.error();
            }
            (this->*step)(*rows);
        }
        std::sort(found_.lines.begin(), found_.lines.end());
        return std::move(found_);
    }

private:
    void add(const std::string& subject, const std::string& what) {
        found_.lines.push_back(subject + ": " + what);
    }

    void relations(const mirror::Rows& rows) {
        for (const Row& row : rows) {
            const auto* const table = policy_.find(row.at(0), row.at(1));
            const std::string name = row.at(0) + "." + row.at(1);
            if (table == nullptr && !policy_.is_listed_plain(row.at(0), row.at(1))) {
                add(name,
                    "has the name of a protected table, but no entry: list it under \"plain\" "
                    "in the policy, or rename it");
            } else if (table != nullptr && row.at(2) != "r" && row.at(2) != "p") {
                add(name,
                    "is not a table, but the policy protects a table of this name: rename it");
            }
            if (table != nullptr) {
                present_.insert(entry_name(*table));
            }
        }
        for (const config::TablePolicy& table : policy_.tables()) {
            if (!present_.contains(entry_name(table)) && !config::is_beside_migrating(table)) {
                found_.missing_tables.insert(entry_name(table));
            }
        }
    }

    void marker(const mirror::Rows& rows) {
        if (rows.empty()) {
            if (!present_.empty()) {
                add("pgveil.ciphertext", "is missing: " + schema::setup_lines_for_owner());
            }
            return;
        }
        const Row& type = rows.front();
        if (type.at(0) != "d" || type.at(1) != "bytea") {
            add("pgveil.ciphertext",
                "is not a domain over bytea: make it anew with CREATE DOMAIN pgveil.ciphertext AS "
                "pg_catalog.bytea, and the columns of this type with it");
        } else if (type.at(2) == "t") {
            add("pgveil.ciphertext",
                "has a constraint, a default or a length: take them off with ALTER DOMAIN");
        }
    }

    void parents(const mirror::Rows& rows) {
        for (const Row& row : rows) {
            parents_[{row.at(0), row.at(1)}].push_back({row.at(2), row.at(3)});
        }
    }

    /// The entry of a table, or of what it is a partition or child of; null: there is none.
    const config::TablePolicy* entry_of(const config::PolicyName& table) const {
        std::vector<config::PolicyName> names = {table};
        for (std::size_t i = 0; i < names.size() && i <= parents_.size(); ++i) {
            if (const auto* const entry = policy_.find(names[i].schema, names[i].name)) {
                return entry;
            }
            if (const auto found = parents_.find(names[i]); found != parents_.end()) {
                names.insert(names.end(), found->second.begin(), found->second.end());
            }
        }
        return nullptr;
    }

    void columns(const mirror::Rows& rows) {
        std::set<std::string> tables;
        for (const Row& row : rows) {
            const auto* const table = entry_of({row.at(0), row.at(1)});
            if (table == nullptr) {
                unknown_column(row);
                continue;
            }
            tables.insert(row.at(0) + "." + row.at(1));
            known_column(*table, row);
            add_to_shape(row);
        }
        for (const std::string& name : tables) {
            missing_columns(name);
        }
        for (const auto& [name, relation] : relations_) {
            found_.shapes[name] = catalog::shape_of(relation);
        }
    }

    void unknown_column(const Row& row) {
        const bool is_encrypted = row.at(4) == "t";
        if (!is_encrypted || !reported_.insert(row.at(0) + "." + row.at(1)).second) {
            return;
        }
        add(row.at(0) + "." + row.at(1) + "." + row.at(2),
            "is encrypted, but the policy has no entry for its table: add one, or drop the column");
    }

    void known_column(const config::TablePolicy& table, const Row& row) {
        const std::string name = row.at(0) + "." + row.at(1);
        const auto* const column = table.column(row.at(2));
        const bool is_encrypted = row.at(4) == "t";
        columns_of_[name].first = &table;
        columns_of_[name].second.insert(row.at(2));
        if (column == nullptr && is_encrypted) {
            add(name + "." + row.at(2),
                "is encrypted, but has no entry in the policy: add one, or drop the column");
        } else if (column != nullptr && !is_encrypted &&
                   config::is_migrating(policy_, table.schema, table.name)) {
            add(name + "." + row.at(2),
                "is plain until `pgveil migrate` has encrypted it: run it, or take the table out "
                "of "
                "\"migrating\"");
        } else if (column != nullptr && !is_encrypted) {
            add(name + "." + row.at(2),
                "is a plain column (" + row.at(3) +
                    "), but the policy protects it: list the "
                    "table under \"migrating\" and run `pgveil migrate`, or take the entry out");
        } else if (column != nullptr) {
            expected_checks_[name][schema::constraint_name(column->name)] = column;
        }
    }

    void add_to_shape(const Row& row) {
        catalog::Relation& relation = relations_[{row.at(0), row.at(1)}];
        relation.relkind = row.at(5).empty() ? 'r' : row.at(5).front();
        catalog::Column column;
        column.name = row.at(2);
        column.is_ciphertext = row.at(4) == "t";
        column.type_oid = number<std::uint32_t>(row.at(6));
        column.typmod = number<std::int32_t>(row.at(7));
        relation.columns.push_back(std::move(column));
    }

    void missing_columns(const std::string& name) {
        const auto& [table, present] = columns_of_[name];
        for (const config::ColumnPolicy& column : table->columns) {
            if (!present.contains(column.name)) {
                add(name + "." + column.name,
                    "is in the policy, but the table has no such column: add it, or take the entry "
                    "out");
            }
        }
    }

    void checks(const mirror::Rows& rows) {
        for (const Row& row : rows) {
            const std::string table = row.at(0) + "." + row.at(1);
            auto& expected = expected_checks_[table];
            auto found = expected.find(row.at(2));
            if (found == expected.end()) {  // RENAME COLUMN leaves its CHECK the old name
                found = std::find_if(expected.begin(), expected.end(), [&row](const auto& entry) {
                    const config::ColumnPolicy& column = *entry.second;
                    return schema::is_check_of(row.at(4), column.name, column.scheme);
                });
            }
            if (found == expected.end()) {
                continue;
            }
            check(table, *found->second, row);
            expected.erase(found);
        }
        for (const auto& [table, expected] : expected_checks_) {
            for (const auto& [name, column] : expected) {
                add(table + "." + column->name, no_check(table, name, *column));
            }
        }
    }

    void check(const std::string& table, const config::ColumnPolicy& column, const Row& row) {
        const std::string subject = table + "." + column.name;
        const std::string& name = row.at(2);
        if (!schema::is_check_of(row.at(4), column.name, column.scheme)) {
            add(subject,
                "has another CHECK " + name + " than pgveil's: drop it and ADD " +
                    schema::check_constraint(column.name, column.scheme));
        } else if (row.at(3) != "t") {
            add(subject,
                "has a CHECK that is not validated, so older rows may be plaintext: ALTER TABLE " +
                    table + " VALIDATE CONSTRAINT " + schema::quote_identifier(name));
        }
    }

    void enums(const mirror::Rows& rows) {
        std::map<config::PolicyName, std::vector<std::string>> labels;
        for (const Row& row : rows) {
            labels[{row.at(0), row.at(1)}].push_back(row.at(2));
        }
        for (const types::Kind kind : policy_.enums()) {
            const types::EnumDefinition& wanted = types::enum_definition_of(kind);
            const std::string name = types::enum_name_of(wanted);
            const auto found = labels.find({wanted.schema, wanted.name});
            if (found == labels.end()) {
                // Where no table of the policy is, its types are not needed.
                if (!present_.empty()) {
                    add(name,
                        "is an enum of the policy, but there is no such type: create it, or take "
                        "the entry out");
                }
                continue;
            }
            labels_differ(
                name,
                found->second,
                wanted.labels,
                "is a label of the database only: "
                "list it in the policy before it is used"
            );
            labels_differ(
                name,
                wanted.labels,
                found->second,
                "is a label of the policy only: add "
                "it with ALTER TYPE ... ADD VALUE, or take it out"
            );
        }
    }

    void labels_differ(
        const std::string& name,
        const std::vector<std::string>& labels,
        const std::vector<std::string>& others,
        const std::string& what
    ) {
        for (const std::string& label : labels) {
            if (std::ranges::find(others, label) == others.end()) {
                add(std::string(name).append(" '").append(label).append("'"), what);
            }
        }
    }

    void attachments(const mirror::Rows& rows) {
        for (const Row& row : rows) {
            if (policy_.find(row.at(0), row.at(1)) == nullptr) {
                continue;
            }
            const bool is_function = row.at(2) == "function";
            if (is_function && is_listed_function(row.at(4), row.at(5))) {
                continue;
            }
            if (!is_function && !row.at(5).empty()) {
                std::string line = row.at(0) + "." + row.at(1) + ": " + row.at(2) + " " +
                                   row.at(3) + " sees it: " + kViewAdvice;
                found_.views[{row.at(4), row.at(5)}].push_back(std::move(line));
                continue;
            }
            add(row.at(0) + "." + row.at(1),
                row.at(2) + " " + row.at(3) + " sees it: " + advice_for(row.at(2)));
        }
    }

    bool is_listed_function(const std::string& schema, const std::string& name) const {
        return policy_.function(schema, name) != nullptr || policy_.is_listed_plain(schema, name);
    }

    void views(const mirror::Rows& rows) {
        std::map<config::PolicyName, catalog::Relation> found;
        for (const Row& row : rows) {
            catalog::Relation& view = found[{row.at(0), row.at(1)}];
            view.relkind = row.at(2).empty() ? 'v' : row.at(2).front();
            view.query_hash = row.at(7);
            catalog::Column column;
            column.name = row.at(3);
            column.type_oid = number<std::uint32_t>(row.at(4));
            column.typmod = number<std::int32_t>(row.at(5));
            column.is_ciphertext = row.at(6) == "t";
            view.columns.push_back(std::move(column));
        }
        for (const auto& [name, view] : found) {
            found_.shapes[name] = catalog::shape_of(view);
        }
    }

    static std::string advice_for(const std::string& kind) {
        if (kind == "function") {
            return "it sees envelopes only, and calls of it may be refused; if it neither compares "
                   "nor stores protected columns, list it in the policy: under \"functions\" if "
                   "it returns their values, else under \"plain\"";
        }
        return "it runs in the database and sees envelopes only; make sure that it does not use "
               "protected columns, or drop it";
    }

    mirror::Database& database_;
    const config::Policy& policy_;
    std::string names_;
    Differences found_;
    std::map<config::PolicyName, std::vector<config::PolicyName>> parents_;
    std::set<std::string> present_;   // entries of the policy that have a table
    std::set<std::string> reported_;  // relations without entry
    std::map<std::string, std::pair<const config::TablePolicy*, std::set<std::string>>> columns_of_;
    std::map<config::PolicyName, catalog::Relation> relations_;
    /// By table and name of the constraint.
    std::map<std::string, std::map<std::string, const config::ColumnPolicy*>> expected_checks_;
};

}  // namespace

mirror::Result<Differences> find_differences(
    mirror::Database& database, const config::Policy& policy
) {
    return Comparison(database, policy).run();
}

}  // namespace pgveil::proxy
