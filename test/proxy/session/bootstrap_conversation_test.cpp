#include "proxy/session/bootstrap_conversation.hpp"

#include "proxy/wire/backend.hpp"
#include "proxy/wire/error_response.hpp"
#include "proxy/wire/row.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace pgveil::session {
namespace {

class EchoSteps final : public BootstrapSteps {
public:
    std::optional<std::string> verifier() const override { return std::nullopt; }

    Answer call(std::string_view step, std::string_view argument) override {
        ++calls;
        if (step == "late") {
            return Refusal("55000", "this step was done");
        }
        return std::string(step) + "/" + std::string(argument);
    }

    int calls = 0;
};

/// Sends messages as a client would and reads the answers as one letter each, errors with their
/// SQLSTATE, rows with their cell.
class Conversation : public testing::Test {
protected:
    std::string talk() {
        std::string seen;
        wire::FrameReader frames(to_server_.bytes(), kLimit);
        while (frames.peek().status == wire::PeekStatus::kWhole) {
            wire::Output reply;
            goes_on_ = conversation_.on_message(frames.take(), reply);
            seen += read(reply);
        }
        to_server_.clear();
        return seen;
    }

    static std::string read(const wire::Output& reply) {
        std::string seen;
        wire::FrameReader frames(reply.bytes(), kLimit);
        while (frames.peek().status == wire::PeekStatus::kWhole) {
            const wire::Frame frame = frames.take();
            seen += static_cast<char>(frame.type);
            if (wire::backend_type(frame.type) == wire::BackendType::kErrorResponse) {
                seen += std::string(*wire::decode_error_response(frame.body)->find('C'));
            }
            if (wire::backend_type(frame.type) == wire::BackendType::kDataRow) {
                const auto row = wire::decode_data_row(frame.body);
                seen += "(" + std::string(wire::as_text(**row->cells.begin())) + ")";
            }
        }
        return seen;
    }

    void bind(const std::vector<wire::Cell>& cells, const std::vector<wire::Format>& results = {}) {
        wire::BindWriter writer(
            to_server_,
            {"", ""},
            std::span<const wire::Format>(),
            static_cast<std::uint16_t>(cells.size())
        );
        for (const wire::Cell& cell : cells) {
            writer.add(cell);
        }
        writer.finish(results);
    }

    void sync() { wire::append_empty(to_server_, wire::FrontendType::kSync); }

    static constexpr std::size_t kLimit = 65536;
    EchoSteps steps_;
    BootstrapConversation conversation_{steps_};
    wire::Output to_server_;
    bool goes_on_ = true;
};

TEST_F(Conversation, AnswersASimpleQueryWithOneTextRow) {
    wire::append_query(to_server_, "SELECT pgveil.bootstrap('hello','world')");
    EXPECT_EQ(talk(), "TD(hello/world)CZ");
}

TEST_F(Conversation, RefusesOtherStatementsAndGoesOn) {
    wire::append_query(to_server_, "SELECT 1");
    wire::append_query(to_server_, "SELECT pgveil.bootstrap($1,$2)");
    wire::append_query(to_server_, "");
    wire::append_query(to_server_, "SELECT pgveil.bootstrap('late','')");
    wire::append_query(to_server_, "SELECT pgveil.bootstrap('a','b')");
    EXPECT_EQ(talk(), "E0A000ZE0A000ZIZE55000ZTD(a/b)CZ");
    EXPECT_TRUE(goes_on_);
}

TEST_F(Conversation, AnswersPQexecParams) {
    wire::append_parse(to_server_, "", "SELECT pgveil.bootstrap($1,$2)", {});
    bind({wire::as_bytes("contribute"), wire::as_bytes("jws")});
    wire::append_describe(to_server_, wire::Target::kPortal, "");
    wire::append_execute(to_server_, "", 0);
    sync();
    EXPECT_EQ(talk(), "12TD(contribute/jws)CZ");
}

TEST_F(Conversation, DescribesStatementAndReportsTheAskedFormat) {
    const std::array<std::uint32_t, 2> text{25, 0};
    wire::append_parse(to_server_, "", "SELECT pgveil.bootstrap($1,$2)", text);
    wire::append_describe(to_server_, wire::Target::kStatement, "");
    sync();
    EXPECT_EQ(talk(), "1tTZ");
    bind({wire::as_bytes("a"), wire::as_bytes("b")}, {wire::Format::kBinary});
    wire::append_describe(to_server_, wire::Target::kPortal, "");
    wire::Output reply;
    wire::FrameReader frames(to_server_.bytes(), kLimit);
    conversation_.on_message(frames.take(), reply);
    reply.clear();
    conversation_.on_message(frames.take(), reply);
    wire::FrameReader answers(reply.bytes(), kLimit);
    const auto description = wire::decode_row_description(answers.take().body);
    ASSERT_TRUE(description.has_value());
    EXPECT_EQ(description->fields.begin()->format, 1);
    EXPECT_EQ(description->fields.begin()->type_oid, 25U);
}

TEST_F(Conversation, SkipsToSyncAfterAnError) {
    wire::append_parse(to_server_, "", "SELECT 1", {});
    bind({});
    wire::append_execute(to_server_, "", 0);
    sync();
    EXPECT_EQ(talk(), "E0A000Z");
    EXPECT_EQ(steps_.calls, 0);
    wire::append_parse(to_server_, "", "SELECT pgveil.bootstrap('late','')", {});
    bind({});
    wire::append_execute(to_server_, "", 0);
    wire::append_execute(to_server_, "", 0);
    sync();
    EXPECT_EQ(talk(), "12E55000Z");
    EXPECT_EQ(steps_.calls, 1);
}

TEST_F(Conversation, RefusesWhatDoesNotFitTheStatement) {
    const auto refused = [this](const auto& send) {
        wire::append_parse(to_server_, "", "SELECT pgveil.bootstrap($1,$2)", {});
        send();
        sync();
        return talk();
    };
    EXPECT_EQ(refused([this] { bind({wire::as_bytes("a")}); }), "1E08P01Z");
    EXPECT_EQ(refused([this] { bind({wire::as_bytes("a"), std::nullopt}); }), "1E22004Z");
    EXPECT_EQ(refused([this] { wire::append_execute(to_server_, "", 0); }), "1E34000Z");
    EXPECT_EQ(
        refused([this] { wire::append_describe(to_server_, wire::Target::kPortal, ""); }),
        "1E34000Z"
    );
    const std::array<std::uint32_t, 1> integer{23};
    wire::append_parse(to_server_, "", "SELECT pgveil.bootstrap($1,$2)", integer);
    sync();
    EXPECT_EQ(talk(), "E42804Z");
    wire::append_parse(to_server_, "named", "SELECT pgveil.bootstrap($1,$2)", {});
    sync();
    EXPECT_EQ(talk(), "E0A000Z");
}

TEST_F(Conversation, EndsAtTerminateAndAtUnknownMessages) {
    wire::append_empty(to_server_, wire::FrontendType::kTerminate);
    EXPECT_EQ(talk(), "");
    EXPECT_FALSE(goes_on_);
    const std::array<std::uint8_t, 5> unknown{'!', 0, 0, 0, 4};
    to_server_.append(unknown);
    EXPECT_EQ(talk(), "E08P01");
    EXPECT_FALSE(goes_on_);
}

}  // namespace
}  // namespace pgveil::session
