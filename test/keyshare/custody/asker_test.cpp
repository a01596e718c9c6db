#include "keyshare/custody/asker.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/share/json_fields.hpp"
#include "keyshare/share/member_statement.hpp"
#include "test/keyshare/custody/loopback_custodian.hpp"
#include "test/keyshare/quorum/ceremony.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace pgveil::custody {
namespace {

using ::testing::HasSubstr;
using testing::http_response;
using testing::LoopbackCustodian;
using ::testing::Not;

/// Three custodians of one group of which any two are enough, and somebody who asks.
class AskerTest : public ::testing::Test {
protected:
    AskerTest() : ceremony_({2, 3}) {
        ceremony_.run();
        sealed_ =
            std::make_unique<quorum::testing::Sealed>(quorum::testing::seal_to(ceremony_.group));
    }

    ~AskerTest() override { release(); }

    std::string answer(std::uint32_t as, std::uint32_t with, const std::string& body) {
        share::JsonReader reader{std::string_view(body)};
        const auto request = quorum::parse_request(reader.bytes("request"));
        if (!request.has_value() || !reader.ok()) {
            return http_response(400, R"({"error":{"code":"malformed","message":"no request"}})");
        }
        {
            const std::lock_guard guard(mutex_);
            points_.insert(request->point.text());
        }
        const auto sealed = quorum::answer(
            ceremony_.group, ceremony_.shares[with - 1], ceremony_.key(as), *request
        );
        if (!sealed.has_value()) {
            return http_response(
                409, R"({"error":{"code":"epoch","message":"not of this group"}})"
            );
        }
        return http_response(200, R"({"answer":")" + core::base64url_encode(*sealed) + "\"}");
    }

    testing::Handler good(std::uint32_t index) {
        return [this, index](const std::string&, const std::string& body) {
            return answer(index, index, body);
        };
    }

    /// Answers rightly, but not before release().
    testing::Handler slow(std::uint32_t index) {
        return [this, index](const std::string&, const std::string& body) {
            std::unique_lock guard(mutex_);
            released_.wait(guard, [this] { return is_released_; });
            guard.unlock();
            return answer(index, index, body);
        };
    }

    static testing::Handler saying(std::string reply) {
        return [reply = std::move(reply)](const std::string&, const std::string&) {
            return reply;
        };
    }

    void release() {
        const std::lock_guard guard(mutex_);
        is_released_ = true;
        released_.notify_all();
    }

    void start(std::vector<testing::Handler> handlers) {
        for (testing::Handler& handler : handlers) {
            start_one(authority_, std::move(handler));
        }
    }

    void start_one(net::TestAuthority& signer, testing::Handler handler) {
        servers_.push_back(std::make_unique<LoopbackCustodian>(
            authority_.authority_file(), signer.issue({"127.0.0.1", true}), std::move(handler)
        ));
        urls_.push_back(servers_.back()->url());
    }

    /// Nobody listens there.
    void start_dead() {
        const LoopbackCustodian once(
            authority_.authority_file(), authority_.issue({"127.0.0.1", true}), saying("")
        );
        urls_.push_back(once.url());
    }

    Asker asker(AskTimes times = {}) {
        AskerSettings settings;
        PinnedGroup pinned{ceremony_.group, {}};
        for (std::size_t i = 0; i < urls_.size(); ++i) {
            const std::string name = std::vector<std::string>{"ada", "ben", "cleo"}[i];
            settings.custodians.push_back({name, urls_[i], ceremony_.keys[i].point()});
            pinned.members.push_back(name);
        }
        const auto own = authority_.issue({"clinic"});
        settings.tls = {authority_.authority_file(), own.certificate, own.key};
        auto made = Asker::make(std::move(settings), std::move(pinned), times);
        EXPECT_TRUE(made.has_value());
        return *std::move(made);
    }

    Question question() const { return {sealed_->point, "unseal"}; }

    bool is_right(const Result<quorum::SecretPoint>& answer) const {
        return answer.has_value() && core::equal_in_constant_time(
                                         quorum::x_of(*answer).reveal(), sealed_->expected.reveal()
                                     );
    }

    net::TestAuthority authority_;
    quorum::testing::Ceremony ceremony_;
    std::unique_ptr<quorum::testing::Sealed> sealed_;
    std::vector<std::string> urls_;
    std::mutex mutex_;
    std::condition_variable released_;
    bool is_released_ = false;
    std::set<std::string> points_;
    std::vector<std::unique_ptr<LoopbackCustodian>> servers_;  // last: their threads use the rest
};

TEST_F(AskerTest, GatheringAsksEverybodyButTheAskersOwnSeat) {
    start({good(1), good(2), good(3)});
    Asker asking = asker({std::chrono::minutes(1), std::chrono::seconds(20)});
    const auto asked = quorum::ask(ceremony_.group, sealed_->point, "clinic", "fetch");
    std::vector<std::uint32_t> members;
    const auto take = [&](std::uint32_t index, core::ByteView sealed) -> quorum::Result<void> {
        members.push_back(index);
        const auto answer = quorum::open_answer(ceremony_.group, *asked, index, sealed);
        return answer.has_value() ? quorum::Result<void>() : answer.error();
    };
    EXPECT_TRUE(asking.gather(asked->request, {1, take, 1}).has_value());
    EXPECT_EQ(members, std::vector<std::uint32_t>{2});
    // There are two others and no third.
    EXPECT_EQ(asking.gather(asked->request, {3, take, 1}).error().code, ErrorCode::kTooFew);
    EXPECT_EQ(servers_[0]->requests(), 0);
}

TEST_F(AskerTest, AsksNoMoreThanAreNeeded) {
    start({good(1), good(2), good(3)});
    // No hedge within the life of a test.
    Asker asking = asker({std::chrono::minutes(1), std::chrono::seconds(20)});
    EXPECT_TRUE(is_right(asking.ask(question())));
    EXPECT_TRUE(asking.absences().empty());
    EXPECT_EQ(servers_[0]->requests() + servers_[1]->requests(), 2);
    EXPECT_EQ(servers_[2]->requests(), 0);
    EXPECT_EQ(asking.participations().size(), 2U);
    EXPECT_EQ(asking.requester(), "issued");
}

TEST_F(AskerTest, ARefreshedGroupIsFollowedByItsMembersProofsAndNoOthers) {
    const core::Bytes session(share::kStatementSessionSize, 7);
    const std::vector<std::string> names{"ada", "ben", "cleo"};
    const share::Digest policy{};
    quorum::testing::Change change(ceremony_.group, {2, 3});
    change.setup.session = share::reshare_session(session, share::run_agreement(policy, names));
    change.deal(ceremony_.keys, ceremony_.shares).accept_all();
    const auto way = [&](const core::Bytes& said) {
        return http_response(
            200,
            share::write_json(
                {{"certificate", share::json_bytes(serialize(change.certificate))},
                 {"session", share::json_bytes(said)},
                 {"policy_hash", share::json_digest(policy)},
                 {"members", names}}
            )
        );
    };
    std::atomic<int> versions = 0;
    const auto at_next = [&](std::uint32_t index, const core::Bytes& said) {
        return [&, index, said](const std::string& path, const std::string& body) {
            if (path.ends_with("/store-version")) {  // of former members, then of the new ones
                return ++versions <= 3 ? http_response(409, R"({"error":{"code":"shredded"}})")
                                       : http_response(200, "{}");
            }
            if (body.empty()) {
                return path.ends_with("/next?epoch=0") ? way(said) : http_response(404, "{}");
            }
            share::JsonReader reader{std::string_view(body)};
            const auto request = quorum::parse_request(reader.bytes("request"));
            const auto sealed = quorum::answer(
                change.group, change.shares[index - 1], change.keys[index - 1], *request
            );
            return sealed.has_value()
                       ? http_response(
                             200, R"({"answer":")" + core::base64url_encode(*sealed) + "\"}"
                         )
                       : http_response(409, R"({"error":{"code":"epoch","message":"newer"}})");
        };
    };
    const core::Bytes other(share::kStatementSessionSize, 8);
    start({at_next(1, other), at_next(2, other), at_next(3, other)});
    Asker misled = asker();
    EXPECT_EQ(misled.ask(question()).error().code, ErrorCode::kTooFew);
    EXPECT_EQ(misled.pinned().group, ceremony_.group);
    servers_.clear();
    urls_.clear();
    start({at_next(1, other), at_next(2, session), at_next(3, session)});
    Asker asking = asker();
    EXPECT_TRUE(is_right(asking.ask(question())));
    EXPECT_EQ(asking.pinned().group, change.group);
    Asker raising = asker();
    EXPECT_TRUE(raising.raise_version({{1}, 2}).has_value());
    EXPECT_EQ(raising.pinned().group, change.group);
    EXPECT_EQ(versions, 6);
    servers_.clear();
}

TEST_F(AskerTest, ADeadOneCostsNothingButItsPlace) {
    start_dead();
    start({good(2), good(3)});
    Asker asking = asker({std::chrono::minutes(1), std::chrono::seconds(20)});
    EXPECT_TRUE(is_right(asking.ask(question())));
    ASSERT_EQ(asking.absences().size(), 1U);
    EXPECT_THAT(asking.absences()[0].custodian, HasSubstr("ada (https://127.0.0.1:"));
    // The next question goes to those that live at once.
    EXPECT_TRUE(is_right(asking.ask(question())));
    EXPECT_TRUE(asking.absences().empty());
}

TEST_F(AskerTest, ASlowOneIsHedged) {
    start({slow(1), good(2), good(3)});
    Asker asking = asker({std::chrono::milliseconds(20), std::chrono::seconds(20)});
    EXPECT_TRUE(is_right(asking.ask(question())));  // while the first one still waits
    EXPECT_FALSE(is_released_);
    EXPECT_EQ(servers_[2]->requests(), 1);
    EXPECT_TRUE(asking.absences().empty());
}

TEST_F(AskerTest, TheAnswerOfASlowOneCountsWhenNobodyElseIsLeft) {
    start_dead();
    start({slow(2), good(3)});
    Asker asking = asker({std::chrono::milliseconds(1), std::chrono::seconds(20)});
    std::thread later([this] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        release();
    });
    EXPECT_TRUE(is_right(asking.ask(question())));
    later.join();
}

TEST_F(AskerTest, ACheatIsNamedAndAnotherAsked) {
    // Its own signature over a partial that another's share made.
    start({good(1), saying(http_response(200, R"({"answer":"AAAA"})")), good(3)});
    Asker asking = asker();
    EXPECT_TRUE(is_right(asking.ask(question())));
    ASSERT_EQ(asking.absences().size(), 1U);
    EXPECT_EQ(asking.absences()[0].code, "cheating");
    EXPECT_THAT(asking.absences()[0].custodian, HasSubstr("ben"));
}

TEST_F(AskerTest, AnAnswerOfAnotherMemberIsNone) {
    // Member 3 answers at the place of member 2: it holds, but for another index.
    start({good(1), good(3), good(3)});
    Asker asking = asker();
    EXPECT_TRUE(is_right(asking.ask(question())));
    ASSERT_EQ(asking.absences().size(), 1U);
    EXPECT_THAT(asking.absences()[0].custodian, HasSubstr("ben"));
}

TEST_F(AskerTest, TooFewAreNamedWithTheirReasons) {
    start_dead();
    start(
        {good(2),
         saying(http_response(
             429, R"({"error":{"code":"rate","message":"too many questions\u000a in a minute"}})"
         ))}
    );
    Asker asking = asker();
    const auto answer = asking.ask(question());
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, ErrorCode::kTooFew);
    EXPECT_THAT(answer.error().message, HasSubstr("only 1 of the 2 custodians"));
    EXPECT_THAT(answer.error().message, HasSubstr("\n  ada (https://127.0.0.1:"));
    EXPECT_THAT(answer.error().message, HasSubstr("\n  cleo (https://127.0.0.1:"));
    EXPECT_THAT(answer.error().message, HasSubstr("too many questions  in a minute"));
    EXPECT_THAT(answer.error().message, Not(HasSubstr("ben")));
    EXPECT_THAT(answer.error().message, HasSubstr("start the missing ones"));
}

TEST_F(AskerTest, WhoRefusesIsNotToBeStarted) {
    const auto refusing = saying(
        http_response(403, R"({"error":{"code":"purpose","message":"not for this purpose"}})")
    );
    start({refusing, refusing, refusing});
    Asker asking = asker();
    const auto answer = asking.ask(question());
    ASSERT_FALSE(answer.has_value());
    EXPECT_THAT(answer.error().message, HasSubstr("all of them run, and say why they do not"));
    EXPECT_THAT(answer.error().message, Not(HasSubstr("start the missing ones")));
}

TEST_F(AskerTest, GarbageIsNoAnswer) {
    start(
        {saying("SSH-2.0-other\r\n\r\n"),
         saying(http_response(200, "[[[[")),
         saying(http_response(500, std::string(1000, '\x01')))}
    );
    Asker asking = asker();
    const auto answer = asking.ask(question());
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(asking.absences().size(), 3U);
    for (const char sign : answer.error().message) {
        EXPECT_TRUE(sign == '\n' || (sign >= ' ' && sign <= '~'));
    }
}

TEST_F(AskerTest, ACustodianOfAnotherAuthorityIsNotAsked) {
    net::TestAuthority other;
    start({good(1)});
    start_one(other, good(2));
    start({good(3)});
    Asker asking = asker();
    EXPECT_TRUE(is_right(asking.ask(question())));
    EXPECT_EQ(servers_[1]->requests(), 0);
    ASSERT_EQ(asking.absences().size(), 1U);
    EXPECT_THAT(asking.absences()[0].custodian, HasSubstr("ben"));
}

TEST_F(AskerTest, BlindedQuestionsShowNobodyWhatIsAsked) {
    start({good(1), good(2), good(3)});
    Asker asking = asker();
    EXPECT_TRUE(is_right(asking.ask_blinded(question())));
    EXPECT_TRUE(is_right(asking.ask_blinded(question())));
    EXPECT_EQ(points_.size(), 2U);
    EXPECT_EQ(points_.count(sealed_->point.text()), 0U);
    EXPECT_TRUE(is_right(asking.ask(question())));
    EXPECT_EQ(points_.count(sealed_->point.text()), 1U);  // the control
}

TEST_F(AskerTest, AVersionIsNotedWhenAnyQuorumKnowsIt) {
    std::set<std::string> bodies;
    const auto noting = [this, &bodies](const std::string& path, const std::string& body) {
        const std::lock_guard guard(mutex_);
        bodies.insert(path.substr(path.rfind('/')) + " " + body);
        return http_response(200, "{}");
    };
    start({noting, noting});
    start_dead();
    Asker asking = asker();
    EXPECT_TRUE(asking.raise_version({{1, 2, 3}, 7}).has_value());
    EXPECT_THAT(
        bodies,
        ::testing::ElementsAre(R"(/store-version {"store":"AQIDAAAAAAAAAAAAAAAAAA","version":7})")
    );
    servers_.pop_back();
    const auto raised = asking.raise_version({{1, 2, 3}, 8});
    ASSERT_FALSE(raised.has_value());
    EXPECT_THAT(raised.error().message, HasSubstr("ben"));
    EXPECT_THAT(raised.error().message, HasSubstr("cleo"));
}

}  // namespace
}  // namespace pgveil::custody
