#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// proxy/admin/: what an operator asks of the proxy, as values; no socket and no thread.
///   Command, parse_command     a line of the console            (console_command.hpp)
///   Rights, objection_to       who may give it                  (console_rights.hpp)
///   Table                      what it answers                  (here)
///   show_sessions, ...         tables of the SHOW commands      (console_show.hpp)
///   show_config                settings as rows                 (console_config.hpp)
///   Conversation               messages of one console session  (console_conversation.hpp)
namespace pgveil::admin {

enum class CellType { kText, kNumber };

struct Column {
    std::string_view name;
    CellType type = CellType::kText;
};

/// Nothing stands for NULL.
using Cell = std::variant<std::monostate, std::string, std::int64_t>;

using Row = std::vector<Cell>;

/// The answer to a SHOW. A number stands only in columns of numbers, a text only in columns of
/// text.
struct Table {
    std::span<const Column> columns;  ///< of static life
    std::vector<Row> rows;
};

/// A count as a cell; what no int8 can hold counts as the greatest.
Cell number(std::uint64_t value);

/// "2026-01-31 12:00:00 UTC", as pgbouncer writes times; NULL for 0.
Cell time_cell(std::int64_t unix_s);

}  // namespace pgveil::admin
