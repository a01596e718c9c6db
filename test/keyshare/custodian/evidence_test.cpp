#include "keyshare/attest/exchange.hpp"
#include "keyshare/core/base64url.hpp"
#include "keyshare/custody/questions.hpp"
#include "keyshare/quorum/exchange.hpp"
#include "test/keyshare/attest/written_quote.hpp"
#include "test/keyshare/custodian/crew.hpp"

#include <gmock/gmock.h>

#include <string>

namespace pgveil::custodian {
namespace {

using share::Json;
using testing::HasSubstr;

core::Sha256Digest of(std::string_view text) {
    return core::sha256(core::as_bytes(text));
}

/// Two custodians whose group demands the evidence of one TPM, which a key of this test stands for:
/// so that it can say what no TPM says.
class CustodianEvidence : public testing::Test {
protected:
    CustodianEvidence()
        : crew_(2),
          group_(*quorum::parse_group(*core::base64url_decode(
              crew_.get(0, "/v1/groups/" + crew_.generate({0, 1}, 2, policy())).text("group")
          ))) {}

    Json policy(std::uint32_t per_minute = 100) const {
        Json out = policy_for_proxy(per_minute);
        out["requesters"]["other"] = out["requesters"]["proxy"];
        out["evidence"] = Json{
            {"attestation_keys", Json::array({tpm_.verifying_key().point().text()})},
            {"approver", approver_.verifying_key().point().text()},
            {"tenant", "acme"}};
        return out;
    }

    /// One question, and everything about its evidence that can be wrong.
    struct Shown {
        quorum::PartialRequest request;
        std::string nonce;       ///< base64url
        core::Bytes claim = {};  ///< of the raise of a version, in the place of a request
        std::string named = "custodian-1";
        attest::Statement statement = {};
        attest::Approval approval = {};
        attest::QuoteFields quote = {};  ///< without its extra data
        const core::SigningKey* signer = nullptr;
        const core::SigningKey* claimed = nullptr;
    };

    std::string path(const char* what) const { return "/v1/groups/" + id_of(group_) + "/" + what; }

    std::string nonce(std::size_t at = 0, const std::string& caller = "proxy") {
        return crew_.post(at, path("nonce"), Json::object(), caller).text("nonce");
    }

    quorum::PartialRequest request() const {
        return quorum::ask(group_, group_.public_key(), "proxy", "unseal")->request;
    }

    Shown good() {
        Shown shown{request(), nonce()};
        shown.statement = {
            "acme", {of("binary"), of("settings"), of("policy")}, {{0, of("0")}, {7, of("7")}}};
        shown.quote.values = shown.statement.values();
        shown.approval = attest::approve(
            approver_, attest::pcr_policy(shown.quote.values), attest::seal_purpose("acme")
        );
        shown.signer = &tpm_;
        shown.claimed = &tpm_;
        return shown;
    }

    static Json body_of(const Shown& shown) {
        attest::QuoteFields fields = shown.quote;
        fields.extra = core::to_bytes(custody::evidence_binding(
            shown.named,
            *core::base64url_decode(shown.nonce),
            shown.claim.empty() ? serialize(shown.request) : shown.claim
        ));
        const attest::Evidence evidence{
            shown.statement, shown.approval, attest::write_quote(*shown.signer, fields)};
        return Json::parse(custody::attested(
            shown.claim.empty()
                ? custody::partial_body(shown.request, {shown.request.point, shown.request.purpose})
                : custody::version_body(kVersion),
            *core::base64url_decode(shown.nonce),
            {shown.claimed->verifying_key().point().text(), to_text(evidence)}
        ));
    }

    /// The refusal's code and message; "answered" if there is none.
    static constexpr custody::StoreVersion kVersion{{1, 2, 3}, 7};

    std::string said(const Json& body, const char* what = "partial") {
        const Crew::Said answer = crew_.post(0, path(what), body, "proxy");
        return answer.status == 200
                   ? "answered"
                   : answer.code() + ": " + answer.json["error"]["message"].get<std::string>();
    }

    std::string said(const Shown& shown) { return said(body_of(shown)); }

    Json last_logged() { return crew_.get(0, "/v1/log?limit=1000").json["entries"].back(); }

    const core::SigningKey tpm_ = core::SigningKey::generate();
    const core::SigningKey stranger_ = core::SigningKey::generate();
    const core::SigningKey approver_ = core::SigningKey::generate();
    Crew crew_;
    quorum::Group group_;
};

TEST_F(CustodianEvidence, T9_ANamedTpmInAnApprovedStateIsAnswered) {
    EXPECT_EQ(said(good()), "answered");
    EXPECT_EQ(last_logged()["result"], "answered");
    EXPECT_EQ(crew_.post(0, path("nonce"), Json::object(), "proxy").text("evidence"), "required");
    const Json shown = crew_.get(0, "/v1/groups/" + id_of(group_)).json["policy"];
    EXPECT_EQ(shown["evidence"], policy()["evidence"]);
    crew_.restart(0);
    EXPECT_EQ(said(good()), "answered");
}

TEST_F(CustodianEvidence, WithoutEvidenceNothingIsAnsweredAndThatIsLogged) {
    const Json plain{{"request", share::json_bytes(serialize(request()))}};
    EXPECT_THAT(said(plain), HasSubstr("evidence_missing: the group's policy demands"));
    EXPECT_EQ(last_logged()["result"], "evidence_missing");
    for (const Json& bad : {Json("x"), Json::object(), Json(nullptr), Json::array({1})}) {
        Json body = plain;
        body["evidence"] = bad;
        EXPECT_THAT(said(body), HasSubstr("malformed")) << bad;
    }
    Json garbage = body_of(good());
    garbage["evidence"]["text"] = "pgveil-evidence: 1\n";
    EXPECT_THAT(said(garbage), HasSubstr("evidence: this is no evidence"));
    EXPECT_EQ(last_logged()["result"], "evidence");
}

TEST_F(CustodianEvidence, ANonceIsGoodOnceForOneAskerForAMinute) {
    const Json once = body_of(good());
    EXPECT_EQ(said(once), "answered");
    EXPECT_THAT(said(once), HasSubstr("evidence_nonce: "));
    EXPECT_EQ(last_logged()["result"], "evidence_nonce");
    const Shown late = good();
    crew_.now_s += 60;
    EXPECT_THAT(said(late), HasSubstr("evidence_nonce: "));
    const Shown early = good();
    crew_.now_s -= 1;
    EXPECT_THAT(said(early), HasSubstr("evidence_nonce: "));
    Shown invented = good();
    invented.nonce = fresh_session();
    EXPECT_THAT(said(invented), HasSubstr("evidence_nonce: "));
    Shown of_another_asker = good();
    of_another_asker.nonce = nonce(0, "other");
    EXPECT_THAT(said(of_another_asker), HasSubstr("evidence_nonce: "));
    const Shown forgotten = good();
    crew_.restart(0);
    EXPECT_THAT(said(forgotten), HasSubstr("evidence_nonce: "));
    EXPECT_EQ(said(good()), "answered");
    EXPECT_EQ(crew_.post(0, path("nonce"), Json::object(), "nobody").code(), "requester");
}

TEST_F(CustodianEvidence, EvidenceIsForOneCustodianAndOneRequest) {
    Shown shown = good();
    shown.nonce = nonce(1);  // of the other custodian
    EXPECT_THAT(said(shown), HasSubstr("evidence_nonce: "));
    shown = good();
    shown.named = "custodian-2";
    EXPECT_THAT(said(shown), HasSubstr("nonce"));
    // The request of somebody else under the evidence of this one: another reply key and id.
    Json stolen = body_of(good());
    stolen["request"] = share::json_bytes(serialize(request()));
    EXPECT_THAT(said(stolen), HasSubstr("evidence: the TPM's statement is not believed"));
    EXPECT_EQ(last_logged()["result"], "evidence");
    EXPECT_EQ(said(good()), "answered");
}

TEST_F(CustodianEvidence, T9_AForgedOrForeignQuoteIsRefused) {
    Shown foreign = good();
    foreign.signer = foreign.claimed = &stranger_;
    EXPECT_THAT(said(foreign), HasSubstr("evidence_tpm: "));
    EXPECT_EQ(last_logged()["result"], "evidence_tpm");
    Shown forged = good();
    forged.signer = &stranger_;
    EXPECT_THAT(said(forged), HasSubstr("its signature is not of the attestation key"));
    forged = good();
    forged.quote.magic = 0xff544348;
    EXPECT_THAT(said(forged), HasSubstr("magic"));
    forged = good();
    forged.quote.kind = 0x8017;
    EXPECT_THAT(said(forged), HasSubstr("another kind"));
    forged = good();
    forged.quote.values[7] = of("another boot");
    EXPECT_THAT(said(forged), HasSubstr("the registers (PCRs) hold other values"));
    forged = good();
    forged.quote.values.erase(7);
    EXPECT_THAT(said(forged), HasSubstr("other registers"));
    EXPECT_EQ(said(good()), "answered");
}

TEST_F(CustodianEvidence, T8_OnlyWhatTheApproverApprovedForThisTenantCounts) {
    const auto with = [this](const core::SigningKey& approver, const char* tenant) {
        Shown shown = good();
        shown.approval = attest::approve(
            approver, attest::pcr_policy(shown.quote.values), attest::seal_purpose(tenant)
        );
        return said(shown);
    };
    EXPECT_THAT(with(stranger_, "acme"), HasSubstr("was not approved"));
    EXPECT_THAT(with(approver_, "other"), HasSubstr("was not approved"));
    Shown changed = good();
    changed.statement.measurement.binary = of("another binary");
    changed.quote.values = changed.statement.values();
    EXPECT_THAT(said(changed), HasSubstr("was not approved"));
    Shown elsewhere = good();
    elsewhere.statement.tenant = "other";
    EXPECT_THAT(said(elsewhere), HasSubstr("the evidence is of tenant other"));
    EXPECT_EQ(with(approver_, "acme"), "answered");
}

TEST_F(CustodianEvidence, T13_ATpmWhoseCountersWentBackIsRefusedAlsoAfterARestart) {
    const auto at = [this](const attest::Clock& clock) {
        Shown shown = good();
        shown.quote.clock = clock;
        return said(shown);
    };
    EXPECT_EQ(at({5000, 7, 2, true}), "answered");
    crew_.restart(0);
    EXPECT_THAT(at({5001, 6, 9, true}), HasSubstr("went back"));
    EXPECT_THAT(at({5001, 7, 1, true}), HasSubstr("went back"));
    EXPECT_THAT(at({4999, 7, 2, true}), HasSubstr("went back"));
    EXPECT_EQ(at({5000, 7, 2, true}), "answered");
    EXPECT_EQ(at({5001, 8, 0, true}), "answered");
}

TEST_F(CustodianEvidence, T13_WithoutEvidenceNobodyRaisesTheVersionOfAStore) {
    const auto raised = [this](const core::Bytes& claim) {
        Shown shown = good();
        shown.claim = claim;
        return said(body_of(shown), "store-version");
    };
    const core::Bytes claim = custody::version_claim(group_.id, kVersion);
    const Json plain = Json::parse(custody::version_body(kVersion));
    EXPECT_THAT(said(plain, "store-version"), HasSubstr("evidence_missing: "));
    // A quote for a question, or for another version, raises none.
    EXPECT_THAT(raised(serialize(request())), HasSubstr("evidence: the TPM's statement"));
    custody::StoreVersion higher = kVersion;
    ++higher.version;
    EXPECT_THAT(
        raised(custody::version_claim(group_.id, higher)),
        HasSubstr("evidence: the TPM's statement")
    );
    Json older = body_of(good());
    older["store_version"] = Json{{"store", plain["store"]}, {"version", 0}};
    EXPECT_EQ(said(older), "answered");  // so far nothing was raised
    EXPECT_EQ(raised(claim), "answered");
    older = body_of(good());
    older["store_version"] = Json{{"store", plain["store"]}, {"version", 6}};
    EXPECT_THAT(said(older), HasSubstr("older_store: "));
    EXPECT_EQ(crew_.post(0, path("store-version"), plain, "other").code(), "evidence_missing");
}

TEST_F(CustodianEvidence, WhoHasNoEvidenceCannotUseUpTheTurnsOfWhoHas) {
    const std::string id = crew_.generate({0, 1}, 2, policy(1));
    group_ =
        *quorum::parse_group(*core::base64url_decode(crew_.get(0, "/v1/groups/" + id).text("group"))
        );
    for (int count = 0; count < 3; ++count) {
        EXPECT_THAT(
            said(Json{{"request", share::json_bytes(serialize(request()))}}),
            HasSubstr("evidence_missing")
        );
    }
    EXPECT_EQ(said(good()), "answered");
    EXPECT_THAT(said(good()), HasSubstr("rate"));
}

TEST(EvidenceForms, AClockIsReadWholeOrNotAtAll) {
    const attest::Clock clock{18446744073709551615U, 4294967295U, 7, false};
    const auto read = parse_clock(clock_text(clock));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, clock);
    for (const char* bad :
         {"", "1", "1 2", "1 2 ", "1 2 3 ", "1  2 3", "a 2 3", "1 2 4294967296"}) {
        EXPECT_FALSE(parse_clock(bad).has_value()) << bad;
    }
}

}  // namespace
}  // namespace pgveil::custodian
