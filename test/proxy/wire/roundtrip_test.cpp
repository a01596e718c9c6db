#include "proxy/wire/frame.hpp"
#include "test/proxy/wire/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace pgveil::wire {

namespace {

using testing::ElementsAre;

ByteView body_of(const Output& out) {
    return out.bytes().subspan(kFrameHeadSize);
}

TEST(RoundTrip, QueryKeepsItsText) {
    Output out;
    append_query(out, "select 'ä'");
    EXPECT_EQ(out.bytes()[0], 'Q');
    EXPECT_EQ(decode_query(body_of(out))->text, "select 'ä'");
}

TEST(RoundTrip, ParseKeepsNameTextAndTypes) {
    Output out;
    append_parse(out, "s1", "select $1", std::array<std::uint32_t, 2>{17, 0xfffffffe});
    const auto parse = decode_parse(body_of(out));
    ASSERT_TRUE(parse.has_value());
    EXPECT_EQ(parse->statement, "s1");
    EXPECT_EQ(parse->text, "select $1");
    EXPECT_THAT(
        std::vector(parse->parameter_types.begin(), parse->parameter_types.end()),
        ElementsAre(17U, 0xfffffffeU)
    );
}

TEST(RoundTrip, BindKeepsEveryPart) {
    Output out;
    BindWriter writer(out, {.portal = "p", .statement = "s"}, std::array{Format::kBinary}, 3);
    writer.add(as_bytes("abc"));
    writer.add(std::nullopt);
    writer.add_in_place(2)[1] = 9;
    writer.finish(std::array{Format::kText, Format::kBinary});
    const auto bind = decode_bind(body_of(out));
    ASSERT_TRUE(bind.has_value());
    EXPECT_EQ(bind->portal, "p");
    EXPECT_EQ(bind->statement, "s");
    EXPECT_EQ(bind->parameter_formats.code_for(2), 1);
    const std::vector<Cell> cells(bind->parameters.begin(), bind->parameters.end());
    ASSERT_EQ(cells.size(), 3U);
    EXPECT_EQ(as_text(*cells[0]), "abc");
    EXPECT_FALSE(cells[1].has_value());
    EXPECT_EQ((*cells[2])[1], 9);
    EXPECT_EQ(bind->result_formats.code_for(0), 0);
    EXPECT_EQ(bind->result_formats.code_for(1), 1);
}

TEST(RoundTrip, BindCanBeWrittenAgainFromItsParts) {
    const std::vector<Sample> all = all_samples();
    const Sample& sample = *std::ranges::find(all, "Bind", &Sample::name);
    const auto bind = decode_bind(sample.body());
    ASSERT_TRUE(bind.has_value());
    Output again;
    const auto count = static_cast<std::uint16_t>(bind->parameters.size());
    BindWriter writer(
        again,
        {.portal = bind->portal, .statement = bind->statement},
        bind->parameter_formats,
        count
    );
    for (const Cell& cell : bind->parameters) {
        writer.add(cell);
    }
    writer.finish(bind->result_formats);
    EXPECT_TRUE(std::ranges::equal(again.bytes(), sample.message.bytes()));
}

TEST(RoundTrip, FormatCodesFollowTheZeroOneManyRule) {
    const auto take = [](const Output& out) {
        Cursor cursor(out.bytes());
        return FormatCodes::take(cursor);
    };
    Output none;
    append_format_codes(none, std::span<const Format>());
    EXPECT_EQ(take(none).code_for(3), 0);
    EXPECT_TRUE(take(none).fits(7));
    Output one;
    append_format_codes(one, std::array{Format::kBinary});
    EXPECT_EQ(take(one).code_for(3), 1);
    EXPECT_TRUE(take(one).fits(7));
    Output two;
    append_format_codes(two, std::array{Format::kText, Format::kBinary});
    EXPECT_EQ(take(two).code_for(0), 0);
    EXPECT_EQ(take(two).code_for(1), 1);
    EXPECT_TRUE(take(two).fits(2));
    EXPECT_FALSE(take(two).fits(3));
    Output bogus;
    bogus.append_int16(1);
    bogus.append_int16(2);
    EXPECT_FALSE(take(bogus).fits(1));
}

TEST(RoundTrip, RowDescriptionKeepsEveryField) {
    const std::vector<Sample> all = all_samples();
    const Sample& sample = *std::ranges::find(all, "RowDescription", &Sample::name);
    const auto description = decode_row_description(sample.body());
    ASSERT_TRUE(description.has_value());
    const std::vector<Field> fields(description->fields.begin(), description->fields.end());
    ASSERT_EQ(fields.size(), 2U);
    EXPECT_EQ(fields[0].name, "id");
    EXPECT_EQ(fields[0].table_oid, 16384U);
    EXPECT_EQ(fields[0].attnum, 1);
    EXPECT_EQ(fields[0].typmod, -1);
    EXPECT_EQ(fields[1].type_oid, 1043U);
    EXPECT_EQ(fields[1].typlen, -1);
    EXPECT_EQ(fields[1].typmod, 84);
    EXPECT_EQ(fields[1].format, 1);
    Output again;
    append_row_description(again, fields);
    EXPECT_TRUE(std::ranges::equal(again.bytes(), sample.message.bytes()));
}

TEST(RoundTrip, ErrorKeepsFieldsAndLeavesOutEmptyOnes) {
    Output out;
    Report report;
    report.sqlstate = "28000";
    report.message = "the token has expired";
    report.position = 7;
    append_error(out, report);
    const auto error = decode_error_response(body_of(out));
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->find('S'), "ERROR");
    EXPECT_EQ(error->find('V'), "ERROR");
    EXPECT_EQ(error->find('C'), "28000");
    EXPECT_EQ(error->find('M'), "the token has expired");
    EXPECT_EQ(error->find('P'), "7");
    EXPECT_EQ(error->find('H'), std::nullopt);
    const std::vector<ErrorField> fields(error->fields.begin(), error->fields.end());
    Output again;
    append_error_fields(again, BackendType::kErrorResponse, fields);
    EXPECT_TRUE(std::ranges::equal(again.bytes(), out.bytes()));
}

TEST(RoundTrip, SaslKeepsTheWholeMechanismListInOrder) {
    Output out;
    const std::array<std::string_view, 2> offered{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"};
    append_authentication_sasl(out, offered);
    const auto request = decode_authentication(body_of(out));
    ASSERT_TRUE(request.has_value());
    EXPECT_EQ(request->type, AuthenticationType::kSASL);
    EXPECT_THAT(
        std::vector(request->mechanisms.begin(), request->mechanisms.end()),
        ElementsAre("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")
    );
}

TEST(RoundTrip, SaslInitialResponseTellsNoneFromEmpty) {
    Output none;
    append_sasl_initial_response(none, "X", std::nullopt);
    EXPECT_FALSE(decode_sasl_initial_response(body_of(none))->response.has_value());
    Output empty;
    append_sasl_initial_response(empty, "X", ByteView());
    EXPECT_TRUE(decode_sasl_initial_response(body_of(empty))->response.has_value());
}

TEST(RoundTrip, TypeBytesMapToTheirNamesAndOthersToUnknown) {
    EXPECT_EQ(frontend_type('B'), FrontendType::kBind);
    EXPECT_EQ(backend_type('t'), BackendType::kParameterDescription);
    int frontend = 0;
    int backend = 0;
    for (int byte = 0; byte < 256; ++byte) {
        const auto type = static_cast<std::uint8_t>(byte);
        frontend += frontend_type(type) != FrontendType::kUnknown ? 1 : 0;
        backend += backend_type(type) != BackendType::kUnknown ? 1 : 0;
    }
    EXPECT_EQ(frontend, 14);
    EXPECT_TRUE(is_skipped_after_error(FrontendType::kBind));
    for (const char type : {'S', 'H', 'X', 'd', 'c', 'f', 'p', '?'}) {
        EXPECT_FALSE(is_skipped_after_error(frontend_type(static_cast<std::uint8_t>(type))))
            << type;
    }
    EXPECT_EQ(backend, 24);
}

}  // namespace

}  // namespace pgveil::wire
