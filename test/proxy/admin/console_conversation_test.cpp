#include "proxy/admin/console_conversation.hpp"

#include "proxy/admin/console_show.hpp"
#include "proxy/wire/backend.hpp"
#include "proxy/wire/error_response.hpp"
#include "proxy/wire/row.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace pgveil::admin {
namespace {

/// Sends messages as a client would and reads the answers as one letter each: errors with their
/// SQLSTATE, rows with their cells, descriptions with their type OIDs.
class ConsoleConversation : public testing::Test {
protected:
    std::string talk() {
        std::string seen;
        wire::FrameReader frames(to_server_.bytes(), kLimit);
        while (frames.peek().status == wire::PeekStatus::kWhole) {
            wire::Output reply;
            last_ = conversation_.on_message(frames.take(), reply);
            if (last_ == Conversation::Next::kRun) {
                ran_ += std::string(tag_of(conversation_.command())) + ";";
                conversation_.on_answer(answer_, reply);
            }
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
            seen += detail(frame);
        }
        return seen;
    }

    static std::string detail(const wire::Frame& frame) {
        const wire::BackendType type = wire::backend_type(frame.type);
        if (type == wire::BackendType::kErrorResponse ||
            type == wire::BackendType::kNoticeResponse) {
            return std::string(*wire::decode_error_response(frame.body)->find('C'));
        }
        if (type == wire::BackendType::kDataRow) {
            return row_text(frame.body);
        }
        if (type == wire::BackendType::kRowDescription) {
            return types_text(frame.body);
        }
        if (type == wire::BackendType::kCommandComplete) {
            return std::string(wire::decode_command_complete(frame.body)->tag);
        }
        return {};
    }

    static std::string row_text(wire::ByteView body) {
        std::string text = "(";
        const auto row = wire::decode_data_row(body);
        for (const wire::Cell& cell : row->cells) {
            text += (text.size() > 1 ? "," : "") +
                    (cell ? std::string(wire::as_text(*cell)) : std::string("NULL"));
        }
        return text + ")";
    }

    static std::string types_text(wire::ByteView body) {
        std::string text = "[";
        const auto description = wire::decode_row_description(body);
        for (const wire::Field& field : description->fields) {
            text += (text.size() > 1 ? "," : "") + std::to_string(field.type_oid);
        }
        return text + "]";
    }

    void query(std::string_view text) { wire::append_query(to_server_, text); }

    void parse(std::string_view text, std::string_view name = "") {
        wire::append_parse(to_server_, name, text, {});
    }

    void bind(const std::vector<wire::Format>& results = {}, std::string_view name = "") {
        wire::BindWriter writer(to_server_, {"", name}, std::span<const wire::Format>(), 0);
        writer.finish(results);
    }

    void sync() { wire::append_empty(to_server_, wire::FrontendType::kSync); }

    void answer_with_rows() {
        answer_.table =
            Table{columns_of(Topic::kUsers), {{std::string("app"), Cell(), number(258)}}};
    }

    static constexpr std::size_t kLimit = 65536;
    Conversation conversation_;
    Answer answer_;
    wire::Output to_server_;
    Conversation::Next last_ = Conversation::Next::kGoOn;
    std::string ran_;
};

TEST_F(ConsoleConversation, AnswersASimpleQuery) {
    answer_with_rows();
    query("SHOW USERS;");
    EXPECT_EQ(talk(), "T[25,25,20]D(app,NULL,258)CSHOWZ");
    EXPECT_EQ(ran_, "SHOW;");
}

TEST_F(ConsoleConversation, AnswersAnAction) {
    answer_.notices = {"something needs a restart"};
    query("RELOAD");
    EXPECT_EQ(talk(), "N00000CRELOADZ");
}

TEST_F(ConsoleConversation, AnswersAnErrorAndGoesOn) {
    answer_ = failed(CommandError("42501", "not for you"));
    query("RELOAD");
    query("SELECT 1");
    query(" -- nothing");
    EXPECT_EQ(talk(), "E42501ZE42601ZIZ");
    EXPECT_EQ(last_, Conversation::Next::kGoOn);
}

TEST_F(ConsoleConversation, AnswersAnExtendedQuery) {
    answer_with_rows();
    parse("SHOW USERS");
    bind();
    wire::append_describe(to_server_, wire::Target::kPortal, "");
    wire::append_execute(to_server_, "", 0);
    sync();
    EXPECT_EQ(talk(), "12T[25,25,20]D(app,NULL,258)CSHOWZ");
}

TEST_F(ConsoleConversation, SendsNumbersInBinaryWhereAsked) {
    answer_with_rows();
    parse("SHOW USERS", "named");
    bind({wire::Format::kBinary}, "named");
    wire::append_execute(to_server_, "", 0);
    sync();
    EXPECT_EQ(talk(), "12D(app,NULL," + std::string("\0\0\0\0\0\0\1\2", 8) + ")CSHOWZ");
}

TEST_F(ConsoleConversation, DescribesWithoutRunning) {
    parse("PAUSE");
    wire::append_describe(to_server_, wire::Target::kStatement, "");
    parse("EXPLAIN VEIL SELECT 1", "other");
    wire::append_describe(to_server_, wire::Target::kStatement, "other");
    wire::append_close(to_server_, wire::Target::kStatement, "other");
    sync();
    EXPECT_EQ(talk(), "1tn1tT[25]3Z");
    EXPECT_EQ(ran_, "");
}

TEST_F(ConsoleConversation, SkipsToSyncAfterAnError) {
    answer_ = failed(CommandError("55000", "already"));
    parse("PAUSE");
    bind();
    wire::append_execute(to_server_, "", 0);
    wire::append_execute(to_server_, "", 0);
    sync();
    EXPECT_EQ(talk(), "12E55000Z");
    EXPECT_EQ(ran_, "PAUSE;");
    parse("SELECT 1");
    bind();
    sync();
    EXPECT_EQ(talk(), "E42601Z");
}

TEST_F(ConsoleConversation, RefusesWhatItCannotKeep) {
    const auto refused = [this](const auto& send) {
        send();
        sync();
        return talk();
    };
    EXPECT_EQ(refused([this] { bind(); }), "E26000Z");
    EXPECT_EQ(refused([this] { wire::append_execute(to_server_, "", 0); }), "E34000Z");
    EXPECT_EQ(
        refused([this] { wire::append_describe(to_server_, wire::Target::kPortal, ""); }), "E34000Z"
    );
    parse("SHOW USERS");
    bind();
    EXPECT_EQ(refused([this] { wire::append_execute(to_server_, "", 5); }), "12E0A000Z");
    parse("SHOW USERS", "twice");
    EXPECT_EQ(refused([this] { parse("SHOW USERS", "twice"); }), "1E42P05Z");
    wire::BindWriter writer(to_server_, {"", "twice"}, std::span<const wire::Format>(), 1);
    writer.add(wire::as_bytes("1"));
    writer.finish(std::span<const wire::Format>());
    EXPECT_EQ(refused([] {}), "E08P01Z");
    for (int name = 0; name < 99; ++name) {
        parse("SHOW USERS", std::to_string(name));
    }
    sync();
    talk();
    EXPECT_EQ(refused([this] { parse("SHOW USERS", "more"); }), "E54000Z");
    EXPECT_EQ(ran_, "");
}

TEST_F(ConsoleConversation, EndsAtTerminateAndAtUnknownMessages) {
    wire::append_empty(to_server_, wire::FrontendType::kTerminate);
    EXPECT_EQ(talk(), "");
    EXPECT_EQ(last_, Conversation::Next::kEnd);
    const std::array<std::uint8_t, 5> unknown{'!', 0, 0, 0, 4};
    to_server_.append(unknown);
    EXPECT_EQ(talk(), "E08P01");
    EXPECT_EQ(last_, Conversation::Next::kEnd);
}

}  // namespace
}  // namespace pgveil::admin
