#include "proxy/alarm/watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
            [this](const Alarm& alarm) { raised_.push_back(alarm); }
        );
    }

    static Origin by(std::string user, std::string role = "app") {
        return {std::move(user), std::move(role), "clinic", "psql", "s1"};
    }

    std::vector<Alarm> raised_;
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
    EXPECT_EQ(watched.counts(kNow + 60).of(Kind::kPoison), 3U);
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

TEST_F(AlarmWatch, ALockEndsByItself) {
    Watch watched = watch(100);
    EXPECT_EQ(watched.saw(Kind::kPoison, by("nurse"), "c", kNow), kNow + 100);
    EXPECT_EQ(watched.locked_until("nurse", kNow + 99), kNow + 100);
    EXPECT_EQ(watched.locked_until("doctor", kNow + 99), std::nullopt);
    EXPECT_EQ(watched.counts(kNow + 99).locked_users, 1U);
    EXPECT_EQ(watched.locked_until("nurse", kNow + 100), std::nullopt);
    EXPECT_EQ(watched.counts(kNow + 100).locked_users, 0U);
}

TEST_F(AlarmWatch, WhoeverGivesWrongSharesLocksNobody) {
    Watch watched = watch(100);
    for (const std::string user : {"nurse", "doctor", "nurse", "admin"}) {
        EXPECT_EQ(watched.saw(Kind::kDenied, by(user), "", kNow), std::nullopt);
        EXPECT_EQ(watched.locked_until(user, kNow), std::nullopt);
    }
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
