#include "proxy/relay/row_keys.hpp"

#include "keyshare/core/bytes.hpp"
#include "proxy/relay/opener.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace pgveil::relay {
namespace {

using analysis::KeyParameter;
using analysis::ResultColumn;
using analysis::RowKey;
using types::Kind;

FormattedCell text(std::string_view value) {
    return {wire::as_bytes(value), wire::Format::kText};
}

FormattedCell binary(const core::Bytes& value) {
    return {wire::ByteView(value), wire::Format::kBinary};
}

RowKey from_parameter(std::uint32_t number, Kind kind, bool is_compared = false) {
    return {"id", is_compared, KeyParameter{number, {kind, -1}}};
}

class Keys : public ::testing::Test {
protected:
    /// The row as hex, "none" for no row, or the SQLSTATE.
    std::string row(const analysis::RowKeys& keys, std::vector<FormattedCell> parameters) {
        const auto said = row_of_parameters(keys, parameters, style);
        if (!said.has_value()) {
            return said.error().sqlstate;
        }
        return *said ? core::to_hex(**said) : "none";
    }

    std::string result_row(const std::vector<FormattedCell>& cells) {
        const auto said = row_of_result(results, 0, cells, style);
        return said.has_value() ? core::to_hex(*said) : said.error().sqlstate;
    }

    static analysis::ColumnPtr bound_column() {
        auto column = std::make_shared<field::ProtectedColumn>();
        column->bind_to = {"id"};
        return column;
    }

    types::TextStyle style;
    std::vector<ResultColumn> results = {{bound_column(), {1}, {}}, {nullptr, {}, Kind::kInt4}};
    const std::string five = "00000004696e7438000000080000000000000005";
    const core::Bytes five_int4 = {0, 0, 0, 5};
    const core::Bytes five_int8 = {0, 0, 0, 0, 0, 0, 0, 5};
};

TEST_F(Keys, AreTheSameInEveryFormAndWidth) {
    EXPECT_EQ(row({from_parameter(1, Kind::kInt4)}, {text(" 5")}), five);
    EXPECT_EQ(row({from_parameter(1, Kind::kInt4)}, {binary(five_int4)}), five);
    EXPECT_EQ(row({from_parameter(2, Kind::kInt8)}, {text("x"), binary(five_int8)}), five);
    EXPECT_EQ(row({{"id", false, field::KeyValue{Kind::kInt8, five_int8}}}, {}), five);
    EXPECT_EQ(result_row({text("?"), text("5")}), five);
    EXPECT_EQ(result_row({text("?"), binary(five_int4)}), five);
}

TEST_F(Keys, ThatAreNoValuesArePostgresErrors) {
    EXPECT_EQ(row({from_parameter(1, Kind::kInt4)}, {text("five")}), "22P02");
    EXPECT_EQ(row({from_parameter(1, Kind::kInt4)}, {text("5000000000")}), "22003");
    EXPECT_EQ(row({from_parameter(1, Kind::kInt4)}, {binary(five_int8)}), "22P03");
    EXPECT_EQ(row({from_parameter(2, Kind::kInt4)}, {text("5")}), "08P01") << "not sent";
}

TEST_F(Keys, ThatAreNullNameNoRow) {
    EXPECT_EQ(row({from_parameter(1, Kind::kInt4, true)}, {FormattedCell{}}), "none");
    EXPECT_EQ(row({from_parameter(1, Kind::kInt4, false)}, {FormattedCell{}}), "22004");
}

TEST_F(Keys, OfAResultThatAreNullOrNoValuesOpenNothing) {
    EXPECT_EQ(result_row({text("?"), FormattedCell{}}), "XX001");
    EXPECT_EQ(result_row({text("?"), text("five")}), "XX001");
    EXPECT_EQ(result_row({text("?"), binary(five_int8)}), "XX001") << "another type than planned";
}

/// What the client is told of a result of a bound text column and its hidden int4 key.
class Description : public ::testing::Test {
protected:
    std::string described(std::uint32_t key_type, std::size_t hidden) {
        auto column = std::make_shared<field::ProtectedColumn>();
        column->bind_to = {"id"};
        analysis::StatementPlan plan;
        plan.results = {{column, {1}, {}}, {nullptr, {}, Kind::kInt4}};
        plan.hidden_results = hidden;
        auto analysis = std::make_shared<analysis::Analysis>();
        analysis->statements.emplace_back(std::move(plan));
        Portal portal;
        portal.planned = Planned(std::move(analysis), 0);
        wire::Output server;
        const std::vector<wire::Field> fields = {
            {"note", 1, 1, 17, -1, -1, 1}, {"pgveil:key:1", 1, 2, key_type, 4, -1, 1}};
        wire::append_row_description(server, fields);
        const auto decoded = wire::decode_row_description(server.bytes().subspan(5));
        wire::Output client;
        const Outcome opened = open_description(*decoded, portal, client);
        if (!opened.has_value()) {
            return opened.error().sqlstate;
        }
        const auto shown = wire::decode_row_description(client.bytes().subspan(5));
        std::string names;
        for (const wire::Field& field : shown->fields) {
            names += std::string(field.name) + ":" + std::to_string(field.type_oid) + " ";
        }
        return names;
    }
};

TEST_F(Description, LeavesHiddenKeysOut) {
    EXPECT_EQ(described(23, 1), "note:25 ");
    EXPECT_EQ(described(23, 0), "note:25 pgveil:key:1:23 ");
}

TEST_F(Description, RefusesAKeyOfAnotherType) {
    EXPECT_EQ(described(20, 1), "XX000");
}

}  // namespace
}  // namespace pgveil::relay
