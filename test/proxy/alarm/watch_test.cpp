#include "proxy/alarm/watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace pgveil::alarm {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 1'800'000'000;

class AlarmWatch : public testing::Test {
protected:
    Watch watch(std::uint32_t lock_user_s = 0) {
        return Watch(
            {.webhook = {}, .failed_opens = 3, .window_s = 60, .lock_user_s = lock_user_s},
            {[this](const Alarm& alarm) { raised_.push_back(alarm); },
             [this](const std::string& user, std::int64_t until_s, std::int64_t now_s) {
                 EXPECT_GT(until_s, now_s);
                 locked_[user] = until_s;
             }}
        );
    }

    static Origin by(std::string user, std::string role = "app") {
        return {std::move(user), std::move(role), "clinic", "psql", "s1"};
    }

    std::vector<Alarm> raised_;
    std::map<std::string, std::int64_t> locked_;
};

TEST_F(AlarmWatch, APlantedValueIsOneAlarmInAWindow) {
    Watch watched = watch();
    EXPECT_EQ(watched.saw(Kind::kPoison, by("nurse"), "public.patients.name", kNow), std::nullopt);
    watched.saw(Kind::kPoison, by("nurse"), "public.patients.name", kNow + 1);
    ASSERT_EQ(raised_.size(), 1U);
    EXPECT_EQ(raised_[0].origin.user, "nurse");
    EXPECT_EQ(raised_[0].column, "public.patients.name");
    watched.saw(Kind::kPoison, by("doctor"), "public.patients.name", kNow + 2);
    EXPECT_EQ(raised_.size(), 2U);
    watched.saw(Kind::kPoison, by("nurse"), "public.patients.name", kNow + 60);
    EXPECT_EQ(raised_.size(), 3U);
    EXPECT_EQ(watched.counts().of(Kind::kPoison), 3U);
}

TEST_F(AlarmWatch, FailedOpensAreAnAlarmFromSoManyOnWithinTheWindow) {
    Watch watched = watch();
    for (const std::int64_t after : {0, 30, 61, 62}) {
        watched.saw(Kind::kFailedOpens, by("nurse"), "c", kNow + after);
    }
    EXPECT_TRUE(raised_.empty());
    watched.saw(Kind::kFailedOpens, by("doctor"), "c", kNow + 62);
    EXPECT_TRUE(raised_.empty());
    watched.saw(Kind::kFailedOpens, by("nurse"), "c", kNow + 63);
    ASSERT_EQ(raised_.size(), 1U);
    EXPECT_EQ(raised_[0].count, 3U);
}

TEST_F(AlarmWatch, LocksWhoOpensAPlantedValueEachTime) {
    Watch watched = watch(100);
    EXPECT_EQ(watched.saw(Kind::kPoison, by("nurse"), "c", kNow), kNow + 100);
    EXPECT_EQ(locked_, (std::map<std::string, std::int64_t>{{"nurse", kNow + 100}}));
    EXPECT_EQ(watched.saw(Kind::kPoison, by("nurse"), "c", kNow + 1), kNow + 101);
    EXPECT_EQ(locked_.at("nurse"), kNow + 101);
    EXPECT_EQ(raised_.size(), 1U);
}

TEST_F(AlarmWatch, LocksNobodyBeforeThereAreEnoughFailedOpens) {
    Watch watched = watch(100);
    watched.saw(Kind::kFailedOpens, by("nurse"), "c", kNow);
    watched.saw(Kind::kFailedOpens, by("nurse"), "c", kNow);
    EXPECT_TRUE(locked_.empty());
    watched.saw(Kind::kFailedOpens, by("nurse"), "c", kNow);
    EXPECT_EQ(locked_.count("nurse"), 1U);
}

TEST_F(AlarmWatch, WhoeverGivesWrongSharesLocksNobody) {
    Watch watched = watch(100);
    for (const std::string user : {"nurse", "doctor", "nurse", "admin"}) {
        EXPECT_EQ(watched.saw(Kind::kDenied, by(user), "", kNow), std::nullopt);
    }
    EXPECT_TRUE(locked_.empty());
    ASSERT_EQ(raised_.size(), 1U) << "they count by role";
    watched.saw(Kind::kDenied, by("nurse", "other"), "", kNow);
    EXPECT_EQ(raised_.size(), 1U);
}

TEST_F(AlarmWatch, AClockSetBackDoesNotSilenceIt) {
    Watch watched = watch();
    watched.saw(Kind::kPoison, by("nurse"), "c", kNow);
    watched.saw(Kind::kPoison, by("nurse"), "c", kNow - 3600);
    EXPECT_EQ(raised_.size(), 2U);
}

TEST(AlarmText, HoldsWhatHappenedAsOneLineOfJson) {
    Alarm alarm{Kind::kFailedOpens, {"nu\"rse", "app", "clinic", "ps\nql", "s1"}, "c", 20, 0, 60};
    const std::string text = json_of(alarm, "clinic");
    EXPECT_THAT(
        text, HasSubstr("\"alarm\":\"failed_opens\",\"tenant\":\"clinic\",\"user\":\"nu\\\"rse\"")
    );
    EXPECT_THAT(
        text,
        HasSubstr("\"count\":20,\"time\":\"1970-01-01T00:00:00Z\",\"locked_until\":\"1970-01-01T00:"
                  "01:00Z\"")
    );
    EXPECT_THAT(text, Not(HasSubstr("\n")));
    alarm.locked_until_s = 0;
    EXPECT_THAT(json_of(alarm, "clinic"), Not(HasSubstr("locked_until")));
}

}  // namespace
}  // namespace pgveil::alarm
