#include "keyshare/quorum/dleq.hpp"

#include "keyshare/quorum/curve.hpp"
#include "test/keyshare/core/vectors.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace pgveil::quorum {
namespace {

using core::Bytes;
using nlohmann::json;

const core::Bytes kOprf =
    core::to_bytes(core::as_bytes(std::string_view("OPRFV1-\x01-P256-SHA256", 20)));

Bytes unhex(const json& value) {
    return *core::from_hex(value.get<std::string>());
}

// One batch of RFC 9497 A.3.2.
struct Batch {
    explicit Batch(const json& said)
        : key(*core::Scalar::from(unhex(said["skSm"]))),
          public_key(*decompressed(unhex(said["pkSm"]))),
          random(*core::Scalar::from(unhex(said["ProofRandomScalar"]))),
          proof(unhex(said["Proof"])) {
        for (const json& element : said["BlindedElement"]) {
            bases.push_back(*decompressed(unhex(element)));
        }
        for (const json& element : said["EvaluationElement"]) {
            evaluated.push_back(unhex(element));
        }
        for (const Bytes& element : evaluated) {
            results.emplace_back(element);
        }
    }

    DleqClaim claim() const { return {public_key, bases, results}; }

    core::Scalar key;
    core::PublicPoint public_key;
    core::Scalar random;
    Bytes proof;
    std::vector<core::PublicPoint> bases;
    std::vector<Bytes> evaluated;
    std::vector<core::ByteView> results;
};

TEST(DleqTest, ProofsOfRfc9497AreMadeByteForByteAndHold) {
    const json file = core::testing::load_vectors("voprf-rfc9497-p256-sha256.json");
    ASSERT_EQ(file["vectors"].size(), 3U);
    for (const json& said : file["vectors"]) {
        const Batch batch(said);
        EXPECT_EQ(
            core::to_hex(prove_dleq(kOprf, batch.key, batch.claim(), batch.random)),
            core::to_hex(batch.proof)
        );
        EXPECT_TRUE(verify_dleq(kOprf, batch.claim(), batch.proof));
    }
}

TEST(DleqTest, NoBitOfAProofMayChange) {
    const json file = core::testing::load_vectors("voprf-rfc9497-p256-sha256.json");
    const Batch batch(file["vectors"][0]);
    for (std::size_t bit = 0; bit < batch.proof.size() * 8; bit += 5) {
        Bytes proof = batch.proof;
        proof[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(verify_dleq(kOprf, batch.claim(), proof)) << bit;
    }
    Bytes longer = batch.proof;
    longer.push_back(0);
    EXPECT_FALSE(verify_dleq(kOprf, batch.claim(), longer));
    EXPECT_FALSE(verify_dleq(kOprf, batch.claim(), Bytes()));
}

// kyber's proof hashes only what it is about, and not which key and bases: key-custody.md
// section 4.
TEST(DleqTest, AProofHoldsForItsKeyItsBasesItsResultsAndItsContextOnly) {
    const json file = core::testing::load_vectors("voprf-rfc9497-p256-sha256.json");
    const Batch one(file["vectors"][0]);
    const Batch two(file["vectors"][1]);
    ASSERT_TRUE(verify_dleq(kOprf, one.claim(), one.proof));
    EXPECT_FALSE(verify_dleq(core::as_bytes("pgveil"), one.claim(), one.proof));
    EXPECT_FALSE(verify_dleq(kOprf, {one.bases[0], one.bases, one.results}, one.proof));
    EXPECT_FALSE(verify_dleq(kOprf, {one.public_key, two.bases, one.results}, one.proof));
    EXPECT_FALSE(verify_dleq(kOprf, {one.public_key, one.bases, two.results}, one.proof));
    const Bytes none(kCompressedSize);
    const std::vector<core::ByteView> no_points{none};
    EXPECT_FALSE(verify_dleq(kOprf, {one.public_key, one.bases, no_points}, one.proof));
}

}  // namespace
}  // namespace pgveil::quorum
