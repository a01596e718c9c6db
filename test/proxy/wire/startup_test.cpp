#include "proxy/wire/startup.hpp"

#include <gtest/gtest.h>

#include <array>

namespace pgveil::wire {

namespace {

StartupParameter pair(std::string_view name, std::string_view value) {
    return {.name = name, .value = value};
}

TEST(Startup, KeepsPairsInOrderAndLetsTheLastOfANameCount) {
    Output out;
    append_startup_message(
        out, 0x00030009, std::array{pair("user", "a"), pair("options", ""), pair("user", "b")}
    );
    const auto packet = decode_startup(out.bytes());
    ASSERT_TRUE(packet.has_value());
    const auto* message = std::get_if<StartupMessage>(&*packet);
    ASSERT_NE(message, nullptr);
    EXPECT_EQ(message->minor_version(), 9);
    EXPECT_EQ(message->parameters.size(), 3U);
    EXPECT_EQ(message->find("user"), "b");
    EXPECT_EQ(message->find("options"), "");
    EXPECT_EQ(message->find("database"), std::nullopt);
}

TEST(Startup, TellsTheRequestsApart) {
    Output ssl;
    append_ssl_request(ssl);
    EXPECT_TRUE(std::holds_alternative<SSLRequest>(*decode_startup(ssl.bytes())));
    Output gss;
    gss.append_int32(8);
    gss.append_int32(kGSSENCRequestCode);
    EXPECT_TRUE(std::holds_alternative<GSSENCRequest>(*decode_startup(gss.bytes())));
    Output cancel;
    append_cancel_request(cancel, {.process_id = 5, .secret = as_bytes("0123456789abcdef")});
    const auto packet = decode_startup(cancel.bytes());
    ASSERT_TRUE(packet.has_value());
    const auto* request = std::get_if<CancelRequest>(&*packet);
    ASSERT_NE(request, nullptr);
    EXPECT_EQ(request->process_id, 5U);
    EXPECT_EQ(as_text(request->secret), "0123456789abcdef");
}

TEST(Startup, RefusesOtherProtocolsAndSaysWhich) {
    Output two;
    append_startup_message(two, 0x00020000, {});
    EXPECT_EQ(decode_startup(two.bytes()).error(), DecodeError::kUnsupportedProtocol);
    EXPECT_EQ(startup_code(two.bytes()), 0x00020000U);
    Output http;
    http.append_text("GET / HTTP/1.1\r\n\r\n");
    EXPECT_FALSE(decode_startup(http.bytes()).has_value());
}

TEST(Startup, RefusesALengthFieldThatIsOffByOne) {
    Output good;
    append_startup_message(good, kProtocol30, std::array{pair("user", "a")});
    for (const int change : {-1, 1}) {
        Output bad;
        bad.append(good.bytes());
        bad.patch_int32(0, static_cast<std::uint32_t>(static_cast<int>(good.size()) + change));
        EXPECT_FALSE(decode_startup(bad.bytes()).has_value()) << change;
    }
}

TEST(Startup, RefusesBytesBehindTheTerminator) {
    Output out;
    append_startup_message(out, kProtocol30, std::array{pair("user", "a")});
    out.append_cstring("x");
    out.append_cstring("y");
    out.patch_int32(0, static_cast<std::uint32_t>(out.size()));
    EXPECT_EQ(decode_startup(out.bytes()).error(), DecodeError::kLeftOverBytes);
}

}  // namespace

}  // namespace pgveil::wire
