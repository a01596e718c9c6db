#include "keyshare/custody/questions.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/share/json_fields.hpp"
#include "keyshare/share/shallow_json.hpp"

#include <algorithm>

namespace pgveil::custody {
namespace {

constexpr std::size_t kMessageMax = 500;

share::Json json_of(const StoreVersion& store) {
    share::Json json;
    json["store"] = core::base64url_encode(store.store);
    json["version"] = store.version;
    return json;
}

std::string text_in(const share::Json& object, const char* member) {
    const auto found = object.find(member);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

core::Sha256Digest evidence_binding(
    const std::string& custodian, core::ByteView nonce, core::ByteView request
) {
    return core::sha256(core::length_prefixed(
        {core::as_bytes("pgveil/1 custodian evidence"), core::as_bytes(custodian), nonce, request}
    ));
}

std::optional<NonceReply> nonce_in(const std::string& body) {
    share::JsonReader reader{std::string_view(body)};
    NonceReply reply{reader.bytes("nonce"), reader.text("evidence") == "required"};
    return reader.ok() ? std::optional(std::move(reply)) : std::nullopt;
}

core::Bytes version_claim(core::ByteView group, const StoreVersion& store) {
    return core::length_prefixed(
        {core::as_bytes("pgveil/1 store version"),
         group,
         store.store,
         core::big_endian64(store.version)}
    );
}

std::string attested(const std::string& body, core::ByteView nonce, const Testimony& testimony) {
    share::Json json = share::Json::parse(body);
    json["evidence"] = share::Json{
        {"nonce", core::base64url_encode(nonce)},
        {"attestation_key", testimony.attestation_key},
        {"text", testimony.text}};
    return json.dump();
}

std::string partial_body(const quorum::PartialRequest& request, const Question& question) {
    share::Json json;
    json["request"] = core::base64url_encode(quorum::serialize(request));
    if (!question.header.empty()) {
        json["header"] = core::base64url_encode(question.header);
    }
    if (question.store) {
        json["store_version"] = json_of(*question.store);
    }
    return json.dump();
}

std::string version_body(const StoreVersion& store) {
    return json_of(store).dump();
}

std::optional<core::Bytes> answer_in(const std::string& body) {
    share::JsonReader reader{std::string_view(body)};
    core::Bytes answer = reader.bytes("answer");
    return reader.ok() ? std::optional(std::move(answer)) : std::nullopt;
}

std::string printable(const std::string& text) {
    std::string fine = text.substr(0, kMessageMax);
    std::replace_if(
        fine.begin(), fine.end(), [](char sign) { return sign < ' ' || sign > '~'; }, ' '
    );
    return fine;
}

Refusal refusal_in(const HttpsReply& reply) {
    if (!reply.trouble.empty()) {
        return {{}, printable(reply.trouble), 0};
    }
    Refusal refusal{{}, "HTTP status " + std::to_string(reply.status), 0};
    const share::Json json = share::parse_shallow_json(reply.body);
    const auto error = json.is_object() ? json.find("error") : json.end();
    if (json.is_object() && error != json.end() && error->is_object()) {
        refusal.code = printable(text_in(*error, "code"));
        const std::string message = text_in(*error, "message");
        refusal.message = message.empty() ? refusal.message : printable(message);
        const auto member = error->find("member");
        if (member != error->end() && member->is_number_unsigned()) {
            refusal.member = member->get<std::uint32_t>();
        }
    }
    return refusal;
}

}  // namespace pgveil::custody
