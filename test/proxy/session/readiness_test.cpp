#include "proxy/session/readiness.hpp"

#include "proxy/wire/authentication.hpp"
#include "proxy/wire/backend.hpp"
#include "proxy/wire/error_response.hpp"

#include <gtest/gtest.h>

namespace pgveil::session {

namespace {

std::string trouble_in(const wire::Output& message) {
    wire::FrameReader frames(message.bytes(), message.size());
    return session::trouble_in(frames.take());
}

wire::Output error(std::string_view sqlstate) {
    wire::Output out;
    wire::Report report;
    report.severity = "FATAL";
    report.sqlstate = sqlstate;
    report.message = "words of the server";
    wire::append_error(out, report);
    return out;
}

TEST(Readiness, AServerThatAsksWhoIsThereTakesLogins) {
    wire::Output request;
    wire::append_authentication(request, wire::AuthenticationType::kOk);
    EXPECT_EQ(trouble_in(request), "");
}

TEST(Readiness, AServerThatRefusesThisLoginMayTakeOthers) {
    for (const std::string_view sqlstate : {"28000", "3D000", "53300"}) {
        EXPECT_EQ(trouble_in(error(sqlstate)), "") << sqlstate;
    }
}

TEST(Readiness, AServerThatStartsOrStopsTakesNone) {
    for (const std::string_view sqlstate : {"57P01", "57P02", "57P03"}) {
        EXPECT_EQ(trouble_in(error(sqlstate)), "the server does not take connections now");
    }
}

TEST(Readiness, WhatIsNoAnswerToALoginIsTrouble) {
    wire::Output ready;
    wire::append_empty(ready, wire::BackendType::kNoData);
    EXPECT_EQ(trouble_in(ready), "the server gave an unexpected answer");
    wire::Output broken;
    broken.close_message(broken.open_message(wire::BackendType::kErrorResponse));
    EXPECT_EQ(trouble_in(broken), "the server gave an error that cannot be read");
}

}  // namespace

}  // namespace pgveil::session
