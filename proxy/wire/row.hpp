#pragma once

#include "proxy/wire/output.hpp"
#include "proxy/wire/values.hpp"

#include <cstdint>
#include <span>
#include <string_view>

/// What describes and carries rows.
namespace pgveil::wire {

/// One column of a RowDescription.
struct Field {
    std::string_view name;
    std::uint32_t table_oid = 0;  ///< 0: not a column of a table
    std::int16_t attnum = 0;
    std::uint32_t type_oid = 0;
    std::int16_t typlen = 0;
    std::int32_t typmod = -1;
    std::int16_t format = 0;  ///< 0 also when not yet known (Describe of a statement)

    static Field read(Cursor& cursor) noexcept;
};

using Fields = List<Field>;

struct RowDescription {
    Fields fields;
};

struct DataRow {
    Cells cells;
};

struct ParameterDescription {
    Oids types;
};

Result<RowDescription> decode_row_description(ByteView body) noexcept;
Result<DataRow> decode_data_row(ByteView body) noexcept;
Result<ParameterDescription> decode_parameter_description(ByteView body) noexcept;

void append_row_description(Output& out, std::span<const Field> fields);
void append_parameter_description(Output& out, std::span<const std::uint32_t> types);

/// Writes a DataRow cell by cell: `RowWriter row(out, count); row.add(cell)...; row.finish();`
class RowWriter {
public:
    RowWriter(Output& out, std::uint16_t count);

    void add(const Cell& cell) { append_cell(*out_, cell); }

    /// A cell whose size is known only afterwards: whatever is appended to the output between
    /// open_cell and close_cell becomes the cell.
    void open_cell();
    void close_cell();

    void finish() { out_->close_message(start_); }

private:
    Output* out_;
    std::size_t start_;
    std::size_t cell_ = 0;
};

}  // namespace pgveil::wire
