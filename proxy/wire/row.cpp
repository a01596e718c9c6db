#include "proxy/wire/row.hpp"

namespace pgveil::wire {

namespace {

void append_field(Output& out, const Field& field) {
    out.append_cstring(field.name);
    out.append_int32(field.table_oid);
    out.append_int16(static_cast<std::uint16_t>(field.attnum));
    out.append_int32(field.type_oid);
    out.append_int16(static_cast<std::uint16_t>(field.typlen));
    out.append_int32(static_cast<std::uint32_t>(field.typmod));
    out.append_int16(static_cast<std::uint16_t>(field.format));
}

}  // namespace

Field Field::read(Cursor& cursor) noexcept {
    Field field;
    field.name = cursor.cstring();
    field.table_oid = cursor.int32();
    field.attnum = static_cast<std::int16_t>(cursor.int16());
    field.type_oid = cursor.int32();
    field.typlen = static_cast<std::int16_t>(cursor.int16());
    field.typmod = static_cast<std::int32_t>(cursor.int32());
    field.format = static_cast<std::int16_t>(cursor.int16());
    return field;
}

Result<RowDescription> decode_row_description(ByteView body) noexcept {
    Cursor cursor(body);
    const std::size_t count = cursor.int16();
    RowDescription description;
    description.fields = Fields::take(cursor, count);
    return cursor.finish(description);
}

Result<DataRow> decode_data_row(ByteView body) noexcept {
    Cursor cursor(body);
    const std::size_t count = cursor.int16();
    DataRow row;
    row.cells = Cells::take(cursor, count);
    return cursor.finish(row);
}

Result<ParameterDescription> decode_parameter_description(ByteView body) noexcept {
    Cursor cursor(body);
    const std::size_t count = cursor.int16();
    ParameterDescription description;
    description.types = Oids::take(cursor, count);
    return cursor.finish(description);
}

void append_row_description(Output& out, std::span<const Field> fields) {
    const std::size_t start = out.open_message(BackendType::kRowDescription);
    out.append_int16(static_cast<std::uint16_t>(fields.size()));
    for (const Field& field : fields) {
        append_field(out, field);
    }
    out.close_message(start);
}

void append_parameter_description(Output& out, std::span<const std::uint32_t> types) {
    const std::size_t start = out.open_message(BackendType::kParameterDescription);
    out.append_int16(static_cast<std::uint16_t>(types.size()));
    for (const std::uint32_t oid : types) {
        out.append_int32(oid);
    }
    out.close_message(start);
}

RowWriter::RowWriter(Output& out, std::uint16_t count)
    : out_(&out), start_(out.open_message(BackendType::kDataRow)) {
    out.append_int16(count);
}

void RowWriter::open_cell() {
    cell_ = out_->size();
    out_->append_int32(0);
}

void RowWriter::close_cell() {
    const std::size_t size = out_->size() - cell_ - sizeof(std::uint32_t);
    out_->patch_int32(cell_, static_cast<std::uint32_t>(size));
}

}  // namespace pgveil::wire
