#include "proxy/session/upstream_handshake.hpp"

#include "proxy/session/scram_server.hpp"
#include "proxy/wire/error_response.hpp"
#include "proxy/wire/password.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace pgveil::session {
namespace {

constexpr std::uint32_t kIterations = 4096;

/// A server in a few lines: what it sends, and what the handshake answers.
class Handshake : public testing::Test {
protected:
    using Next = UpstreamHandshake::Next;

    void SetUp() override {
        const core::Bytes salt(16, 1);
        auto keys = std::move(*keys_of_password(core::as_bytes("pencil"), salt, kIterations));
        verifier_ = std::move(*verifier_of_password(core::as_bytes("pencil"), salt, kIterations));
        credentials_ = ScramCredentials{
            std::move(keys.client_key), std::move(keys.server_key), salt, kIterations};
    }

    UpstreamHandshake make(
        core::Bytes end_point = {},
        const UpstreamPassword* password = nullptr,
        bool may_send = false
    ) {
        UpstreamHandshakeSetup setup;
        setup.password = password;
        setup.may_send_password = may_send;
        setup.user = "nurse";
        setup.users_file = "users.txt";
        setup.server = "db:5432";
        setup.credentials = &credentials_;
        setup.is_tls = !end_point.empty();
        setup.end_point = std::move(end_point);
        setup.nonce = "clientnonce";
        return UpstreamHandshake(std::move(setup));
    }

    /// Of a client that came by certificate.
    static UpstreamHandshake make_without_key(const UpstreamPassword* password) {
        UpstreamHandshakeSetup setup;
        setup.user = "nurse";
        setup.server = "db:5432";
        setup.password = password;
        setup.nonce = "clientnonce";
        return UpstreamHandshake(std::move(setup));
    }

    std::string sent_password() {
        wire::FrameReader frames(answer_.bytes(), 4096);
        return std::string(wire::decode_password(frames.take().body)->password);
    }

    /// Feeds everything in `server_` and clears it.
    Result<Next> feed(UpstreamHandshake& handshake) {
        Result<Next> next = Next::kContinue;
        answer_.clear();
        wire::FrameReader frames(server_.bytes(), 1U << 20U);
        while (next.has_value() && frames.peek().status == wire::PeekStatus::kWhole) {
            next = handshake.on_message(frames.take(), answer_);
        }
        server_.clear();
        return next;
    }

    void offer(std::vector<std::string_view> mechanisms) {
        wire::append_authentication_sasl(server_, mechanisms);
    }

    std::string chosen_mechanism() {
        wire::FrameReader frames(answer_.bytes(), 4096);
        return std::string(wire::decode_sasl_initial_response(frames.take().body)->mechanism);
    }

    std::string refused(UpstreamHandshake& handshake) {
        const auto next = feed(handshake);
        return next.has_value() ? "accepted" : next.error().sqlstate;
    }

    ScramVerifier verifier_{};
    ScramCredentials credentials_{};
    wire::Output server_;
    wire::Output answer_;
};

TEST_F(Handshake, LogsInByScramAndCollectsTheGreeting) {
    UpstreamHandshake handshake = make();
    offer({kScramSha256});
    ASSERT_TRUE(feed(handshake).has_value());
    ScramServerSetup setup;
    setup.verifier = &verifier_;
    setup.nonce = "servernonce";
    ScramServer scram(std::move(setup));
    wire::FrameReader first(answer_.bytes(), 4096);
    const auto initial = wire::decode_sasl_initial_response(first.take().body);
    const auto challenge =
        scram.on_client_first(initial->mechanism, wire::as_text(*initial->response));
    ASSERT_TRUE(challenge.has_value());
    wire::append_authentication(
        server_, wire::AuthenticationType::kSASLContinue, wire::as_bytes(*challenge)
    );
    ASSERT_TRUE(feed(handshake).has_value());
    wire::FrameReader last(answer_.bytes(), 4096);
    const auto response = wire::decode_sasl_response(last.take().body);
    const auto done = scram.on_client_final(wire::as_text(response->response));
    ASSERT_TRUE(done.has_value()) << done.error().summary();

    wire::append_authentication(
        server_, wire::AuthenticationType::kSASLFinal, wire::as_bytes(done->server_final)
    );
    wire::append_authentication(server_, wire::AuthenticationType::kOk);
    const std::size_t greeting_start = server_.size();
    wire::append_parameter_status(server_, "client_encoding", "UTF8");
    wire::append_notice(server_, wire::Report{"NOTICE", "00000", "hello", {}, {}, 0});
    const std::array<std::uint8_t, 4> secret{1, 2, 3, 4};
    wire::append_backend_key_data(server_, wire::BackendKeyData{77, secret});
    const std::vector<std::uint8_t> expected(
        server_.bytes().begin() + static_cast<std::ptrdiff_t>(greeting_start), server_.bytes().end()
    );
    wire::append_ready_for_query(server_, wire::TransactionStatus::kIdle);
    const auto next = feed(handshake);
    ASSERT_TRUE(next.has_value()) << next.error().summary();
    EXPECT_EQ(*next, Next::kReady);
    const UpstreamGreeting greeting = handshake.take_greeting();
    EXPECT_EQ(greeting.parameters.at("client_encoding"), "UTF8");
    EXPECT_EQ(greeting.process_id, 77U);
    EXPECT_EQ(greeting.cancel_secret, (std::vector<std::uint8_t>{1, 2, 3, 4}));
    EXPECT_TRUE(std::equal(
        greeting.frames.bytes().begin(),
        greeting.frames.bytes().end(),
        expected.begin(),
        expected.end()
    ));
}

TEST_F(Handshake, ChoosesPlusWhereverItStandsInTheList) {
    UpstreamHandshake bound = make(core::Bytes(32, 9));
    offer({kScramSha256, kScramSha256Plus});
    ASSERT_TRUE(feed(bound).has_value());
    EXPECT_EQ(chosen_mechanism(), kScramSha256Plus);
    UpstreamHandshake unbound = make();
    offer({kScramSha256Plus, kScramSha256});
    ASSERT_TRUE(feed(unbound).has_value());
    EXPECT_EQ(chosen_mechanism(), kScramSha256);
}

TEST_F(Handshake, AcceptsAServerThatTrusts) {
    UpstreamHandshake handshake = make();
    wire::append_authentication(server_, wire::AuthenticationType::kOk);
    wire::append_ready_for_query(server_, wire::TransactionStatus::kIdle);
    const auto next = feed(handshake);
    ASSERT_TRUE(next.has_value());
    EXPECT_EQ(*next, Next::kReady);
}

TEST_F(Handshake, RefusesOkBeforeTheServerHasProvedItself) {
    UpstreamHandshake handshake = make();
    offer({kScramSha256});
    ASSERT_TRUE(feed(handshake).has_value());
    wire::append_authentication(server_, wire::AuthenticationType::kOk);
    EXPECT_EQ(refused(handshake), "08P01");
}

TEST_F(Handshake, RefusesMessagesOutOfOrder) {
    UpstreamHandshake early = make();
    wire::append_ready_for_query(server_, wire::TransactionStatus::kIdle);
    EXPECT_EQ(refused(early), "08P01");
    UpstreamHandshake status = make();
    wire::append_parameter_status(server_, "a", "b");
    EXPECT_EQ(refused(status), "08P01");
    UpstreamHandshake twice = make();
    wire::append_authentication(server_, wire::AuthenticationType::kOk);
    wire::append_authentication(server_, wire::AuthenticationType::kOk);
    EXPECT_EQ(refused(twice), "08P01");
    UpstreamHandshake skipped = make();
    wire::append_authentication(server_, wire::AuthenticationType::kSASLFinal, {});
    EXPECT_EQ(refused(skipped), "08P01");
}

TEST_F(Handshake, HearsThatTheServerSpeaksAnOlderVersion) {
    UpstreamHandshake handshake = make();
    wire::append_negotiate_protocol_version(server_, wire::kProtocol30, {});
    wire::append_authentication(server_, wire::AuthenticationType::kOk);
    wire::append_ready_for_query(server_, wire::TransactionStatus::kIdle);
    const auto next = feed(handshake);
    ASSERT_TRUE(next.has_value()) << next.error().summary();
    EXPECT_EQ(*next, Next::kReady);
    EXPECT_EQ(handshake.take_greeting().frames.size(), 0U) << "the client got the proxy's own";
    UpstreamHandshake newer = make();
    wire::append_negotiate_protocol_version(server_, 0x00030003, {});
    EXPECT_EQ(refused(newer), "08P01");
    UpstreamHandshake late = make();
    wire::append_authentication(server_, wire::AuthenticationType::kOk);
    wire::append_negotiate_protocol_version(server_, wire::kProtocol30, {});
    EXPECT_EQ(refused(late), "08P01");
}

TEST_F(Handshake, TakesCancelKeysOfEveryLength) {
    for (const std::size_t size : {4U, 32U, 256U}) {
        UpstreamHandshake handshake = make();
        wire::append_authentication(server_, wire::AuthenticationType::kOk);
        const std::vector<std::uint8_t> secret(size, 7);
        wire::append_backend_key_data(server_, wire::BackendKeyData{77, secret});
        wire::append_ready_for_query(server_, wire::TransactionStatus::kIdle);
        const auto next = feed(handshake);
        ASSERT_TRUE(next.has_value()) << next.error().summary();
        EXPECT_EQ(handshake.take_greeting().cancel_secret, secret);
    }
    UpstreamHandshake handshake = make();
    wire::append_authentication(server_, wire::AuthenticationType::kOk);
    wire::append_backend_key_data(
        server_, wire::BackendKeyData{77, std::vector<std::uint8_t>(257, 7)}
    );
    EXPECT_EQ(refused(handshake), "08P01");
}

TEST_F(Handshake, SaysWhichLoginMethodsCannotWork) {
    for (const auto type :
         {wire::AuthenticationType::kCleartextPassword, wire::AuthenticationType::kMD5Password}) {
        UpstreamHandshake handshake = make();
        const std::array<std::uint8_t, 4> salt{1, 2, 3, 4};
        const bool is_md5 = type == wire::AuthenticationType::kMD5Password;
        wire::append_authentication(
            server_, type, is_md5 ? wire::ByteView(salt) : wire::ByteView()
        );
        const auto next = feed(handshake);
        ASSERT_FALSE(next.has_value());
        EXPECT_EQ(next.error().sqlstate, "28000");
        EXPECT_NE(next.error().hint.find("scram-sha-256"), std::string::npos);
    }
    UpstreamHandshake other = make();
    offer({"OAUTHBEARER"});
    EXPECT_EQ(refused(other), "28000");
}

UpstreamPassword password_of(std::string_view text, bool is_md5) {
    UpstreamPassword password;
    password.text = core::SecretBytes::copy_of(core::as_bytes(text));
    password.is_md5 = is_md5;
    return password;
}

TEST_F(Handshake, AnswersMd5FromThePasswordOrFromWhatMd5MakesOfIt) {
    // md5('pencil' || 'nurse'), and of that and the salt.
    const UpstreamPassword plain = password_of("pencil", false);
    const UpstreamPassword hashed = password_of("md5e773b6f91679598cae62110feb5d1a80", true);
    const std::array<std::uint8_t, 4> salt{1, 2, 3, 4};
    std::vector<std::string> answers;
    for (const UpstreamPassword* const password : {&plain, &hashed}) {
        UpstreamHandshake handshake = make({}, password);
        wire::append_authentication(server_, wire::AuthenticationType::kMD5Password, salt);
        ASSERT_TRUE(feed(handshake).has_value());
        answers.push_back(sent_password());
        wire::append_authentication(server_, wire::AuthenticationType::kOk);
        wire::append_ready_for_query(server_, wire::TransactionStatus::kIdle);
        const auto next = feed(handshake);
        ASSERT_TRUE(next.has_value()) << next.error().summary();
        EXPECT_EQ(*next, Next::kReady);
    }
    EXPECT_EQ(answers[0], "md51522bf4364c5086e5eb5591155662bba");
    EXPECT_EQ(answers[1], answers[0]);
}

TEST_F(Handshake, SendsAPasswordOnlyWhereNobodyCanReadIt) {
    const UpstreamPassword password = password_of("pencil", false);
    for (const bool may_send : {true, false}) {
        UpstreamHandshake handshake = make({}, &password, may_send);
        wire::append_authentication(server_, wire::AuthenticationType::kCleartextPassword);
        const auto next = feed(handshake);
        EXPECT_EQ(next.has_value(), may_send);
        if (may_send) {
            EXPECT_EQ(sent_password(), "pencil");
        } else {
            EXPECT_EQ(next.error().sqlstate, "28000");
            EXPECT_TRUE(answer_.bytes().empty());
        }
    }
    const UpstreamPassword hashed = password_of("md5e773b6f91679598cae62110feb5d1a80", true);
    UpstreamHandshake handshake = make({}, &hashed, true);
    wire::append_authentication(server_, wire::AuthenticationType::kCleartextPassword);
    EXPECT_EQ(refused(handshake), "28000") << "md5 cannot be turned back";
}

TEST_F(Handshake, LogsInByScramWithAPasswordWhereThereIsNoClientKey) {
    const UpstreamPassword password = password_of("pencil", false);
    UpstreamHandshake handshake = make_without_key(&password);
    offer({kScramSha256});
    ASSERT_TRUE(feed(handshake).has_value());
    ScramServerSetup setup;
    setup.verifier = &verifier_;
    setup.nonce = "servernonce";
    ScramServer scram(std::move(setup));
    wire::FrameReader first(answer_.bytes(), 4096);
    const auto initial = wire::decode_sasl_initial_response(first.take().body);
    const auto challenge =
        scram.on_client_first(initial->mechanism, wire::as_text(*initial->response));
    wire::append_authentication(
        server_, wire::AuthenticationType::kSASLContinue, wire::as_bytes(*challenge)
    );
    ASSERT_TRUE(feed(handshake).has_value());
    wire::FrameReader last(answer_.bytes(), 4096);
    const auto response = wire::decode_sasl_response(last.take().body);
    EXPECT_TRUE(scram.on_client_final(wire::as_text(response->response)).has_value());
    UpstreamHandshake unknown = make_without_key(nullptr);
    offer({kScramSha256});
    const auto next = feed(unknown);
    ASSERT_FALSE(next.has_value());
    EXPECT_NE(next.error().hint.find("upstream.passwords_file"), std::string::npos);
}

TEST_F(Handshake, PassesTheServersErrorOnByteForByte) {
    UpstreamHandshake handshake = make();
    wire::append_error(
        server_, wire::Report{"FATAL", "3D000", "database \"x\" does not exist", {}, {}, 0}
    );
    const std::vector<std::uint8_t> expected(server_.bytes().begin(), server_.bytes().end());
    const auto next = feed(handshake);
    ASSERT_FALSE(next.has_value());
    EXPECT_EQ(next.error().sqlstate, "3D000");
    EXPECT_EQ(next.error().verbatim, expected);
}

TEST_F(Handshake, BlamesTheUsersFileWhereTheServerBlamesThePassword) {
    UpstreamHandshake handshake = make();
    wire::append_error(
        server_,
        wire::Report{
            "FATAL", "28P01", "password authentication failed for user \"nurse\"", {}, {}, 0}
    );
    const auto next = feed(handshake);
    ASSERT_FALSE(next.has_value());
    const LoginError error = next.error();
    wire::FrameReader frames(error.verbatim, 4096);
    const auto response = wire::decode_error_response(frames.take().body);
    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->find('C'), "28P01");
    EXPECT_NE(response->find('H')->find("users.txt"), std::string_view::npos);
}

TEST_F(Handshake, BoundsWhatAServerCanMakeItKeep) {
    UpstreamHandshake handshake = make();
    wire::append_authentication(server_, wire::AuthenticationType::kOk);
    const std::string large(60000, 'x');
    for (int count = 0; count < 20; ++count) {
        wire::append_parameter_status(server_, "p", large);
    }
    EXPECT_EQ(refused(handshake), "08P01");
}

}  // namespace
}  // namespace pgveil::session
