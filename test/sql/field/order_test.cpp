#include "keyshare/core/order_tag.hpp"
#include "keyshare/core/siv.hpp"
#include "sql/field/envelope.hpp"
#include "sql/field/plaintext.hpp"
#include "sql/field/seal.hpp"
#include "sql/types/codec.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <vector>

// What PostgreSQL compares is the whole envelope as bytea.
namespace pgveil::field {
namespace {

constexpr std::uint32_t kOrderBytes = 12;
constexpr std::uint32_t kKeyId = 7;

ProtectedColumn column_of(std::string_view type, std::uint32_t order_bytes = kOrderBytes) {
    ProtectedColumn column;
    column.schema = "public";
    column.table = "patients";
    column.name = "born";
    column.context = "public.patients.born";
    column.group = "default";
    column.type = *types::parse_type_name(type);
    column.scheme = config::Scheme::kOrder;
    column.order_bytes = order_bytes;
    return column;
}

core::Bytes counting_key() {
    core::Bytes key(key_size(config::Scheme::kOrder));
    std::iota(key.begin(), key.end(), std::uint8_t{0});
    return key;
}

/// Seals values of one column.
class Column {
public:
    explicit Column(std::string_view type, std::uint32_t order_bytes = kOrderBytes)
        : column_(column_of(type, order_bytes)), cipher_({key_, kKeyId}, {"clinic", column_}) {}

    core::Bytes envelope_of(const std::string& text) {
        auto value = types::from_text(column_.type, text, {});
        EXPECT_TRUE(value.has_value()) << text;
        auto plaintext = plaintext_of(column_, std::move(*value));
        EXPECT_TRUE(plaintext.has_value()) << text;
        return cipher_.seal(plaintext->reveal(), core::system_random());
    }

    bool opens(const core::Bytes& envelope) { return cipher_.open(envelope).has_value(); }

private:
    core::Bytes key_ = counting_key();
    ProtectedColumn column_;
    FieldCipher cipher_;
};

/// A number, and the value of the type that stands for it; the second grows with the first.
struct Growing {
    std::string type;
    std::int64_t least;
    std::int64_t most;
    std::function<std::string(std::int64_t)> text;
};

std::string decimal(std::int64_t cents) {
    const std::string sign = cents < 0 ? "-" : "";
    const std::int64_t size = std::abs(cents);
    const std::string rest = std::to_string(100 + size % 100).substr(1);
    return sign + std::to_string(size / 100) + "." + rest;
}

std::string whole(std::int64_t value) {
    return std::to_string(value);
}

std::string letters(std::int64_t value) {
    std::string text;
    for (; value > 0; value /= 26) {
        text.insert(text.begin(), static_cast<char>('a' + value % 26));
    }
    return std::string(8 - text.size(), 'a') + text;
}

std::string day(std::int64_t year) {
    return std::to_string(10000 + year).substr(1) + "-06-15";
}

const std::vector<Growing> kGrowing = {
    {"int2", INT16_MIN, INT16_MAX, whole},
    {"int4", INT32_MIN, INT32_MAX, whole},
    {"int8", INT64_MIN, INT64_MAX, whole},
    {"float4", -(1 << 24), 1 << 24, whole},
    {"float8", -(1LL << 40), 1LL << 40, decimal},
    {"numeric(19,2)", -(1LL << 60), 1LL << 60, decimal},
    {"date", 1, 9999, day},
    {"timestamp", 1, 9999, day},
    {"text", 0, 1LL << 35, letters},
    {"char(9)", 0, 1LL << 35, letters},
};

TEST(OrderedEnvelopes, HaveTheOrderOfRandomValues) {
    // NOLINTNEXTLINE(cert-msc32-c,cert-msc51-cpp): the same values in every run
    std::mt19937_64 random(20);
    for (const Growing& growing : kGrowing) {
        Column column(growing.type);
        std::uniform_int_distribution<std::int64_t> any(growing.least, growing.most);
        std::uniform_int_distribution<int> near(-1, 1);
        for (int round = 0; round < 300; ++round) {
            const std::int64_t left = any(random);
            std::int64_t right = any(random);
            if (round % 2 == 0 && left > growing.least && left < growing.most) {
                right = left + near(random);
            }
            EXPECT_EQ(
                column.envelope_of(growing.text(left)) <=> column.envelope_of(growing.text(right)),
                left <=> right
            ) << growing.type
              << ": " << growing.text(left) << ", " << growing.text(right);
        }
    }
}

TEST(OrderedEnvelopes, OpenAndRefuseATagOfAnotherValue) {
    Column column("int4");
    const core::Bytes one = column.envelope_of("1");
    const core::Bytes two = column.envelope_of("2");
    EXPECT_TRUE(column.opens(one));
    constexpr std::size_t kTag = 32;
    core::Bytes mixed = one;
    std::copy_n(two.begin() + kEnvelopeHeaderSize, kTag, mixed.begin() + kEnvelopeHeaderSize);
    EXPECT_FALSE(column.opens(mixed)) << "a value that stands where another belongs";
}

TEST(OrderedEnvelopes, DoNotOpenAfterOrderBytesChanged) {
    const core::Bytes stored = Column("text").envelope_of("one");
    EXPECT_TRUE(Column("text").opens(stored));
    EXPECT_FALSE(Column("text", kOrderBytes + 1).opens(stored));
    EXPECT_FALSE(Column("text", kOrderBytes - 1).opens(stored));
}

/// The bytes of FORMATS.md, put together once more by hand.
TEST(OrderedEnvelopes, HoldHeaderTagAndSiv) {
    const core::Bytes key = counting_key();
    const core::ByteView view(key);
    const auto associated = core::from_hex(
        "00000006636c696e6963"                              // tenant
        "0000000764656661756c74"                            // group
        "0000000400000007"                                  // key id
        "000000147075626c69632e70617469656e74732e626f726e"  // context
        "00000004696e7434"                                  // type
        "000000056f72646572"                                // scheme
    );
    const core::Bytes form = {0x80, 0, 0, 1};
    const core::Bytes tag = core::OrderTag(view.subspan(core::kSivKeySize)).tag_of(form);
    core::Bytes expected = *core::from_hex("010300000007");
    core::append(expected, tag);
    core::append(
        expected,
        core::AesSiv(view.first(core::kSivKeySize))
            .seal({core::ByteView(*associated), core::ByteView(tag)}, *core::from_hex("00000001"))
    );
    EXPECT_EQ(core::to_hex(Column("int4").envelope_of("1")), core::to_hex(expected));
}

TEST(OrderedPlaintext, RefusesWhatHasNoOrderForm) {
    const ProtectedColumn column = column_of("text");
    const auto state_of = [&column](std::size_t size) {
        auto value = core::SecretBytes::copy_of(core::as_bytes(std::string(size, 'x')));
        const auto plaintext = plaintext_of(column, std::move(value));
        return plaintext.has_value() ? std::string("no error") : plaintext.error().sqlstate;
    };
    EXPECT_EQ(state_of(kOrderBytes), "no error");
    EXPECT_EQ(state_of(kOrderBytes + 1), "22001");
}

TEST(OrderedColumns, ShareAContextOnlyWithTheSameOrderBytes) {
    const ProtectedColumn one = column_of("text");
    ProtectedColumn other = one;
    EXPECT_TRUE(shares_context(one, other));
    other.order_bytes = kOrderBytes + 1;
    EXPECT_FALSE(shares_context(one, other));
}

}  // namespace
}  // namespace pgveil::field
