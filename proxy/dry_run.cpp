#include "proxy/dry_run.hpp"

#include "sql/catalog/lookup.hpp"
#include "sql/guard/guard.hpp"

#include <optional>

namespace pgveil::proxy {

namespace {

/// The cells of a row as a look-up has them: what is empty was NULL.
std::vector<std::optional<std::string_view>> cells_of(const std::vector<std::string>& row) {
    std::vector<std::optional<std::string_view>> cells;
    cells.reserve(row.size());
    for (const std::string& cell : row) {
        cells.push_back(cell.empty() ? std::nullopt : std::optional<std::string_view>(cell));
    }
    return cells;
}

}  // namespace

DryRun::DryRun(
    mirror::Database database, std::shared_ptr<const config::Policy> policy, bool assume_protected
)
    : database_(std::move(database)),
      policy_(std::move(policy)),
      assume_protected_(assume_protected) {}

mirror::Result<analysis::Analysis> DryRun::analyze(std::string_view sql) {
    const types::TextStyle style;
    for (;;) {
        auto decided = guard::analyze(
            sql,
            {.policy = *policy_,
             .catalog = catalog_,
             .style = style,
             .parameter_oids = {},
             .limits = {}}
        );
        if (decided.missing.empty()) {
            return decided;
        }
        const auto found = look_up(decided.missing);
        if (!found.has_value()) {
            return found.error();
        }
    }
}

mirror::Result<void> DryRun::look_up(const std::vector<catalog::RelationName>& names) {
    const auto rows = database_.run(
        catalog::lookup_query(names),
        {catalog::schemas_parameter(names),
         catalog::names_parameter(names),
         catalog::protected_parameter(*policy_),
         catalog::kinds_parameter(names)}
    );
    if (!rows.has_value()) {
        return rows.error();
    }
    catalog::LookupReader reader(names);
    for (const auto& row : *rows) {
        const auto added = reader.add_row(cells_of(row));
        if (!added.has_value()) {
            return mirror::Error{"the look-up of relations: " + added.error().message};
        }
    }
    catalog::Catalog answers;
    const auto finished = std::move(reader).finish(answers);
    if (!finished.has_value()) {
        return mirror::Error{"the look-up of relations: " + finished.error().message};
    }
    for (const catalog::RelationName& name : names) {
        catalog::Entry entry = *answers.find(name);
        if (assume_protected_) {
            protect(entry);
        }
        catalog_.put(name, std::move(entry));
    }
    return {};
}

void DryRun::protect(catalog::Entry& entry) const {
    if (!entry.relation) {
        return;
    }
    const auto* const table = policy_->find(entry.relation->schema, entry.relation->name);
    for (catalog::Column& column : entry.relation->columns) {
        column.is_ciphertext |= table != nullptr && table->column(column.name) != nullptr;
    }
}

}  // namespace pgveil::proxy
