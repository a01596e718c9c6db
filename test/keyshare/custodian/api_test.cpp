#include "keyshare/core/base64url.hpp"
#include "keyshare/core/curve.hpp"
#include "keyshare/quorum/exchange.hpp"
#include "test/keyshare/custodian/crew.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace pgveil::custodian {
namespace {

using share::Json;
using Members = std::vector<std::size_t>;

quorum::Group group_at(Crew& crew, std::size_t at, const std::string& id) {
    const auto bytes =
        core::base64url_decode(crew.get(at, "/v1/groups/" + id, "proxy").text("group"));
    auto group = quorum::parse_group(*bytes);
    return *std::move(group);
}

/// A question about a fresh point, and its answers.
class Asked {
public:
    explicit Asked(
        const quorum::Group& group, std::string requester = "proxy", std::string purpose = "unseal"
    )
        : group_(group),
          scalar_(core::generate_scalar()),
          open_(*quorum::ask(
              group,
              *core::PublicPoint::of_scalar(scalar_),
              std::move(requester),
              std::move(purpose)
          )) {}

    Json body() const { return {{"request", share::json_bytes(serialize(open_.request))}}; }

    Crew::Said at(Crew& crew, std::size_t custodian, const std::string& caller = "proxy") const {
        return crew.post(custodian, path(), body(), caller);
    }

    std::string path() const { return "/v1/groups/" + id_of(group_) + "/partial"; }

    void take(Crew& crew, std::size_t custodian, std::uint32_t index) {
        const Crew::Said said = at(crew, custodian);
        ASSERT_EQ(said.status, 200U) << said.json;
        auto answer =
            quorum::open_answer(group_, open_, index, *core::base64url_decode(said.text("answer")));
        ASSERT_TRUE(answer.has_value()) << answer.error().message;
        answers_.push_back(*std::move(answer));
    }

    /// The group's private key times the point, if the answers are enough and right.
    bool is_solved() const {
        const auto combined = quorum::combine(group_, open_.request, answers_);
        const auto expected = core::ecdh_x(scalar_, group_.public_key());
        return combined.has_value() &&
               core::equal_in_constant_time(quorum::x_of(*combined).reveal(), expected->reveal());
    }

private:
    quorum::Group group_;
    core::Scalar scalar_;
    quorum::OpenRequest open_;
    std::vector<quorum::Answer> answers_;
};

TEST(CustodianApi, K9_AnyTwoOfThreeAnswerAndOneIsNotEnough) {
    Crew crew(3);
    const std::string id = crew.generate({0, 1, 2}, 2, policy_for_proxy());
    const quorum::Group group = group_at(crew, 0, id);
    for (const Members& pair : {Members{0, 1}, Members{0, 2}, Members{1, 2}}) {
        Asked asked(group);
        for (const std::size_t at : pair) {
            EXPECT_FALSE(asked.is_solved());
            asked.take(crew, at, static_cast<std::uint32_t>(at + 1));
        }
        EXPECT_TRUE(asked.is_solved());
    }
}

TEST(CustodianApi, RunsGoOnAfterARestartBetweenAnyTwoSteps) {
    Crew crew(3);
    const Members all{0, 1, 2};
    const std::string session = crew.begin(all, 2, policy_for_proxy());
    Crew::Said last;
    for (int round = 0; round < 3; ++round) {
        for (const std::size_t at : all) {
            const Json before = crew.get(at, "/v1/runs/" + session).json;
            crew.restart(at);
            EXPECT_EQ(crew.get(at, "/v1/runs/" + session).json, before);
        }
        last = crew.exchange(session, all);
    }
    EXPECT_TRUE(last.json.value("done", false)) << last.json;
    for (const std::size_t at : all) {
        crew.restart(at);
    }
    Asked asked(group_at(crew, 2, last.text("group")));
    asked.take(crew, 0, 1);
    asked.take(crew, 2, 3);
    EXPECT_TRUE(asked.is_solved());
}

TEST(CustodianApi, K10_AMemberWhoseMessageIsForgedIsNamed) {
    Crew crew(3);
    const std::string session = crew.begin({0, 1, 2}, 2, policy_for_proxy());
    core::Bytes forged = *core::base64url_decode(
        crew.get(1, "/v1/runs/" + session).json["sent"][0]["message"].get<std::string>()
    );
    forged.back() ^= 1U;
    const Json messages{
        crew.get(2, "/v1/runs/" + session).json["sent"][0],
        {{"round", 1}, {"index", 2}, {"message", share::json_bytes(forged)}}};
    const Crew::Said said =
        crew.post(0, "/v1/runs/" + session + "/messages", {{"messages", messages}});
    EXPECT_EQ(said.status, 422U);
    EXPECT_EQ(said.json["error"]["member"], 2) << said.json;
}

TEST(CustodianApi, QuestionsAreCountedPerMinuteAcrossARestart) {
    Crew crew(2);
    const quorum::Group group = group_at(crew, 0, crew.generate({0, 1}, 2, policy_for_proxy(3)));
    for (int count = 0; count < 3; ++count) {
        EXPECT_EQ(Asked(group).at(crew, 0).status, 200U);
    }
    crew.restart(0);
    const ApiResponse refused = crew.raw(
        0,
        {"POST",
         Asked(group).path(),
         "",
         "application/json",
         Asked(group).body().dump(),
         "proxy",
         "test"}
    );
    EXPECT_EQ(refused.status, 429U);
    EXPECT_THAT(refused.fields, testing::Contains(testing::Pair("Retry-After", "60")));
    crew.now_s += 60;
    EXPECT_EQ(Asked(group).at(crew, 0).status, 200U);
}

TEST(CustodianApi, ThePolicyDecidesWhoAsksForWhat) {
    Crew crew(2);
    const quorum::Group group = group_at(crew, 0, crew.generate({0, 1}, 2, policy_for_proxy()));
    EXPECT_EQ(Asked(group).at(crew, 0).status, 200U);
    EXPECT_EQ(Asked(group).at(crew, 0, "").code(), "certificate");
    EXPECT_EQ(Asked(group).at(crew, 0, "other").code(), "requester");
    EXPECT_EQ(Asked(group, "other").at(crew, 0, "other").code(), "requester");
    EXPECT_EQ(Asked(group, "proxy", "open").at(crew, 0).code(), "purpose");
    quorum::Group later = group;
    later.epoch = 1;
    EXPECT_EQ(Asked(later).at(crew, 0).code(), "epoch");
}

TEST(CustodianApi, AnOlderStoreIsRefusedAndAVersionNeverFalls) {
    Crew crew(2);
    const std::string id = crew.generate({0, 1}, 2, policy_for_proxy());
    const quorum::Group group = group_at(crew, 0, id);
    const std::string store(22, 'A');
    const auto raise = [&](std::uint64_t version) {
        return crew
            .post(
                0,
                "/v1/groups/" + id + "/store-version",
                {{"store", store}, {"version", version}},
                "proxy"
            )
            .json.value("version", std::uint64_t{0});
    };
    const auto ask_with = [&](std::uint64_t version) {
        Json body = Asked(group).body();
        body["store_version"] = {{"store", store}, {"version", version}};
        return crew.post(0, "/v1/groups/" + id + "/partial", body, "proxy").code();
    };
    EXPECT_EQ(ask_with(1), "");
    EXPECT_EQ(raise(7), 7U);
    EXPECT_EQ(raise(5), 7U);
    crew.restart(0);
    EXPECT_EQ(ask_with(6), "older_store");
    EXPECT_EQ(ask_with(7), "");
    Json others = policy_for_proxy();
    others["requesters"]["proxy"]["purposes"] = Json::array({"open"});
    const std::string files = crew.generate({0, 1}, 2, others);
    const Json body = {{"store", store}, {"version", 1}};
    const auto raised = crew.post(0, "/v1/groups/" + files + "/store-version", body, "proxy");
    EXPECT_EQ(raised.code(), "purpose");  // whoever opens no store has none to speak for
}

TEST(CustodianApi, K8_AShreddedShareIsGoneAndLeavesATombstone) {
    Crew crew(2);
    const std::string id = crew.generate({0, 1}, 2, policy_for_proxy());
    const quorum::Group group = group_at(crew, 0, id);
    const std::string path = "/v1/groups/" + id + "/shred";
    EXPECT_EQ(crew.post(0, path, {{"confirm", id}}, "proxy").code(), "administrator");
    EXPECT_EQ(crew.post(0, path, {{"confirm", "yes"}}).code(), "malformed");
    EXPECT_EQ(Asked(group).at(crew, 0).status, 200U);
    const Crew::Said done = crew.post(0, path, {{"confirm", id}});
    EXPECT_EQ(done.status, 200U) << done.json;
    crew.restart(0);
    EXPECT_EQ(Asked(group).at(crew, 0).code(), "shredded");
    EXPECT_EQ(crew.get(0, "/v1/groups/" + id).text("state"), "shredded");
    EXPECT_EQ(crew.get(0, "/v1/groups/" + id).text("shredded"), done.text("shredded"));
    EXPECT_EQ(crew.get(0, "/v1/health").text("status"), "ok");
}

Json reshare_of(Crew& crew, std::size_t at, const std::string& id) {
    const Json shown = crew.get(at, "/v1/groups/" + id).json;
    return {
        {"kind", "reshare"}, {"group", id}, {"epoch", shown["epoch"]}, {"from", shown["group"]}};
}

TEST(CustodianApi, ARefreshGivesNewSharesOfTheSameKey) {
    Crew crew(3);
    const Members all{0, 1, 2};
    const std::string id = crew.generate(all, 2, policy_for_proxy());
    const quorum::Group before = group_at(crew, 0, id);
    const std::string session = crew.begin(all, 2, policy_for_proxy(), reshare_of(crew, 0, id));
    crew.exchange(session, all);
    crew.restart(1);
    const Crew::Said last = crew.exchange(session, all);
    ASSERT_TRUE(last.json.value("done", false)) << last.json;
    const quorum::Group after = group_at(crew, 1, id);
    EXPECT_EQ(after.epoch, 1U);
    EXPECT_EQ(after.public_key(), before.public_key());
    EXPECT_EQ(Asked(before).at(crew, 0).code(), "epoch");
    Asked asked(after);
    asked.take(crew, 0, 1);
    asked.take(crew, 1, 2);
    EXPECT_TRUE(asked.is_solved());
}

TEST(CustodianApi, AReshareMovesAKeyToOthersAndTheFormerMembersForgetTheirShares) {
    Crew crew(4);
    const std::string id = crew.generate({0, 1, 2}, 2, policy_for_proxy());
    const quorum::Group before = group_at(crew, 0, id);
    Json more = reshare_of(crew, 0, id);
    more["dealers"] = Json::array({1, 2});
    const std::string session = crew.begin({3, 1}, 2, policy_for_proxy(), more, {0});
    const Members all{3, 1, 0};
    crew.exchange(session, all);
    crew.exchange(session, all);
    ASSERT_TRUE(crew.get(3, "/v1/runs/" + session).json.value("done", false));
    EXPECT_EQ(crew.get(0, "/v1/groups/" + id).text("state"), "live");
    const Json certificate = crew.get(3, "/v1/groups/" + id).json["certificate"];
    const Crew::Said left = crew.post(
        0,
        "/v1/runs/" + session + "/messages",
        {{"messages", Json::array()}, {"certificate", certificate}}
    );
    EXPECT_EQ(left.status, 200U) << left.json;
    EXPECT_EQ(crew.get(0, "/v1/groups/" + id).text("state"), "left");
    Asked asked(group_at(crew, 3, id));
    asked.take(crew, 3, 1);
    asked.take(crew, 1, 2);
    EXPECT_TRUE(asked.is_solved());
}

TEST(CustodianApi, NobodySignsTwoResharesOfOneEpoch) {
    Crew crew(2);
    const Members all{0, 1};
    const std::string id = crew.generate(all, 2, policy_for_proxy());
    const Json more = reshare_of(crew, 0, id);
    const std::string first = crew.begin(all, 2, policy_for_proxy(), more);
    const std::string second = crew.begin(all, 2, policy_for_proxy(), more);
    crew.exchange(first, {0, 1});
    const Crew::Said refused = crew.exchange(second, {0, 1});
    EXPECT_EQ(refused.code(), "signed") << refused.json;
    EXPECT_TRUE(crew.exchange(first, all).json.value("done", false));
}

TEST(CustodianApi, TheLogNamesEveryQuestionAndItsHeadIsSigned) {
    Crew crew(2);
    const std::string id = crew.generate({0, 1}, 2, policy_for_proxy());
    const quorum::Group group = group_at(crew, 0, id);
    Asked(group).at(crew, 0);
    Asked(group, "proxy", "open").at(crew, 0);
    EXPECT_EQ(crew.get(0, "/v1/log", "proxy").code(), "administrator");
    const Json log = crew.get(0, "/v1/log?after=0&limit=1000").json;
    ASSERT_GE(log["entries"].size(), 2U);
    const Json& last = log["entries"].back();
    EXPECT_EQ(last["result"], "purpose");
    EXPECT_EQ(log["entries"][log["entries"].size() - 2]["result"], "answered");
    EXPECT_EQ(last["purpose"], "open");
    EXPECT_EQ(crew.get(0, "/v1/log?after=" + last["seq"].dump()).json["entries"], Json::array());
    EXPECT_EQ(crew.get(0, "/v1/log?limit=0").code(), "malformed");
}

TEST(CustodianApi, RefusalsFillTheLogUpToANumberAMinuteOnly) {
    Crew crew(1);
    for (int count = 0; count < 200; ++count) {
        crew.post(0, "/v1/members", {{"session", fresh_session()}}, "stranger");
    }
    EXPECT_EQ(crew.get(0, "/v1/log?limit=1000").json["entries"].size(), 60U);
}

TEST(CustodianApi, OtherPathsMethodsAndBodiesAreRefused) {
    Crew crew(1);
    const auto status = [&](const char* method, const char* path, const char* type, const char* body
                        ) {
        return crew.raw(0, {method, path, "", type, body, "admin", "test"}).status;
    };
    EXPECT_EQ(status("GET", "/v1/health", "", ""), 200U);
    EXPECT_EQ(status("HEAD", "/v1/openapi.json", "", ""), 200U);
    EXPECT_EQ(status("GET", "/v1/nothing", "", ""), 404U);
    EXPECT_EQ(status("GET", "/v1/groups/a/b", "", ""), 404U);
    EXPECT_EQ(status("DELETE", "/v1/health", "", ""), 405U);
    EXPECT_EQ(status("POST", "/v1/members", "text/plain", "{}"), 415U);
    EXPECT_EQ(status("POST", "/v1/members", "application/json", "{"), 400U);
    EXPECT_EQ(status("POST", "/v1/members", "application/json; charset=utf-8", "{}"), 400U);
}

TEST(CustodianApi, TheDescriptionNamesEveryOperationThatThereIs) {
    Crew crew(1);
    const Json described = crew.get(0, "/v1/openapi.json", "").json;
    for (const auto& path : described["paths"].items()) {
        std::string at = path.key();
        for (const char* hole : {"{id}", "{session}"}) {
            const std::size_t place = at.find(hole);
            at = place == std::string::npos ? at : at.replace(place, std::string(hole).size(), "x");
        }
        const ApiResponse other = crew.raw(0, {"PATCH", at, "", "", "", "admin", "test"});
        std::string methods;
        for (const auto& method : path.value().items()) {
            methods += method.key();
        }
        ASSERT_EQ(other.status, 405U) << at;
        EXPECT_EQ(methods, other.fields.front().second == "GET" ? "get" : "post") << at;
    }
}

}  // namespace
}  // namespace pgveil::custodian
