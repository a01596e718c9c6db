#include "keyshare/custody/custodian_seal.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/seal/file_seal.hpp"
#include "keyshare/share/json_fields.hpp"
#include "test/keyshare/custody/loopback_custodian.hpp"
#include "test/keyshare/quorum/ceremony.hpp"

#include <gmock/gmock.h>

#include <array>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace pgveil::custody {
namespace {

using ::testing::HasSubstr;
using testing::http_response;
using testing::LoopbackCustodian;

constexpr const char* kNames[] = {"ada", "ben", "cleo"};

/// Three custodians, two of which open a seal, that note its version.
class CustodianSealTest : public ::testing::Test {
protected:
    CustodianSealTest() : ceremony_({2, 3}) {
        ceremony_.run();
        std::string places;
        for (std::uint32_t index = 1; index <= 3; ++index) {
            const auto handler = [this, index](const std::string& path, const std::string& body) {
                return respond(index, path, body);
            };
            servers_[index - 1] = std::make_unique<LoopbackCustodian>(
                authority_.authority_file(), authority_.issue({"127.0.0.1", true}), handler
            );
            places += std::string(index > 1 ? "," : "") + R"({"name":")" + kNames[index - 1] +
                      R"(","url":")" + servers_[index - 1]->url() + R"(","identity":")" +
                      identity_text(ceremony_.key(index).point()) + "\"}";
        }
        const auto own = authority_.issue({"clinic"});
        settings_ = authority_.write(
            "custodians.json",
            R"({"custodians":[)" + places + R"(],"tls":{"ca":")" + authority_.authority_file() +
                R"(","certificate":")" + own.certificate + R"(","key":")" + own.key + "\"}}"
        );
        group_ =
            authority_.write("group.json", write_group({ceremony_.group, {"ada", "ben", "cleo"}}));
        path_ = authority_.write("seal.key", "");
        std::filesystem::remove(path_);
    }

    std::string respond(std::uint32_t index, const std::string& path, const std::string& body) {
        const std::lock_guard guard(mutex_);
        const share::Json json = share::Json::parse(body);
        if (path.find("/nonce") != std::string::npos) {
            return http_response(
                200,
                R"({"nonce":")" + core::base64url_encode(nonce_of(index)) +
                    R"(","seconds":60,"evidence":")" + (demands_ ? "required" : "none") + "\"}"
            );
        }
        const bool is_question = path.find("/partial") != std::string::npos;
        const share::Json& store = is_question ? json["store_version"] : json;
        const auto version = store["version"].get<std::uint64_t>();
        if (!is_question) {
            const core::Bytes claim = claim_in(json);
            if (demands_ && json.value("evidence", share::Json()) != evidence_for(index, claim)) {
                return http_response(
                    403, R"({"error":{"code":"evidence","message":"not of this version"}})"
                );
            }
            noted_[index - 1] = std::max(noted_[index - 1], version);
            return http_response(200, "{}");
        }
        if (version < noted_[index - 1]) {
            return http_response(
                409, R"({"error":{"code":"older_store","message":"a newer store was noted"}})"
            );
        }
        const auto bytes = core::base64url_decode(json["request"].get<std::string>());
        if (json.contains("evidence") != demands_ ||
            (demands_ && json["evidence"] != evidence_for(index, *bytes))) {
            return http_response(
                403, R"({"error":{"code":"evidence","message":"not the evidence that counts"}})"
            );
        }
        const auto request = quorum::parse_request(*bytes);
        const auto sealed = quorum::answer(
            ceremony_.group, ceremony_.shares[index - 1], ceremony_.key(index), *request
        );
        return http_response(200, R"({"answer":")" + core::base64url_encode(*sealed) + "\"}");
    }

    core::Bytes claim_in(const share::Json& json) const {
        StoreVersion store{{}, json["version"].get<std::uint64_t>()};
        std::ranges::copy(
            *core::base64url_decode(json["store"].get<std::string>()), store.store.begin()
        );
        return version_claim(ceremony_.group.id, store);
    }

    static core::Bytes nonce_of(std::uint32_t index) {
        return core::Bytes(32, static_cast<std::uint8_t>(index));
    }

    static share::Json evidence_for(std::uint32_t index, core::ByteView request) {
        const core::Bytes nonce = nonce_of(index);
        return {
            {"nonce", core::base64url_encode(nonce)},
            {"attestation_key", "key"},
            {"text", core::to_hex(evidence_binding(kNames[index - 1], nonce, request))}};
    }

    CustodianSeal seal(std::unique_ptr<seal::Seal> beside = nullptr) const {
        return CustodianSeal({path_, settings_, group_, {}, witness_}, std::move(beside));
    }

    CustodianSeal seal_beside_file() const {
        return seal(std::make_unique<seal::FileSeal>(path_ + ".beside"));
    }

    static void expect_same(const seal::StoreKey& left, const seal::StoreKey& right) {
        EXPECT_TRUE(core::equal_in_constant_time(left.reveal(), right.reveal()));
    }

    void copy(const std::string& from, const std::string& to) const {
        std::filesystem::copy_file(
            path_ + from, path_ + to, std::filesystem::copy_options::overwrite_existing
        );
    }

    net::TestAuthority authority_;
    quorum::testing::Ceremony ceremony_;
    std::string settings_, group_, path_;
    std::mutex mutex_;
    bool demands_ = false;
    Witness witness_;
    std::array<std::uint64_t, 3> noted_{};
    std::array<std::unique_ptr<LoopbackCustodian>, 3> servers_;
};

TEST_F(CustodianSealTest, AnyTwoOfThreeReleaseTheKey) {
    CustodianSeal sealing = seal();
    ASSERT_TRUE(sealing.create_if_missing(core::system_random()).has_value());
    const auto key = sealing.current();
    ASSERT_TRUE(key.has_value()) << key.error().message;
    servers_[0].reset();
    const auto again = seal().current();
    ASSERT_TRUE(again.has_value()) << again.error().message;
    expect_same(*key, *again);
    ASSERT_TRUE(sealing.create_if_missing(core::system_random()).has_value());  // changes nothing
    expect_same(*key, *sealing.current());
    servers_[2].reset();
    const auto refused = seal().current();
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().message, HasSubstr("only 1 of the 2 custodians"));
    EXPECT_THAT(refused.error().message, HasSubstr("ada (https://127.0.0.1:"));
    EXPECT_THAT(refused.error().message, HasSubstr("cleo (https://127.0.0.1:"));
}

TEST_F(CustodianSealTest, ARenewedKeyTakesTheOldOneOutOfForce) {
    CustodianSeal sealing = seal();
    ASSERT_TRUE(sealing.create_if_missing(core::system_random()).has_value());
    const auto first = sealing.current();
    copy("", ".old");
    const auto fresh = sealing.begin_renewal(core::system_random());
    ASSERT_TRUE(fresh.has_value());
    expect_same(**sealing.successor(), *fresh);
    expect_same(*sealing.current(), *first);
    ASSERT_TRUE(sealing.finish_renewal().has_value());
    expect_same(*sealing.current(), *fresh);
    EXPECT_FALSE(sealing.successor()->has_value());
    EXPECT_FALSE(std::filesystem::exists(path_ + ".unnoted"));
    copy(".old", "");
    const auto refused = sealing.current();
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().message, HasSubstr("a newer store was noted"));
}

TEST_F(CustodianSealTest, ARenewalThatTooFewHaveNotedIsFinishedLater) {
    CustodianSeal sealing = seal();
    ASSERT_TRUE(sealing.create_if_missing(core::system_random()).has_value());
    const auto fresh = sealing.begin_renewal(core::system_random());
    ASSERT_TRUE(fresh.has_value());
    auto ben = std::move(servers_[1]);
    auto cleo = std::move(servers_[2]);
    ben.reset();
    cleo.reset();
    const auto unnoted = sealing.finish_renewal();
    ASSERT_FALSE(unnoted.has_value());
    EXPECT_THAT(unnoted.error().message, HasSubstr("have not noted the new store key"));
    EXPECT_TRUE(std::filesystem::exists(path_ + ".unnoted"));
    EXPECT_EQ(noted_[0], 2U);
}

TEST_F(CustodianSealTest, AnAlteredFileDoesNotOpen) {
    CustodianSeal sealing = seal();
    ASSERT_TRUE(sealing.create_if_missing(core::system_random()).has_value());
    ASSERT_TRUE(sealing.current().has_value());
    auto kept = read_kept_key(path_);
    ASSERT_TRUE(kept.has_value());
    ++kept->store.version;  // to get past custodians that know a newer one
    ASSERT_TRUE(write_kept_key(path_, *kept).has_value());
    const auto refused = sealing.current();
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().message, HasSubstr("was altered"));
}

TEST_F(CustodianSealTest, BothAreNeededWhereAnotherSealStandsBeside) {
    CustodianSeal sealing = seal_beside_file();
    ASSERT_TRUE(sealing.create_if_missing(core::system_random()).has_value());
    const auto key = sealing.current();
    ASSERT_TRUE(key.has_value()) << key.error().message;
    EXPECT_FALSE(seal().current().has_value());  // custodians alone
    std::filesystem::remove(path_ + ".beside");
    EXPECT_FALSE(seal_beside_file().current().has_value());
}

TEST_F(CustodianSealTest, BesideAnotherSealARenewalSurvivesAKillBetweenItsHalves) {
    CustodianSeal sealing = seal_beside_file();
    ASSERT_TRUE(sealing.create_if_missing(core::system_random()).has_value());
    const auto first = sealing.current();
    const auto fresh = sealing.begin_renewal(core::system_random());
    ASSERT_TRUE(first.has_value() && fresh.has_value());
    expect_same(*seal_beside_file().current(), *first);
    expect_same(**seal_beside_file().successor(), *fresh);
    copy(".next", "");  // the first half of finish_renewal()
    std::filesystem::remove(path_ + ".next");
    expect_same(*seal_beside_file().current(), *fresh);
    CustodianSeal later = seal_beside_file();
    ASSERT_TRUE(later.finish_renewal().has_value());
    expect_same(*later.current(), *fresh);
    EXPECT_FALSE(std::filesystem::exists(path_ + ".beside.next"));
    EXPECT_EQ(noted_, (std::array<std::uint64_t, 3>{2, 2, 2}));
}

TEST_F(CustodianSealTest, BesideAnotherSealTheFirstReturnSurvivesAKillBetweenItsHalves) {
    const auto key = core::random_secret<seal::StoreKey>(core::system_random());
    ASSERT_TRUE(seal_beside_file().begin_return(key).has_value());
    copy(".next", "");  // the first half of finish_renewal()
    std::filesystem::remove(path_ + ".next");
    ASSERT_FALSE(std::filesystem::exists(path_ + ".beside"));
    expect_same(*seal_beside_file().current(), key);
    ASSERT_TRUE(seal_beside_file().finish_renewal().has_value());
    expect_same(*seal_beside_file().current(), key);
    EXPECT_TRUE(std::filesystem::exists(path_ + ".beside"));
}

TEST_F(CustodianSealTest, EachCustodianThatDemandsEvidenceGetsItsOwn) {
    int quotes = 0;
    witness_ = [&quotes](const core::Sha256Digest& binding) -> seal::Result<Testimony> {
        ++quotes;
        return Testimony{"key", core::to_hex(binding)};
    };
    CustodianSeal sealing = seal();
    ASSERT_TRUE(sealing.create_if_missing(core::system_random()).has_value());
    const auto key = sealing.current();
    ASSERT_TRUE(key.has_value()) << key.error().message;
    EXPECT_EQ(quotes, 0);  // nobody has demanded any
    demands_ = true;
    const auto attested = sealing.current();
    ASSERT_TRUE(attested.has_value()) << attested.error().message;
    expect_same(*key, *attested);
    EXPECT_GE(quotes, 2);
    quotes = 0;
    ASSERT_TRUE(sealing.begin_renewal(core::system_random()).has_value());
    const auto renewed = sealing.finish_renewal();
    ASSERT_TRUE(renewed.has_value()) << renewed.error().message;
    EXPECT_EQ(quotes, 3);
    EXPECT_THAT(noted_, ::testing::Each(2U));
    servers_[0].reset();
    EXPECT_TRUE(seal().current().has_value());
}

TEST_F(CustodianSealTest, WithoutATpmOrWithoutItsAnswerTheCustodiansReleaseNothing) {
    CustodianSeal sealing = seal();
    ASSERT_TRUE(sealing.create_if_missing(core::system_random()).has_value());
    demands_ = true;
    const auto refused = sealing.current();
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().message, HasSubstr("not the evidence that counts"));
    witness_ = [](const core::Sha256Digest&) -> seal::Result<Testimony> {
        return seal::Error{"there is no TPM"};
    };
    const auto silent = seal().current();
    ASSERT_FALSE(silent.has_value());
    EXPECT_THAT(
        silent.error().message,
        HasSubstr("demand the TPM's evidence, and there is none: there is no")
    );
}

TEST_F(CustodianSealTest, ANewStoreIsNotedOnceItsTpmSpeaks) {
    demands_ = true;
    bool is_approved = false;
    witness_ = [&](const core::Sha256Digest& binding) -> seal::Result<Testimony> {
        return is_approved ? seal::Result<Testimony>(Testimony{"key", core::to_hex(binding)})
                           : seal::Error{"it was not approved"};
    };
    CustodianSeal sealing = seal();
    ASSERT_TRUE(sealing.begin_renewal(core::system_random()).has_value());
    ASSERT_TRUE(sealing.finish_renewal().has_value());
    EXPECT_THAT(noted_, ::testing::Each(0U));
    is_approved = true;
    ASSERT_TRUE(sealing.current().has_value());
    EXPECT_THAT(noted_, ::testing::Each(1U));
    ASSERT_TRUE(sealing.begin_renewal(core::system_random()).has_value());
    is_approved = false;
    const auto later = sealing.finish_renewal();
    ASSERT_FALSE(later.has_value());
    EXPECT_THAT(later.error().message, HasSubstr("have not noted the new store key"));
}

TEST_F(CustodianSealTest, AnotherGroupsFileIsNamed) {
    CustodianSeal sealing = seal();
    ASSERT_TRUE(sealing.create_if_missing(core::system_random()).has_value());
    quorum::testing::Ceremony other({2, 3});
    other.run();
    ASSERT_TRUE(save_group(group_, {other.group, {"ada", "ben", "cleo"}}).has_value());
    const auto refused = sealing.current();
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().message, HasSubstr("sealed to another group"));
}

}  // namespace
}  // namespace pgveil::custody
