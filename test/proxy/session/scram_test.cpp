#include "proxy/session/scram.hpp"

#include "keyshare/core/base64url.hpp"
#include "proxy/session/scram_client.hpp"
#include "proxy/session/scram_server.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace pgveil::session {
namespace {

// RFC 7677 section 3: user "user", password "pencil".
constexpr std::string_view kSalt = "W22ZaJ0SNY7soEsUEjb6gQ==";
constexpr std::uint32_t kIterations = 4096;
constexpr std::string_view kClientNonce = "rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view kClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view kClientFinal =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view kServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

core::Bytes salt() {
    return *core::base64_decode(kSalt);
}

ScramVerifier pencil() {
    return std::move(*verifier_of_password(core::as_bytes("pencil"), salt(), kIterations));
}

ScramCredentials credentials_of(std::string_view password) {
    auto keys = std::move(*keys_of_password(core::as_bytes(password), salt(), kIterations));
    return ScramCredentials{
        std::move(keys.client_key), std::move(keys.server_key), salt(), kIterations};
}

core::Bytes certificate_hash() {
    return core::Bytes(32, 0xC5);
}

class Server : public testing::Test {
protected:
    ScramServer make(core::Bytes end_point = {}, bool is_mock = false) {
        ScramServerSetup setup;
        setup.user = "user";
        setup.verifier = &verifier_;
        setup.is_mock = is_mock;
        setup.end_point = std::move(end_point);
        setup.nonce = kServerNonce;
        return ScramServer(std::move(setup));
    }

    ScramClient make_client(const ScramCredentials& credentials, ScramBinding binding) {
        ScramClientSetup setup;
        setup.user = "user";
        setup.users_file = "users.txt";
        setup.credentials = &credentials;
        setup.binding = binding;
        setup.end_point = binding == ScramBinding::kEndPoint ? certificate_hash() : core::Bytes();
        setup.nonce = kClientNonce;
        return ScramClient(std::move(setup));
    }

    /// The error that ends the exchange at the client's first message.
    LoginError refused_first(std::string_view mechanism, std::string_view message, bool tls) {
        ScramServer server = make(tls ? certificate_hash() : core::Bytes());
        const auto answer = server.on_client_first(mechanism, message);
        EXPECT_FALSE(answer.has_value()) << message;
        return answer.has_value() ? LoginError() : answer.error();
    }

    LoginError refused_final(std::string_view message) {
        ScramServer server = make();
        EXPECT_TRUE(server.on_client_first(kScramSha256, kClientFirst).has_value());
        const auto answer = server.on_client_final(message);
        EXPECT_FALSE(answer.has_value()) << message;
        return answer.has_value() ? LoginError() : answer.error();
    }

    ScramVerifier verifier_ = pencil();
};

TEST_F(Server, SpeaksTheExchangeOfRfc7677) {
    ScramServer server = make();
    const auto first = server.on_client_first(kScramSha256, kClientFirst);
    ASSERT_TRUE(first.has_value()) << first.error().summary();
    EXPECT_EQ(*first, kServerFirst);
    const auto done = server.on_client_final(kClientFinal);
    ASSERT_TRUE(done.has_value()) << done.error().summary();
    EXPECT_EQ(done->server_final, kServerFinal);
}

TEST_F(Server, RecoversTheClientKeyFromTheProof) {
    ScramServer server = make();
    ASSERT_TRUE(server.on_client_first(kScramSha256, kClientFirst).has_value());
    const auto done = server.on_client_final(kClientFinal);
    ASSERT_TRUE(done.has_value());
    const ScramCredentials expected = credentials_of("pencil");
    EXPECT_TRUE(
        core::equal_in_constant_time(done->client_key.reveal(), expected.client_key.reveal())
    );
}

TEST_F(Server, RefusesWrongProofAndMockUserAlike) {
    std::string wrong(kClientFinal);
    wrong[wrong.size() - 3] = wrong[wrong.size() - 3] == 'A' ? 'E' : 'A';
    const LoginError proof = refused_final(wrong);
    ScramServer mock = make({}, true);
    const auto first = mock.on_client_first(kScramSha256, kClientFirst);
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(*first, kServerFirst);
    const auto done = mock.on_client_final(kClientFinal);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(proof.sqlstate, "28P01");
    EXPECT_EQ(proof.message, "password authentication failed for user \"user\"");
    EXPECT_EQ(proof.summary(), done.error().summary());
}

TEST_F(Server, ChecksTheFinalMessage) {
    const std::string nonce = "r=" + std::string(kClientNonce) + std::string(kServerNonce);
    const std::string proof = "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    EXPECT_EQ(refused_final("").sqlstate, "08P01");
    EXPECT_EQ(refused_final("c=biws").sqlstate, "08P01");
    EXPECT_EQ(refused_final("c=biws," + nonce).sqlstate, "08P01");
    EXPECT_EQ(refused_final("c=eSws," + nonce + "," + proof).sqlstate, "08P01");
    EXPECT_EQ(refused_final("c=biws,r=other," + proof).detail, "Nonce does not match.");
    EXPECT_EQ(
        refused_final("c=biws," + nonce + ",p=AAAA").detail,
        "Malformed proof in client-final-message."
    );
    EXPECT_EQ(
        refused_final("c=biws," + nonce + "," + proof + ",x=1").detail,
        "Garbage found at the end of client-final-message."
    );
    EXPECT_EQ(refused_final("c=biws," + nonce + "," + proof + ",").sqlstate, "08P01");
}

TEST_F(Server, ChecksTheFirstMessage) {
    EXPECT_EQ(refused_first(kScramSha256, "", false).detail, "The message is empty.");
    EXPECT_EQ(refused_first("SCRAM-SHA-1", kClientFirst, false).sqlstate, "08P01");
    EXPECT_EQ(refused_first(kScramSha256, "n", false).sqlstate, "08P01");
    EXPECT_EQ(refused_first(kScramSha256, "q,,n=,r=abc", false).sqlstate, "08P01");
    EXPECT_EQ(refused_first(kScramSha256, "n,a=root,n=,r=abc", false).sqlstate, "0A000");
    EXPECT_EQ(refused_first(kScramSha256, "n,,m=ext,n=,r=abc", false).sqlstate, "0A000");
    EXPECT_EQ(refused_first(kScramSha256, "n,,r=abc", false).sqlstate, "08P01");
    EXPECT_EQ(refused_first(kScramSha256, "n,,n=,r=", false).sqlstate, "08P01");
    EXPECT_EQ(
        refused_first(kScramSha256, "n,,n=,r=a\x01z", false).message,
        "non-printable characters in SCRAM nonce"
    );
    EXPECT_EQ(refused_first(kScramSha256, "n,,n=,r=abc,", false).sqlstate, "08P01");
}

TEST_F(Server, RefusesADowngradeOfChannelBinding) {
    const LoginError downgraded = refused_first(kScramSha256, "y,,n=,r=abc", true);
    EXPECT_EQ(downgraded.sqlstate, "28000");
    EXPECT_EQ(downgraded.message, "SCRAM channel binding negotiation error");
    EXPECT_EQ(refused_first(kScramSha256Plus, "n,,n=,r=abc", true).sqlstate, "08P01");
    EXPECT_EQ(refused_first(kScramSha256Plus, "y,,n=,r=abc", true).sqlstate, "08P01");
    EXPECT_EQ(
        refused_first(kScramSha256, "p=tls-server-end-point,,n=,r=abc", true).sqlstate, "08P01"
    );
    EXPECT_EQ(
        refused_first(kScramSha256Plus, "p=tls-unique,,n=,r=abc", true).message,
        "unsupported SCRAM channel-binding type"
    );
    EXPECT_EQ(
        refused_first(kScramSha256Plus, "p=tls-server-end-point,,n=,r=abc", false).sqlstate, "08P01"
    );
    // Positive control: without TLS `y` is right.
    EXPECT_TRUE(make().on_client_first(kScramSha256, "y,,n=,r=abc").has_value());
}

TEST_F(Server, OffersOnlyPlusWhenBindingIsRequired) {
    ScramServerSetup setup;
    setup.user = "bootstrap";
    setup.verifier = &verifier_;
    setup.requires_binding = true;
    setup.end_point = certificate_hash();
    setup.nonce = kServerNonce;
    ScramServer server(std::move(setup));
    const auto answer = server.on_client_first(kScramSha256, kClientFirst);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().sqlstate, "08P01");
}

TEST_F(Server, AcceptsOurClientWithEveryBinding) {
    const ScramCredentials credentials = credentials_of("pencil");
    for (const ScramBinding binding :
         {ScramBinding::kNone, ScramBinding::kNotOffered, ScramBinding::kEndPoint}) {
        ScramClient client = make_client(credentials, binding);
        ScramServer server =
            make(binding == ScramBinding::kEndPoint ? certificate_hash() : core::Bytes());
        const auto first = server.on_client_first(client.mechanism(), client.first_message());
        ASSERT_TRUE(first.has_value()) << first.error().summary();
        const auto final_message = client.on_server_first(*first);
        ASSERT_TRUE(final_message.has_value()) << final_message.error().summary();
        const auto done = server.on_client_final(*final_message);
        ASSERT_TRUE(done.has_value()) << done.error().summary();
        EXPECT_TRUE(client.on_server_final(done->server_final).has_value());
    }
}

TEST_F(Server, RefusesAProofBoundToAnotherCertificate) {
    const ScramCredentials credentials = credentials_of("pencil");
    ScramClient client = make_client(credentials, ScramBinding::kEndPoint);
    ScramServer server = make(core::Bytes(32, 0x11));
    const auto first = server.on_client_first(client.mechanism(), client.first_message());
    ASSERT_TRUE(first.has_value());
    const auto done = server.on_client_final(*client.on_server_first(*first));
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().message, "SCRAM channel binding check failed");
}

TEST_F(Server, ClientNamesTheUsersFileWhenTheSecretsDiffer) {
    const ScramCredentials credentials = credentials_of("pencil");
    const std::string nonce = "r=" + std::string(kClientNonce) + "xyz";
    for (const std::string& first :
         {nonce + ",s=AAAAAAAAAAAAAAAAAAAAAA==,i=4096",
          nonce + ",s=" + std::string(kSalt) + ",i=4097"}) {
        ScramClient client = make_client(credentials, ScramBinding::kNone);
        const auto answer = client.on_server_first(first);
        ASSERT_FALSE(answer.has_value());
        EXPECT_EQ(answer.error().sqlstate, "28000");
        EXPECT_NE(answer.error().message.find("users.txt"), std::string::npos);
    }
    ScramClient control = make_client(credentials, ScramBinding::kNone);
    EXPECT_TRUE(control.on_server_first(nonce + ",s=" + std::string(kSalt) + ",i=4096").has_value()
    );
}

TEST_F(Server, ClientRefusesMalformedServerMessages) {
    const ScramCredentials credentials = credentials_of("pencil");
    const std::string ours(kClientNonce);
    const std::string rest = ",s=" + std::string(kSalt) + ",i=4096";
    for (const std::string& first :
         {std::string(),
          "r=" + ours + rest,
          "r=foreign" + rest,
          "r=" + ours + "x,i=4096",
          "r=" + ours + "x,s=***,i=4096",
          "r=" + ours + "x,s=" + std::string(kSalt) + ",i=4096x",
          "r=" + ours + "x,s=" + std::string(kSalt) + ",i=0",
          "m=ext,r=" + ours + "x" + rest}) {
        ScramClient client = make_client(credentials, ScramBinding::kNone);
        const auto answer = client.on_server_first(first);
        ASSERT_FALSE(answer.has_value()) << first;
        EXPECT_EQ(answer.error().sqlstate, "08P01");
    }
}

TEST_F(Server, ClientRefusesAServerThatDoesNotKnowTheSecret) {
    const ScramCredentials credentials = credentials_of("pencil");
    ScramClient client = make_client(credentials, ScramBinding::kNone);
    const std::string first =
        "r=" + std::string(kClientNonce) + "xyz,s=" + std::string(kSalt) + ",i=4096";
    ASSERT_TRUE(client.on_server_first(first).has_value());
    EXPECT_EQ(client.on_server_final(kServerFinal).error().sqlstate, "28000");
    EXPECT_EQ(client.on_server_final("e=other-error").error().sqlstate, "28P01");
    EXPECT_EQ(client.on_server_final("").error().sqlstate, "08P01");
}

TEST(ScramVerifierText, ComesBackUnchanged) {
    const std::string text = to_text(pencil());
    const auto read = parse_scram_verifier(text);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(to_text(*read), text);
    EXPECT_TRUE(text.starts_with("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"));
}

TEST(ScramVerifierText, RefusesEverythingElse) {
    const std::string good = to_text(pencil());
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_FALSE(parse_scram_verifier(std::string_view(good).substr(0, size)).has_value())
            << size;
    }
    EXPECT_FALSE(parse_scram_verifier(good + "A").has_value());
    EXPECT_FALSE(parse_scram_verifier("SCRAM-SHA-1" + good.substr(13)).has_value());
    EXPECT_FALSE(parse_scram_verifier("md5d41d8cd98f00b204e9800998ecf8427e").has_value());
}

}  // namespace
}  // namespace pgveil::session
