#include "proxy/relay/batched_query.hpp"

#include "proxy/wire/frame.hpp"
#include "proxy/wire/frontend.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace pgveil::relay {

namespace {

using wire::BackendType;

std::string said(Outgoing& client) {
    std::string text;
    client.for_each([&text](wire::ByteView slice) { text += wire::as_text(slice); });
    return text;
}

TEST(BatchedQuery, IsAcknowledgedInOrderOnly) {
    BatchedQuery batch;
    EXPECT_FALSE(batch.acknowledge(BackendType::kBindComplete));
    EXPECT_TRUE(batch.acknowledge(BackendType::kParseComplete));
    EXPECT_TRUE(batch.is_binding());
    EXPECT_FALSE(batch.acknowledge(BackendType::kParseComplete));
    EXPECT_TRUE(batch.acknowledge(BackendType::kBindComplete));
    EXPECT_FALSE(batch.is_binding());
    EXPECT_TRUE(batch.acknowledge(BackendType::kCloseComplete));
    EXPECT_TRUE(batch.acknowledge(BackendType::kCloseComplete));
    EXPECT_FALSE(batch.acknowledge(BackendType::kCloseComplete));
}

TEST(BatchedQuery, ShowsTheEndOfItsStatementOnce) {
    wire::Output server;
    const std::size_t start = server.open_message(BackendType::kCommandComplete);
    server.append_cstring("SELECT 2");
    server.close_message(start);
    wire::FrameReader frames(server.bytes(), server.size());
    const wire::Frame end = frames.take();
    BatchedQuery batch;
    Outgoing client;
    batch.release(client);
    EXPECT_EQ(said(client), "");
    EXPECT_TRUE(batch.keep_end(end));
    EXPECT_EQ(said(client), "") << "its commit may fail";
    EXPECT_FALSE(batch.keep_end(end));
    batch.release(client);
    EXPECT_EQ(said(client), wire::as_text(server.bytes()));
    batch.release(client);
    EXPECT_EQ(said(client), wire::as_text(server.bytes()));
}

TEST(BatchedQuery, AsksForProtectedColumnsInBinaryAndLeavesNothingBehind) {
    analysis::StatementPlan plan;
    plan.results.resize(3);  // plain, protected, and a key that only we asked for
    plan.results[1].column = std::make_shared<const field::ProtectedColumn>();
    plan.hidden_results = 1;
    wire::Output upstream;
    append_batch(upstream, "SELECT 1", plan);
    wire::FrameReader frames(upstream.bytes(), upstream.size());
    std::string letters;
    while (frames.consumed() < upstream.size()) {
        const wire::Frame frame = frames.take();
        letters.push_back(static_cast<char>(frame.type));
        if (wire::frontend_type(frame.type) == wire::FrontendType::kBind) {
            const auto bind = wire::decode_bind(frame.body);
            ASSERT_TRUE(bind.has_value());
            ASSERT_EQ(bind->result_formats.size(), 3U);
            EXPECT_EQ(bind->result_formats.code_for(0), 0);
            EXPECT_EQ(bind->result_formats.code_for(1), 1);
            EXPECT_EQ(bind->result_formats.code_for(2), 1);
        }
    }
    EXPECT_EQ(letters, "PBDECCS");
}

}  // namespace

}  // namespace pgveil::relay
