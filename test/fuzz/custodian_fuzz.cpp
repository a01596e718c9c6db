// Any request to the custodian's API by anybody: an answer in JSON with a status below 500, and
// the custodian goes on. Bytes are the body, or they are written into a body that fits.

#include "keyshare/attest/exchange.hpp"
#include "keyshare/core/base64url.hpp"
#include "keyshare/custody/questions.hpp"
#include "test/keyshare/attest/written_quote.hpp"
#include "test/keyshare/custodian/crew.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace pgveil;
using custodian::Crew;
using share::Json;

namespace {

void must_hold(bool condition) {
    if (!condition) {
        std::abort();
    }
}

/// The policy that demands the evidence of a TPM, which a key stands for.
Json policy_with_evidence(const core::SigningKey& tpm) {
    Json policy = custodian::policy_for_proxy(1'000'000);
    policy["evidence"] = Json{
        {"attestation_keys", Json::array({tpm.verifying_key().point().text()})},
        {"approver", tpm.verifying_key().point().text()},
        {"tenant", "acme"}};
    return policy;
}

/// A question with evidence that is right up to its nonce, which the caller puts there anew.
Json attested_question(Crew& crew, const std::string& group_id, const core::SigningKey& tpm) {
    const Json shown = crew.get(0, "/v1/groups/" + group_id).json;
    const auto group =
        quorum::parse_group(*core::base64url_decode(shown["group"].get<std::string>()));
    const auto asked = quorum::ask(*group, group->public_key(), "proxy", "unseal");
    attest::Evidence evidence;
    evidence.statement.tenant = "acme";
    const attest::PcrValues values = evidence.statement.values();
    evidence.approval =
        attest::approve(tpm, attest::pcr_policy(values), attest::seal_purpose("acme"));
    evidence.quote = attest::write_quote(tpm, {core::Bytes(32), values});
    return Json::parse(custody::attested(
        custody::partial_body(asked->request, {asked->request.point, "unseal"}),
        core::Bytes(32),
        {tpm.verifying_key().point().text(), to_text(evidence)}
    ));
}

/// Two custodians with a group, one that demands evidence, and a run that waits for messages.
struct Scene {
    Scene()
        : crew(2),
          group(crew.generate({0, 1}, 2, custodian::policy_for_proxy(1'000'000))),
          attested(crew.generate({0, 1}, 2, policy_with_evidence(tpm))),
          session(crew.begin({0, 1}, 2, custodian::policy_for_proxy())) {
        const Json sent = crew.get(1, "/v1/runs/" + session).json["sent"];
        bodies = {
            Json{{"session", session}}.dump(),
            crew.get(0, "/v1/runs/" + session).json.dump(),
            Json{{"messages", sent}}.dump(),
            Json{{"request", std::string(400, 'A')}, {"header", "AAAA"}}.dump(),
            Json{{"store", std::string(22, 'A')}, {"version", 1}}.dump(),
            Json{{"confirm", group + "A"}}.dump(),
            Json{
                {"session", session},
                {"kind", "reshare"},
                {"threshold", 2},
                {"statements", Json::array({"a.b.c"})},
                {"group", group},
                {"epoch", 0},
                {"dealers", Json::array({1, 2})},
                {"policy", policy_with_evidence(tpm)}}
                .dump(),
            attested_question(crew, attested, tpm).dump()};
        const std::string of_group = "/v1/groups/" + group;
        const std::string of_run = "/v1/runs/" + session;
        paths = {
            "/v1/members",
            "/v1/runs",
            of_run + "/messages",
            of_group + "/partial",
            of_group + "/store-version",
            of_group + "/shred",
            "/v1/runs",
            "/v1/groups/" + attested + "/partial",
            of_group + "/nonce",
            of_run + "/abandon",
            of_run,
            of_group,
            "/v1/log"};
    }

    /// The bytes of evidence are looked at only with a nonce that waits.
    std::string with_fresh_nonce(const std::string& body) {
        Json json = Json::parse(body, nullptr, false);
        if (json.is_object() && json.contains("evidence") && json["evidence"].is_object()) {
            json["evidence"]["nonce"] =
                crew.post(0, "/v1/groups/" + attested + "/nonce", Json::object(), "proxy")
                    .text("nonce");
            return json.dump(-1, ' ', false, Json::error_handler_t::replace);
        }
        return body;
    }

    core::SigningKey tpm = core::SigningKey::generate();
    Crew crew;
    std::string group;
    std::string attested;
    std::string session;
    std::vector<std::string> bodies;
    std::vector<std::string> paths;
};

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    constexpr std::array<const char*, 3> kCallers{"admin", "proxy", ""};
    constexpr std::size_t kHead = 4;
    static Scene scene;
    if (size < kHead) {
        return 0;
    }
    const std::size_t which = input[0] % scene.paths.size();
    std::string bytes(input + kHead, input + size);
    if (input[1] % 2 == 0 && which < scene.bodies.size()) {
        std::string body = scene.bodies[which];
        const std::size_t at = (input[2] * 256U + input[3]) % body.size();
        bytes = body.replace(at, std::min(bytes.size(), body.size() - at), bytes);
    }
    if (input[1] % 4 == 0) {
        bytes = scene.with_fresh_nonce(bytes);
    }
    const bool is_get = which + 3 >= scene.paths.size();
    const custodian::ApiResponse answer = scene.crew.raw(
        0,
        {is_get ? "GET" : "POST",
         scene.paths[which],
         is_get ? bytes : "",
         "application/json",
         bytes,
         kCallers.at(input[1] / 2U % kCallers.size()),
         "fuzz"}
    );
    must_hold(answer.status < 500 || answer.status == 503);
    must_hold(!Json::parse(answer.body, nullptr, false).is_discarded());
    return 0;
}
