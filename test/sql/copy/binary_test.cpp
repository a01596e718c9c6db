#include "sql/copy/binary.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::copy {

namespace {

core::Bytes bytes_of(std::string_view hex) {
    return *core::from_hex(hex);
}

const std::string kHeader =
    "5047434f50590aff0d0a00"
    "00000000"
    "00000000";

/// "header 19", "row 12 [ab]<>", "trailer 2", "more", or the error.
std::string unit(std::string_view hex, bool expects_header = false, std::size_t columns = 2) {
    const core::Bytes bytes = bytes_of(hex);
    std::vector<BinaryField> fields;
    const auto found = next_unit(bytes, expects_header, columns, fields);
    if (!found.has_value()) {
        return "!" + found.error().message;
    }
    if (!*found) {
        return "more";
    }
    const std::string size = " " + std::to_string((*found)->size);
    switch ((*found)->kind) {
        case BinaryUnit::Kind::kHeader: return "header" + size;
        case BinaryUnit::Kind::kTrailer: return "trailer" + size;
        case BinaryUnit::Kind::kRow: break;
    }
    std::string shown = "row" + size + " ";
    for (const BinaryField& field : fields) {
        shown += field ? "[" + std::string(core::as_text(*field)) + "]" : "<>";
    }
    return shown;
}

TEST(CopyBinary, Header) {
    EXPECT_EQ(unit(kHeader, true), "header 19");
    EXPECT_EQ(unit(kHeader + "0002", true), "header 19");
    EXPECT_EQ(
        unit(
            "5047434f50590aff0d0a00"
            "00000000"
            "00000002"
            "0000",
            true
        ),
        "header 21"
    );
    for (std::size_t size = 0; size < kHeader.size(); size += 2) {
        EXPECT_EQ(unit(kHeader.substr(0, size), true), "more");
    }
    EXPECT_EQ(unit("51", true), "!COPY file signature not recognized");
    EXPECT_EQ(
        unit(
            "5047434f50590aff0d0a00"
            "00010000"
            "00000000",
            true
        ),
        "!invalid COPY file header (WITH OIDS)"
    );
    EXPECT_EQ(
        unit(
            "5047434f50590aff0d0a00"
            "00020000"
            "00000000",
            true
        ),
        "!unrecognized critical flags in COPY file header"
    );
    EXPECT_EQ(
        unit(
            "5047434f50590aff0d0a00"
            "00000000"
            "ffffffff",
            true
        ),
        "!invalid COPY file header (wrong length)"
    );
}

TEST(CopyBinary, WritesTheHeaderThatItReads) {
    EXPECT_EQ(core::to_hex(plain_header()), kHeader);
    EXPECT_EQ(unit(kHeader, true), "header 19");
}

TEST(CopyBinary, Rows) {
    const std::string row =
        "0002"
        "00000002"
        "6162"
        "ffffffff";
    EXPECT_EQ(unit(row + "ffff"), "row 12 [ab]<>");
    for (std::size_t size = 0; size < row.size(); size += 2) {
        EXPECT_EQ(unit(row.substr(0, size)), "more");
    }
    EXPECT_EQ(unit("ffff"), "trailer 2");
    EXPECT_EQ(
        unit("0002"
             "00000000"
             "00000000"),
        "row 10 [][]"
    );
    EXPECT_EQ(unit("0003"), "!row field count is 3, expected 2");
    EXPECT_EQ(unit("fffe"), "!row field count is -2, expected 2");
    EXPECT_EQ(
        unit("0002"
             "fffffffe"),
        "!invalid field size"
    );
    EXPECT_EQ(unit("0000", false, 0), "row 2 ");
}

}  // namespace

}  // namespace pgveil::copy
