#include "proxy/migration/plan_text.hpp"

namespace pgveil::migration {

namespace {

/// Of one core, with two encrypted columns; half of it is reading back.
constexpr std::int64_t kRowsPerSecond = 10'000;
/// Bytes that an envelope has more than its value, in most schemes.
constexpr std::int64_t kOverhead = 46;
/// A key in the marks, with its row and its index.
constexpr std::int64_t kMark = 80;
constexpr std::int64_t kMebibyte = 1'048'576;

std::string mebibytes(std::int64_t bytes) {
    return std::to_string((bytes + kMebibyte - 1) / kMebibyte) + " MiB";
}

std::string steps(const Table& table, const Names& names) {
    const std::string sibling = table.sibling(names);
    return "  1. make " + sibling + " and " + names.marks + ", and triggers on " + names.table +
           " (SHARE ROW EXCLUSIVE, a moment; tried again after 2 s of waiting)\n"
           "  2. mark all rows, bring them over in batches through the proxy, and compare each "
           "row (no lock)\n"
           "  3. build indexes and constraints on " +
           sibling +
           " (no lock on the table)\n"
           "  4. switch: writers wait while the last rows are brought over (EXCLUSIVE), then the "
           "table is renamed (ACCESS EXCLUSIVE,\n     a moment, also on tables with foreign keys "
           "to "
           "it; tried again after 1 s of waiting), is away for 1.5 x catalog_ttl_ms\n     "
           "(statements fail: 42P01), "
           "and the new one takes its name; foreign keys are checked afterwards\n"
           "  5. with --drop: drop what was replaced (ACCESS EXCLUSIVE, a moment). Until then "
           "--back undoes all of it\n";
}

}  // namespace

std::string plan_text(
    const Table& table,
    const config::TablePolicy& policy,
    Goal goal,
    const std::vector<std::string>& obstacles
) {
    const Names names(table.name);
    const bool is_veiled = goal == Goal::kVeiled;
    std::string text = names.table + ": " + (is_veiled ? "encrypt" : "decrypt");
    std::string separator = " ";
    for (const config::ColumnPolicy& column : policy.columns) {
        text += separator + column.name;
        separator = ", ";
    }
    text += "\n  now " + std::string(table.is_veiled ? "encrypted" : "plain") +
            (table.has_sibling ? ", a migration is under way" : "") + "; about " +
            std::to_string(table.rows_estimated) + " rows, " + mebibytes(table.size_bytes) + "\n";
    if (table.is_veiled == is_veiled && !table.has_sibling) {
        return text + "  nothing to do\n";
    }
    const auto columns = static_cast<std::int64_t>(policy.columns.size());
    const std::int64_t more =
        table.size_bytes + table.rows_estimated * (kMark + (is_veiled ? kOverhead * columns : 0));
    text += "  time: about " + duration_text(table.rows_estimated / kRowsPerSecond + 1) +
            " without --rows-per-second; disk: about " + mebibytes(more) +
            " more until --drop, and as much WAL\n" + steps(table, names);
    for (const std::string& obstacle : obstacles) {
        text += "  in the way: " + obstacle + "\n";
    }
    return text;
}

}  // namespace pgveil::migration
