#include "proxy/relay/result_guard.hpp"

#include "proxy/wire/backend.hpp"
#include "proxy/wire/frame.hpp"
#include "proxy/wire/output.hpp"
#include "sql/field/envelope.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>
#include <vector>

namespace pgveil::relay {
namespace {

constexpr std::uint32_t kKey = 0xC0FFEE07;

bool knows(std::uint32_t key_id) {
    return key_id == kKey;
}

core::Bytes envelope(std::uint32_t key_id = kKey, std::size_t size = 26) {
    core::Bytes bytes(size, 0x5A);
    std::array<std::uint8_t, field::kEnvelopeHeaderSize> header{};
    field::write_envelope_header(config::Scheme::kEquality, key_id, header);
    std::copy(header.begin(), header.end(), bytes.begin());
    return bytes;
}

std::string hex(const core::Bytes& bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text = "\\x";
    for (const std::uint8_t byte : bytes) {
        text += {kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
    return text;
}

std::string escaped(const core::Bytes& bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        const bool is_plain = byte >= 32 && byte < 127 && byte != '\\';
        if (is_plain) {
            text += static_cast<char>(byte);
        } else {
            text +=
                {'\\',
                 static_cast<char>('0' + (byte >> 6U)),
                 static_cast<char>('0' + ((byte >> 3U) & 7U)),
                 static_cast<char>('0' + (byte & 7U))};
        }
    }
    return text;
}

bool is_found(std::string_view cell) {
    return is_envelope(wire::as_bytes(cell), knows);
}

bool is_inside(std::string_view cell) {
    return holds_envelope(wire::as_bytes(cell), knows);
}

std::string raw(const core::Bytes& bytes) {
    return std::string(core::as_text(bytes));
}

TEST(ResultGuard, KnowsAnEnvelopeInEveryForm) {
    EXPECT_TRUE(is_found(raw(envelope())));
    EXPECT_TRUE(is_found(hex(envelope())));
    EXPECT_TRUE(is_found(escaped(envelope())));
    EXPECT_TRUE(is_found(hex(envelope(kKey, 5000))));
}

TEST(ResultGuard, LeavesOtherBytesAlone) {
    EXPECT_FALSE(is_found(""));
    EXPECT_FALSE(is_found("\\x"));
    EXPECT_FALSE(is_found("\\"));
    EXPECT_FALSE(is_found("text"));
    EXPECT_FALSE(is_found(hex(envelope(kKey + 1)))) << "no key of ours";
    EXPECT_FALSE(is_found(raw(envelope(kKey + 1))));
    EXPECT_FALSE(is_found(hex(envelope(kKey, 21)))) << "too short";
    EXPECT_FALSE(is_found("a" + hex(envelope())));
}

/// As an array or a composite writes an element.
std::string doubled(const std::string& text) {
    std::string result;
    for (const char c : text) {
        result.append(c == '\\' ? 2 : 1, c);
    }
    return result;
}

TEST(ResultGuard, FindsEscapedOnesInsideOfAValue) {
    constexpr std::uint32_t kOddKey = 0x5C22015C;  // backslashes and a quote
    const auto knows_odd = [](std::uint32_t key_id) {
        return key_id == kOddKey;
    };
    const auto is_inside = [&](const std::string& cell) {
        return holds_envelope(wire::as_bytes(cell), knows_odd);
    };
    const std::string element = escaped(envelope(kOddKey));
    EXPECT_TRUE(is_inside("{\"" + doubled(element) + "\"}"));
    EXPECT_TRUE(is_inside("(\"{\"\"" + doubled(doubled(element)) + "\"\"}\")"));
    EXPECT_FALSE(is_inside("{\"" + doubled(escaped(envelope(1))) + "\"}"));
}

TEST(ResultGuard, FindsOneInsideOfAValue) {
    EXPECT_TRUE(is_inside("(1,\"\\" + hex(envelope()) + "\")"));
    EXPECT_TRUE(is_inside("{\"\\" + hex(envelope()) + "\",NULL}"));
    EXPECT_TRUE(is_inside("xyz" + raw(envelope())));
    EXPECT_FALSE(is_inside("(1,\"\\" + hex(envelope(7)) + "\")"));
    EXPECT_FALSE(is_inside(""));
}

class Rows : public ::testing::Test {
protected:
    static void describe(ResultGuard& guard, const std::vector<std::uint32_t>& types) {
        wire::Output out;
        std::vector<wire::Field> fields;
        for (const std::uint32_t type : types) {
            wire::Field field;
            field.name = "c";
            field.type_oid = type;
            fields.push_back(field);
        }
        wire::append_row_description(out, fields);
        PlanBytes kept;
        guard.describe(*wire::decode_row_description(body(out)), kept);
    }

    static std::string found(const ResultGuard& guard, const std::vector<std::string>& cells) {
        wire::Output out;
        wire::RowWriter writer(out, static_cast<std::uint16_t>(cells.size()));
        for (const std::string& cell : cells) {
            writer.add(cell == "NULL" ? wire::Cell() : wire::Cell(wire::as_bytes(cell)));
        }
        writer.finish();
        return guard.find(*wire::decode_data_row(body(out)), knows).value_or("");
    }

    static core::ByteView body(const wire::Output& out) {
        wire::FrameReader frames(out.bytes(), std::numeric_limits<std::int32_t>::max());
        return frames.take().body;
    }
};

TEST_F(Rows, AreLookedAtWhereTheirTypesMayHoldEnvelopes) {
    ResultGuard guard;
    EXPECT_TRUE(guard.looks_at_rows()) << "nobody has described the result yet";
    EXPECT_EQ(found(guard, {"1", hex(envelope())}), "column 2");
    describe(guard, {23, 25, 1043, 3802});
    EXPECT_FALSE(guard.looks_at_rows());
    EXPECT_EQ(found(guard, {"1", hex(envelope()), "x", "{}"}), "") << "text is not looked at";
    describe(guard, {23, 17, 2249, 20000});
    EXPECT_TRUE(guard.looks_at_rows());
    EXPECT_EQ(found(guard, {"1", "NULL", "(2)", "NULL"}), "");
    EXPECT_EQ(found(guard, {"1", hex(envelope()), "NULL", "NULL"}), "column \"c\"");
    EXPECT_EQ(found(guard, {"1", "NULL", "(\"\\" + hex(envelope()) + "\")", "x"}), "column \"c\"");
    EXPECT_EQ(
        found(guard, {hex(envelope()), "\\x00", "(3)", "{\"\\" + hex(envelope()) + "\"}"}),
        "column \"c\""
    );
    EXPECT_EQ(found(guard, {hex(envelope()), "\\x00", "(3)", "x"}), "") << "an integer's column";
}

}  // namespace
}  // namespace pgveil::relay
