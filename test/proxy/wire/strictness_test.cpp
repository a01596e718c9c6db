#include "proxy/wire/frame.hpp"
#include "test/proxy/wire/samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace pgveil::wire {

namespace {

std::vector<std::uint8_t> copy_of(ByteView bytes) {
    return {bytes.begin(), bytes.end()};
}

TEST(Strictness, AcceptsEverySampleAsItIs) {
    for (const Sample& sample : all_samples()) {
        EXPECT_EQ(sample.decode(sample.body()), std::nullopt) << sample.name;
    }
}

TEST(Strictness, RefusesEveryTruncatedPrefix) {
    for (const Sample& sample : all_samples()) {
        if (sample.open_ended) {
            continue;
        }
        for (std::size_t size = 0; size < sample.body().size(); ++size) {
            EXPECT_NE(sample.decode(sample.body().first(size)), std::nullopt)
                << sample.name << " cut to " << size;
        }
    }
}

TEST(Strictness, RefusesOneLeftOverByte) {
    for (const Sample& sample : all_samples()) {
        if (sample.open_ended) {
            continue;
        }
        std::vector<std::uint8_t> body = copy_of(sample.body());
        body.push_back(0);
        EXPECT_NE(sample.decode(body), std::nullopt) << sample.name;
    }
}

TEST(Strictness, RefusesEveryLengthAndCountOfBindThatIsOffByOne) {
    const std::vector<Sample> all = all_samples();
    const Sample& bind = *std::ranges::find(all, "Bind", &Sample::name);
    const std::vector<std::uint8_t> good = copy_of(bind.body());
    // portal 7, statement 3, formats 2+6, count 2, length 4 + 9, length 4 (NULL), length 4, formats
    // 2+2
    for (const std::size_t low_byte : {11U, 19U, 23U, 36U, 40U, 42U}) {
        for (const int change : {-1, 1}) {
            std::vector<std::uint8_t> body = good;
            body.at(low_byte) = static_cast<std::uint8_t>(body.at(low_byte) + change);
            EXPECT_NE(bind.decode(body), std::nullopt) << low_byte << " changed by " << change;
        }
    }
}

TEST(Strictness, RefusesEveryLengthAndCountOfDataRowThatIsOffByOne) {
    const std::vector<Sample> all = all_samples();
    const Sample& row = *std::ranges::find(all, "DataRow", &Sample::name);
    const std::vector<std::uint8_t> good = copy_of(row.body());
    // count 2, length 4 + 5, length 4 (NULL), length 4 + 5
    for (const std::size_t low_byte : {1U, 5U, 14U, 18U}) {
        for (const int change : {-1, 1}) {
            std::vector<std::uint8_t> body = good;
            body.at(low_byte) = static_cast<std::uint8_t>(body.at(low_byte) + change);
            EXPECT_NE(row.decode(body), std::nullopt) << low_byte << " changed by " << change;
        }
    }
}

TEST(Strictness, RefusesNegativeLengthsOtherThanNull) {
    Output out;
    out.append_int16(1);
    out.append_int32(UINT32_MAX - 1);
    EXPECT_EQ(decode_data_row(out.bytes()).error(), DecodeError::kBadLength);
}

TEST(Strictness, ReadsNullAndEmptyAsDifferentCells) {
    Output out;
    RowWriter row(out, 2);
    row.add(std::nullopt);
    row.add(ByteView());
    row.finish();
    const auto decoded = decode_data_row(out.bytes().subspan(kFrameHeadSize));
    ASSERT_TRUE(decoded.has_value());
    const std::vector<Cell> cells(decoded->cells.begin(), decoded->cells.end());
    ASSERT_EQ(cells.size(), 2U);
    EXPECT_FALSE(cells[0].has_value());
    ASSERT_TRUE(cells[1].has_value());
    EXPECT_TRUE(cells[1]->empty());
}

TEST(Strictness, BoundsCountsByTheBytesThatAreThere) {
    Output out;
    out.append_int32(kProtocol30);
    out.append_int32(UINT32_MAX);
    EXPECT_FALSE(decode_negotiate_protocol_version(out.bytes()).has_value());
    Output row;
    row.append_int16(UINT16_MAX);
    EXPECT_FALSE(decode_data_row(row.bytes()).has_value());
    EXPECT_FALSE(decode_row_description(row.bytes()).has_value());
    EXPECT_FALSE(decode_parameter_description(row.bytes()).has_value());
}

TEST(Strictness, RefusesCodesThatTheProtocolDoesNotDefine) {
    EXPECT_EQ(
        decode_describe(as_bytes(std::string_view("X\0", 2))).error(), DecodeError::kBadValue
    );
    EXPECT_EQ(decode_close(as_bytes(std::string_view("s\0", 2))).error(), DecodeError::kBadValue);
    EXPECT_EQ(decode_ready_for_query(as_bytes("e")).error(), DecodeError::kBadValue);
    Output unknown;
    unknown.append_int32(4);
    EXPECT_EQ(decode_authentication(unknown.bytes()).error(), DecodeError::kBadValue);
}

TEST(Strictness, TakesSecretsOfFourTo256Bytes) {
    for (const std::size_t size : {4U, 32U, 256U}) {
        const std::vector<std::uint8_t> body(4 + size, 7);
        const auto key = decode_backend_key_data(body);
        ASSERT_TRUE(key.has_value()) << size;
        EXPECT_EQ(key->secret.size(), size);
    }
    for (const std::size_t size : {0U, 3U, 257U}) {
        const std::vector<std::uint8_t> body(4 + size, 7);
        EXPECT_FALSE(decode_backend_key_data(body).has_value()) << size;
    }
}

TEST(Strictness, SurvivesRandomChangesOfEverySample) {
    std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same run every time
    for (const Sample& sample : all_samples()) {
        for (int round = 0; round < 2000; ++round) {
            std::vector<std::uint8_t> body = copy_of(sample.body());
            for (unsigned changes = random() % 4; changes > 0 && !body.empty(); --changes) {
                body[random() % body.size()] = static_cast<std::uint8_t>(random());
            }
            sample.decode(body);
        }
    }
}

}  // namespace

}  // namespace pgveil::wire
