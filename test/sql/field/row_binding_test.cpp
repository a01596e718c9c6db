#include "sql/field/row_binding.hpp"

#include "sql/field/seal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace pgveil::field {
namespace {

using types::Kind;

KeyValue key(Kind kind, std::string_view hex) {
    return {kind, *core::from_hex(hex)};
}

core::Bytes row(std::vector<KeyValue> keys) {
    return row_binding(keys);
}

TEST(RowBinding, IsTypeAndValueOfEveryKey) {
    EXPECT_EQ(
        core::to_hex(row({key(Kind::kInt8, "0000000000000005")})),
        "00000004696e7438000000080000000000000005"
    );
    EXPECT_EQ(
        core::to_hex(row(
            {key(Kind::kUuid, "000102030405060708090a0b0c0d0e0f"),
             key(Kind::kInt8, "fffffffffffffffe")}
        )),
        "000000047575696400000010000102030405060708090a0b0c0d0e0f"
        "00000004696e743800000008fffffffffffffffe"
    );
}

TEST(RowBinding, IsTheSameForAnIntegerOfEveryWidth) {
    const core::Bytes minus_two = row({key(Kind::kInt8, "fffffffffffffffe")});
    EXPECT_EQ(row({key(Kind::kInt4, "fffffffe")}), minus_two);
    EXPECT_EQ(row({key(Kind::kInt2, "fffe")}), minus_two);
    EXPECT_EQ(row({key(Kind::kInt2, "7ffe")}), row({key(Kind::kInt4, "00007ffe")}));
}

TEST(RowBinding, DependsOnTheOrderOfTheKeys) {
    const KeyValue one = key(Kind::kInt4, "00000001");
    const KeyValue two = key(Kind::kInt4, "00000002");
    EXPECT_NE(row({one, two}), row({two, one}));
    EXPECT_NE(row({one}), row({one, one}));
}

TEST(RowBinding, TakesOnlyTypesWithOneForm) {
    for (const Kind kind : {Kind::kInt2, Kind::kInt4, Kind::kInt8, Kind::kUuid}) {
        EXPECT_TRUE(can_bind(kind)) << types::canonical_name_of(kind);
    }
    for (const Kind kind :
         {Kind::kBool,
          Kind::kText,
          Kind::kVarchar,
          Kind::kDate,
          Kind::kTimestamp,
          Kind::kTimestamptz,
          Kind::kBytea}) {
        EXPECT_FALSE(can_bind(kind)) << types::canonical_name_of(kind);
    }
    EXPECT_TRUE(is_same_key_type(Kind::kInt2, Kind::kInt8));
    EXPECT_FALSE(is_same_key_type(Kind::kInt8, Kind::kUuid));
}

class Zeros : public core::RandomSource {
public:
    void fill(core::MutableByteView out) override { std::fill(out.begin(), out.end(), 0); }
};

class BoundValue : public testing::Test {
protected:
    BoundValue() {
        column.context = "public.patients.note";
        column.group = "default";
        column.bind_to = {"id"};
    }

    bool opens(core::ByteView envelope, core::ByteView in_row) {
        return FieldCipher({key_bytes, 7}, {"clinic", column}).open(envelope, in_row).has_value();
    }

    core::Bytes sealed(core::ByteView in_row) {
        return FieldCipher({key_bytes, 7}, {"clinic", column})
            .seal(core::as_bytes("value"), random, in_row);
    }

    Zeros random;
    ProtectedColumn column;
    core::Bytes key_bytes = core::Bytes(32, 1);
    core::Bytes first = row({key(Kind::kInt4, "00000001")});
    core::Bytes second = row({key(Kind::kInt4, "00000002")});
};

TEST_F(BoundValue, OpensInItsOwnRowOnly) {
    const core::Bytes envelope = sealed(first);
    EXPECT_TRUE(opens(envelope, first));
    EXPECT_FALSE(opens(envelope, second));
    EXPECT_FALSE(opens(envelope, {}));
}

TEST_F(BoundValue, OpensNowhereElseWhenTheColumnIsNoLongerBound) {
    const core::Bytes envelope = sealed(first);
    column.bind_to.clear();
    EXPECT_FALSE(opens(envelope, {}));
    EXPECT_FALSE(opens(envelope, first));
    const core::Bytes unbound = sealed({});
    EXPECT_TRUE(opens(unbound, {}));
    column.bind_to = {"id"};
    EXPECT_FALSE(opens(unbound, first));
}

TEST_F(BoundValue, HasTheRowAsTheSeventhPartOfTheAssociatedData) {
    const core::Bytes envelope = sealed(first);
    core::Bytes associated = associated_data({"clinic", column}, 7);
    core::append(associated, *core::from_hex("0000001400000004696e7438000000080000000000000001"));
    const auto opened = core::xaes_open(key_bytes, associated, core::ByteView(envelope).subspan(6));
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(core::as_text(opened->reveal()), "value");
}

TEST_F(BoundValue, MayBePaddedAsWell) {
    column.scheme = config::Scheme::kPadded;
    column.pad_to = 32;
    const core::Bytes envelope = sealed(first);
    EXPECT_TRUE(opens(envelope, first));
    EXPECT_FALSE(opens(envelope, second));
}

}  // namespace
}  // namespace pgveil::field
