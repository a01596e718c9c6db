#include "proxy/metrics/exposition.hpp"

#include <gtest/gtest.h>

namespace pgveil::metrics {

namespace {

TEST(Exposition, ACounterIsThreeLines) {
    Exposition out;
    out.counter("pgveil_cancels_total", "Cancel requests.", 3);
    EXPECT_EQ(
        out.text(),
        "# HELP pgveil_cancels_total Cancel requests.\n"
        "# TYPE pgveil_cancels_total counter\n"
        "pgveil_cancels_total 3\n"
    );
}

TEST(Exposition, AFamilyHasOneSamplePerLabel) {
    Exposition out;
    out.family("requests", FamilyType::kGauge, "Requests.");
    out.sample(1, {{"leg", "client"}, {"kind", "a"}});
    out.sample(18'446'744'073'709'551'615U, {{"leg", "upstream"}, {"kind", "b"}});
    EXPECT_EQ(
        out.text(),
        "# HELP requests Requests.\n"
        "# TYPE requests gauge\n"
        "requests{leg=\"client\",kind=\"a\"} 1\n"
        "requests{leg=\"upstream\",kind=\"b\"} 18446744073709551615\n"
    );
}

TEST(Exposition, EscapesWhatTheFormatEscapes) {
    Exposition out;
    out.family("a", FamilyType::kGauge, "one\ntwo \\ \"three\"");
    out.sample(1, {{"b", "one\ntwo \\ \"three\""}});
    EXPECT_EQ(
        out.text(),
        "# HELP a one\\ntwo \\\\ \"three\"\n"
        "# TYPE a gauge\n"
        "a{b=\"one\\ntwo \\\\ \\\"three\\\"\"} 1\n"
    );
}

TEST(Exposition, BucketsAreCumulativeAndEndWithAll) {
    Histogram histogram;
    histogram.observe(std::chrono::microseconds(2));
    histogram.observe(std::chrono::microseconds(3));
    histogram.observe(std::chrono::milliseconds(1));
    histogram.observe(std::chrono::seconds(60));
    Histogram::Reading reading;
    histogram.add_to(reading);
    Exposition out;
    out.histogram("work_seconds", "Work.", reading);
    EXPECT_EQ(
        out.text(),
        "# HELP work_seconds Work.\n"
        "# TYPE work_seconds histogram\n"
        "work_seconds_bucket{le=\"2.5e-06\"} 1\n"
        "work_seconds_bucket{le=\"5e-06\"} 2\n"
        "work_seconds_bucket{le=\"1e-05\"} 2\n"
        "work_seconds_bucket{le=\"2.5e-05\"} 2\n"
        "work_seconds_bucket{le=\"5e-05\"} 2\n"
        "work_seconds_bucket{le=\"1e-04\"} 2\n"
        "work_seconds_bucket{le=\"0.00025\"} 2\n"
        "work_seconds_bucket{le=\"5e-04\"} 2\n"
        "work_seconds_bucket{le=\"0.001\"} 3\n"
        "work_seconds_bucket{le=\"0.0025\"} 3\n"
        "work_seconds_bucket{le=\"0.005\"} 3\n"
        "work_seconds_bucket{le=\"0.01\"} 3\n"
        "work_seconds_bucket{le=\"0.025\"} 3\n"
        "work_seconds_bucket{le=\"0.05\"} 3\n"
        "work_seconds_bucket{le=\"0.1\"} 3\n"
        "work_seconds_bucket{le=\"0.25\"} 3\n"
        "work_seconds_bucket{le=\"0.5\"} 3\n"
        "work_seconds_bucket{le=\"1\"} 3\n"
        "work_seconds_bucket{le=\"2.5\"} 3\n"
        "work_seconds_bucket{le=\"5\"} 3\n"
        "work_seconds_bucket{le=\"10\"} 3\n"
        "work_seconds_bucket{le=\"+Inf\"} 4\n"
        "work_seconds_sum 60.001005\n"
        "work_seconds_count 4\n"
    );
}

}  // namespace

}  // namespace pgveil::metrics
