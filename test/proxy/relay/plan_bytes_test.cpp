#include "proxy/relay/plan_bytes.hpp"

#include "proxy/wire/row.hpp"
#include "test/proxy/relay/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

// What one session keeps of its statements has a limit.
namespace pgveil::relay {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kPolicy =
    R"json({"tables": {"public.patients": {"columns": {"name": {"type": "text"}}}}})json";

TEST(PlanBytes, CountWhileSomebodyHoldsThem) {
    PlanBytes bytes;
    Charge first = bytes.charge(100);
    {
        const Charge second = bytes.charge(10, first);
        const Charge copy = second;
        first.reset();
        EXPECT_EQ(bytes.total(), 110U);
    }
    EXPECT_EQ(bytes.total(), 0U);
}

/// A conversation in which a few prepared statements are too much.
class Full : public ::testing::Test {
protected:
    void SetUp() override { talk.limits().plan_bytes_per_session = 20'000; }

    /// Prepares, describes and answers; what the client saw.
    std::string prepare(const std::string& name) {
        talk.client_sends(both(parse(name, "SELECT 1"), sync()));
        if (talk.to_server().find("pgveil_refused") != std::string::npos) {
            return talk.server_sends(both(error("42703", "no such column"), ready('I')));
        }
        return talk.server_sends(both(acknowledge("1"), ready('I')));
    }

    int fill() {
        int count = 0;
        while (count < 100 && prepare("s" + std::to_string(count)) == "1Z") {
            ++count;
        }
        return count;
    }

    Conversation talk{kPolicy};
};

TEST_F(Full, RefusesMorePreparedStatements) {
    const int count = fill();
    EXPECT_GT(count, 3);
    EXPECT_LT(count, 25);
    EXPECT_THAT(talk.to_client(), HasSubstr("54000"));
    EXPECT_THAT(talk.to_client(), HasSubstr("limits.plan_bytes_per_session"));
    EXPECT_THAT(talk.to_client(), HasSubstr("DEALLOCATE"));
}

TEST_F(Full, GoesOnWithWhatIsPreparedAndWhatHasNoName) {
    fill();
    EXPECT_EQ(prepare(""), "1Z");
    ASSERT_EQ(talk.client_sends(both(relay::bind("", "s0", "x"), sync())), "BS");
    EXPECT_EQ(talk.server_sends(both(acknowledge("2"), ready('I'))), "2Z");
    ASSERT_EQ(talk.client_sends(both(relay::bind("p", "s0", "x"), sync())), "PS");
    EXPECT_EQ(talk.server_sends(both(error("42703", "x"), ready('I'))), "EZ");
    EXPECT_THAT(talk.to_client(), HasSubstr("54000"));
    ASSERT_EQ(talk.client_sends(query("PREPARE q AS SELECT 1")), "Q");
    EXPECT_THAT(talk.to_server(), HasSubstr("pgveil:refused"));
    EXPECT_EQ(talk.server_sends(both(error("42703", "x"), ready('I'))), "EZ");
    EXPECT_THAT(talk.to_client(), HasSubstr("54000"));
}

TEST_F(Full, TakesMoreOnceSomethingIsGone) {
    fill();
    ASSERT_EQ(
        talk.client_sends(both(both(close_statement("s0"), close_statement("s1")), sync())), "CCS"
    );
    ASSERT_EQ(talk.server_sends(both(acknowledge("33"), ready('I'))), "33Z");
    EXPECT_EQ(prepare("again"), "1Z");
}

TEST_F(Full, WaitsForRepliesBeforeItRefuses) {
    wire::Output pipeline;
    for (int i = 0; i < 100; ++i) {
        pipeline = both(std::move(pipeline), parse("s" + std::to_string(i), "SELECT 1"));
    }
    std::string sent = talk.client_sends(pipeline);
    ASSERT_LT(sent.size(), 100U);
    ASSERT_EQ(sent.back(), 'H') << "the server is asked for its replies";
    sent.pop_back();
    EXPECT_EQ(
        talk.server_sends(acknowledge(std::string(sent.size(), '1'))), std::string(sent.size(), '1')
    );
    EXPECT_THAT(talk.to_server(), HasSubstr("pgveil:refused"));
}

TEST(ResultGuard, CountsWhatItKeepsOfADescription) {
    wire::Output out;
    wire::Field field;
    const std::string name(60, 'x');
    field.name = name;
    field.type_oid = 17;
    wire::append_row_description(out, std::vector<wire::Field>{field});
    PlanBytes kept;
    {
        ResultGuard guard;
        const auto described = wire::decode_row_description(out.bytes().subspan(5));
        ASSERT_TRUE(described.has_value());
        guard.describe(*described, kept);
        guard.describe(*described, kept);
        EXPECT_GT(kept.total(), 60U);
        EXPECT_LT(kept.total(), 200U) << "the first description is gone";
    }
    EXPECT_EQ(kept.total(), 0U);
}

/// PostgreSQL tells names apart by their first 63 bytes.
TEST(LongNames, AreThoseOfTheServer) {
    Conversation talk(kPolicy);
    const std::string kept(63, 'n');
    ASSERT_EQ(talk.client_sends(both(parse(kept + "a", "SELECT 1"), sync())), "PS");
    ASSERT_EQ(talk.server_sends(both(acknowledge("1"), ready('I'))), "1Z");
    ASSERT_EQ(talk.client_sends(both(relay::bind("", kept + "other", "x"), sync())), "BS");
    ASSERT_EQ(talk.server_sends(both(acknowledge("2"), ready('I'))), "2Z");
    ASSERT_EQ(talk.client_sends(both(close_statement(kept + "third"), sync())), "CS");
    ASSERT_EQ(talk.server_sends(both(acknowledge("3"), ready('I'))), "3Z");
    ASSERT_EQ(talk.client_sends(both(relay::bind("", kept + "a", "topsecret"), sync())), "PS");
    EXPECT_EQ(talk.server_sends(both(error("42703", "x"), ready('I'))), "EZ");
    EXPECT_THAT(talk.to_client(), HasSubstr("26000"));
}

}  // namespace
}  // namespace pgveil::relay
