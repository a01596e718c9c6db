#include "sql/types/array_value.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace pgveil::types {

namespace {

constexpr std::size_t kNumberSize = 4;
constexpr std::size_t kHeaderSize = 3 * kNumberSize;
constexpr std::uint32_t kNullSize = 0xFFFFFFFF;
/// PostgreSQL's MaxArraySize: no array has more elements.
constexpr std::int64_t kElementsMax = 134217727;

std::int32_t number_at(core::ByteView bytes, std::size_t offset) {
    return static_cast<std::int32_t>(core::read_big_endian32(bytes.subspan(offset)));
}

void append_number(core::SecretBytes& bytes, std::int64_t number) {
    bytes.append(core::big_endian32(static_cast<std::uint32_t>(number)));
}

Error too_short() {
    return invalid_value("08P01", "insufficient data left in message");
}

std::string name_of_oid(std::uint32_t oid) {
    const Result<Kind> kind = kind_of_oid(oid);
    return kind.has_value() ? sql_name_of(Type{*kind}) : "???";
}

Error wrong_element_type(Kind element, std::uint32_t oid) {
    return invalid_value(
        "42804",
        "binary data has array element type " + std::to_string(oid) + " (" + name_of_oid(oid) +
            ") instead of expected " + std::to_string(oid_of(element)) + " (" +
            sql_name_of(Type{element}) + ")"
    );
}

}  // namespace

void ArrayWriter::add_null() {
    append_number(elements_, kNullSize);
    has_null_ = true;
    ++count_;
}

void ArrayWriter::add(core::ByteView element) {
    append_number(elements_, static_cast<std::int64_t>(element.size()));
    elements_.append(element);
    ++count_;
}

core::SecretBytes ArrayWriter::finish(Kind element, const ArrayDimensions& dimensions) const {
    core::SecretBytes bytes;
    bytes.reserve(kHeaderSize + dimensions.size() * 2 * kNumberSize + elements_.size());
    append_number(bytes, count_ == 0 ? 0 : static_cast<std::int64_t>(dimensions.size()));
    append_number(bytes, has_null_ ? 1 : 0);
    append_number(bytes, oid_of(element));
    for (const ArrayDimension& dimension : count_ == 0 ? ArrayDimensions() : dimensions) {
        append_number(bytes, dimension.size);
        append_number(bytes, dimension.lower_bound);
    }
    bytes.append(elements_.reveal());
    return bytes;
}

Result<ArrayReader> ArrayReader::open(Kind element, core::ByteView binary) {
    if (binary.size() < kHeaderSize) {
        return too_short();
    }
    const std::int32_t dimensions = number_at(binary, 0);
    if (dimensions < 0) {
        return invalid_value(
            "22P03", "invalid number of dimensions: " + std::to_string(dimensions)
        );
    }
    if (static_cast<std::size_t>(dimensions) > kArrayDimensionsMax) {
        return invalid_value(
            "54000",
            "number of array dimensions (" + std::to_string(dimensions) +
                ") exceeds the maximum allowed (6)"
        );
    }
    const std::int32_t flags = number_at(binary, kNumberSize);
    if (flags != 0 && flags != 1) {
        return invalid_value("22P03", "invalid array flags");
    }
    const std::uint32_t oid = core::read_big_endian32(binary.subspan(2 * kNumberSize));
    if (oid != oid_of(element)) {
        return wrong_element_type(element, oid);
    }
    ArrayReader reader;
    reader.rest_ = binary.subspan(kHeaderSize);
    const Result<void> read = reader.read_dimensions(dimensions);
    return read.has_value() ? Result<ArrayReader>(std::move(reader)) : read.error();
}

Result<void> ArrayReader::read_dimensions(std::int32_t number) {
    std::int64_t count = number == 0 ? 0 : 1;
    for (std::int32_t index = 0; index < number; ++index) {
        if (rest_.size() < 2 * kNumberSize) {
            return too_short();
        }
        const ArrayDimension dimension = {number_at(rest_, 0), number_at(rest_, kNumberSize)};
        rest_ = rest_.subspan(2 * kNumberSize);
        const std::int64_t end = std::int64_t{dimension.lower_bound} + dimension.size;
        if (dimension.size < 0 || end > std::numeric_limits<std::int32_t>::max()) {
            return invalid_value("54000", "array size exceeds the maximum allowed (134217727)");
        }
        count *= dimension.size;
        if (count > kElementsMax) {
            return invalid_value("54000", "array size exceeds the maximum allowed (134217727)");
        }
        dimensions_.push_back(dimension);
    }
    count_ = static_cast<std::size_t>(count);
    return {};
}

Result<std::optional<core::ByteView>> ArrayReader::next() {
    if (rest_.size() < kNumberSize) {
        return too_short();
    }
    const std::uint32_t size = core::read_big_endian32(rest_);
    rest_ = rest_.subspan(kNumberSize);
    if (size == kNullSize) {
        return std::optional<core::ByteView>();
    }
    if (size > rest_.size()) {
        return invalid_value("22P03", "insufficient data left in message");
    }
    const core::ByteView element = rest_.first(size);
    rest_ = rest_.subspan(size);
    return std::optional(element);
}

Result<core::SecretBytes> convert_elements(
    Kind from, Kind to, core::ByteView binary, const ElementConversion& convert
) {
    Result<ArrayReader> reader = ArrayReader::open(from, binary);
    if (!reader.has_value()) {
        return reader.error();
    }
    ArrayWriter writer;
    while (writer.count() < reader->count()) {
        const auto element = reader->next();
        if (!element.has_value()) {
            return element.error();
        }
        if (!*element) {
            writer.add_null();
            continue;
        }
        const Result<core::SecretBytes> converted = convert(**element);
        if (!converted.has_value()) {
            return converted.error();
        }
        writer.add(converted->reveal());
    }
    if (!reader->is_at_end()) {
        return invalid_value("22P03", "incorrect binary data format");
    }
    return writer.finish(to, reader->dimensions());
}

Result<core::SecretBytes> array_from_binary(Type type, core::ByteView binary) {
    const Type element = {element_of(type.kind), type.typmod};
    return convert_elements(element.kind, element.kind, binary, [&element](core::ByteView value) {
        return from_binary(element, value);
    });
}

}  // namespace pgveil::types
