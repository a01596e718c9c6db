#include "keyshare/core/hash.hpp"
#include "keyshare/quorum/dealing.hpp"
#include "keyshare/quorum/dkg.hpp"
#include "keyshare/quorum/points.hpp"
#include "test/keyshare/core/vectors.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

// The published vectors of COCKTAIL(P-256, SHA-256): 2 of 3, 3 of 5, 7 of 14, and 2 of 3 with
// payloads. test/vectors/README.md says where they are from.

namespace pgveil::quorum {
namespace {

using core::Bytes;
using core::to_hex;
using core::testing::bytes_at;
using core::testing::load_vectors;
using nlohmann::json;

Bytes hex(const json& value) {
    return *core::from_hex(value.get<std::string>());
}

core::PublicPoint point_at(const json& value) {
    return *decompressed(hex(value));
}

SchnorrSignature signature_at(const json& value) {
    SchnorrSignature out{};
    std::ranges::copy(hex(value), out.begin());
    return out;
}

std::string text_of(const core::PublicPoint& point) {
    return to_hex(compressed(point));
}

// One vector, read.
struct Published {
    explicit Published(const json& vector) : said(vector) {
        for (const json& secret : said["config"]["static_secret_keys"]) {
            keys.push_back(*MemberKey::from_scalar(*core::Scalar::from(hex(secret))));
            members.push_back(keys.back().point());
        }
        transcript = {
            bytes_at(said, "context"),
            said["t"].get<std::uint32_t>(),
            members,
            {},
            bytes_at(said, "extension")};
        for (const json& round : said["round1"]) {
            DealingHead head{
                {}, signature_at(round["pop"]), point_at(round["ephemeral_public_key"])};
            for (const json& point : round["vss_commitment"]) {
                head.commitment.push_back(point_at(point));
            }
            transcript.heads.push_back(std::move(head));
        }
    }

    std::size_t size() const { return keys.size(); }

    const json& said;
    std::vector<MemberKey> keys;
    std::vector<core::PublicPoint> members;
    Transcript transcript;
};

class CocktailTest : public ::testing::TestWithParam<std::size_t> {
protected:
    static const json& vectors() {
        static const json kLoaded = load_vectors("cocktail-dkg-p256-sha256.json");
        return kLoaded["vectors"];
    }

    Published run_{vectors().at(GetParam())};
};

TEST_P(CocktailTest, ContextBindsSessionSuiteAndMembers) {
    for (std::size_t i = 0; i < run_.size(); ++i) {
        EXPECT_EQ(text_of(run_.members[i]), run_.said["config"]["static_public_keys"][i]);
    }
    EXPECT_EQ(
        context_of(bytes_at(run_.said, "session_tag"), run_.members), run_.transcript.context
    );
}

TEST_P(CocktailTest, ProofsOfPossessionAreMadeAndHold) {
    constexpr std::string_view kNonce = "COCKTAIL-DKG-P256-SHA256-NONCE";
    for (std::size_t i = 0; i < run_.size(); ++i) {
        const json& details = run_.said["round1"][i]["pop_intermediate"];
        // The nonce's input holds the private key behind its prefix.
        const Bytes input = bytes_at(details, "nonce_input");
        const auto secret =
            core::Scalar::from(core::ByteView(input).subspan(kNonce.size(), core::kScalarSize));
        const Bytes message = bytes_at(details, "message");
        EXPECT_EQ(schnorr_sign(*secret, message), run_.transcript.heads[i].proof);

        DealingHead head = run_.transcript.heads[i];
        EXPECT_TRUE(possession_is_proven(run_.transcript.context, head));
        head.proof.back() ^= 1U;
        EXPECT_FALSE(possession_is_proven(run_.transcript.context, head));
    }
}

TEST_P(CocktailTest, EveryShareOpensFitsAndSumsUp) {
    const Curve curve;
    std::vector<std::vector<core::PublicPoint>> commitments;
    for (const DealingHead& head : run_.transcript.heads) {
        commitments.push_back(head.commitment);
    }
    const auto joint = sum_of_commitments(curve, commitments, {});
    for (std::uint32_t to = 1; to <= run_.size(); ++to) {
        core::Bignum sum = curve.small(0);
        for (std::size_t from = 0; from < run_.size(); ++from) {
            const DealingHead& head = run_.transcript.heads[from];
            Bytes sealed = hex(run_.said["round1"][from]["encrypted_shares"][to - 1]);
            const SharePlace place{
                run_.transcript.context, head, run_.members[from], run_.members[to - 1], to};
            const auto share = open_share(curve, place, run_.keys[to - 1], sealed);
            ASSERT_TRUE(share.has_value()) << "from " << from + 1 << " to " << to;
            if (run_.said.contains("payloads")) {
                EXPECT_EQ(to_hex(share->payload.reveal()), run_.said["payloads"][from]);
            }
            sum = curve.add(sum, share->value);
            sealed.front() ^= 1U;
            EXPECT_FALSE(open_share(curve, place, run_.keys[to - 1], sealed).has_value());
        }
        const json& expected = run_.said["round2"][to - 1];
        EXPECT_EQ(to_hex(curve.write(sum).reveal()), expected["secret_share"]);
        EXPECT_EQ(
            text_of(*curve.publish(commitment_at(curve, *joint, to))),
            expected["verification_share"]
        );
    }
    EXPECT_EQ(text_of(joint->front()), run_.said["group_public_key"]);
}

TEST_P(CocktailTest, TranscriptAndSignaturesAreByteForByteThePublishedOnes) {
    const Bytes bytes = serialize(run_.transcript);
    EXPECT_EQ(to_hex(core::sha256(bytes)), run_.said["round3"]["transcript_hash"]);
    EXPECT_EQ(*parse_transcript(bytes), run_.transcript);
    for (std::size_t i = 0; i < run_.size(); ++i) {
        EXPECT_EQ(
            schnorr_sign(run_.keys[i].scalar(), bytes),
            signature_at(run_.said["round3"]["signatures"][i]["signature"])
        );
    }
}

TEST_P(CocktailTest, CertificateMakesTheGroupAndRecoversShares) {
    Certificate certificate{serialize(run_.transcript), {}};
    for (const json& one : run_.said["round3"]["signatures"]) {
        certificate.signatures.push_back(signature_at(one["signature"]));
    }
    const auto group = group_of(certificate);
    ASSERT_TRUE(group.has_value()) << group.error().message;
    EXPECT_EQ(text_of(group->public_key()), run_.said["group_public_key"]);
    for (std::uint32_t index = 1; index <= run_.size(); ++index) {
        Bytes bundle;
        for (const json& round : run_.said["round1"]) {
            append_framed(bundle, hex(round["encrypted_shares"][index - 1]));
        }
        const auto share = recover(run_.keys[index - 1], certificate, bundle);
        ASSERT_TRUE(share.has_value()) << share.error().message;
        EXPECT_EQ(to_hex(share->scalar.reveal()), run_.said["round2"][index - 1]["secret_share"]);
        EXPECT_TRUE(belongs_to(*share, *group));
    }
}

TEST_P(CocktailTest, RecoveryVectorIsRecovered) {
    if (!run_.said.contains("recovery")) {
        EXPECT_GT(run_.size(), 3U) << "the vectors of 2 of 3 have one";
        return;
    }
    const json& recovery = run_.said["recovery"];
    Certificate certificate{serialize(run_.transcript), {}};
    for (const json& one : run_.said["round3"]["signatures"]) {
        certificate.signatures.push_back(signature_at(one["signature"]));
    }
    Bytes bundle;
    for (const json& sealed : recovery["ciphertexts"]) {
        append_framed(bundle, hex(sealed));
    }
    const auto index = recovery["participant_id"].get<std::uint32_t>();
    const auto share = recover(run_.keys[index - 1], certificate, bundle);
    ASSERT_TRUE(share.has_value()) << share.error().message;
    EXPECT_EQ(to_hex(share->scalar.reveal()), recovery["recovered_secret_share"]);
    bundle.push_back(0);
    EXPECT_EQ(
        recover(run_.keys[index - 1], certificate, bundle).error().code, ErrorCode::kMalformed
    );
}

INSTANTIATE_TEST_SUITE_P(Vectors, CocktailTest, ::testing::Range(std::size_t{0}, std::size_t{4}));

TEST(CocktailFileTest, HasTheFourVectors) {
    const json file = load_vectors("cocktail-dkg-p256-sha256.json");
    EXPECT_EQ(file["ciphersuite"], kSuite);
    EXPECT_EQ(file["vectors"].size(), 4U);
}

}  // namespace
}  // namespace pgveil::quorum
