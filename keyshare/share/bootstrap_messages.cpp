#include "keyshare/share/bootstrap_messages.hpp"

#include "keyshare/share/json_fields.hpp"
#include "keyshare/share/keyring_json.hpp"
#include "keyshare/share/names.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace pgveil::share {
namespace {

constexpr std::string_view kHelloType = "pgveil-hello";
constexpr std::string_view kOfferType = "pgveil-offer";
constexpr std::string_view kContributionType = "pgveil-contribution";
constexpr std::string_view kHandoverType = "pgveil-handover";
constexpr std::string_view kConfirmationType = "pgveil-confirmation";
constexpr std::string_view kAdoptionType = "pgveil-adoption";

Error malformed(std::string_view message) {
    return Error{
        ErrorCode::kMalformed,
        "the " + std::string(message) + " of the bootstrap has a form this program does not know"};
}

Error forged(std::string_view message) {
    return Error{
        ErrorCode::kForged,
        "the " + std::string(message) +
            " of the bootstrap does not carry the right signature: it was altered, or made with "
            "another key"};
}

// The key that a self-signed message names; the signature is checked with it afterwards.
std::optional<core::VerifyingKey> key_inside(std::string_view jws, const char* member) {
    const auto parts = core::parse_jws(jws);
    if (!parts.has_value()) {
        return std::nullopt;
    }
    JsonReader reader(core::as_text(parts->payload));
    const auto point = reader.point(member);
    return point ? std::optional<core::VerifyingKey>(core::VerifyingKey(*point)) : std::nullopt;
}

std::string payload_of(const Hello& hello) {
    return write_json(Json{
        {"tenant", hello.tenant},
        {"signing", hello.signing.text()},
        {"sealing", hello.sealing.text()},
        {"groups", hello.groups}});
}

std::string payload_of(const Offer& offer) {
    return write_json(Json{
        {"tenant", offer.tenant},
        {"hello", json_digest(offer.hello)},
        {"identity", offer.identity.text()},
        {"contribution_key", offer.contribution_key.text()},
        {"commitment", json_digest(offer.commitment)}});
}

std::string payload_of(const ContributionMessage& message) {
    return write_json(Json{
        {"tenant", message.tenant},
        {"offer", json_digest(message.offer)},
        {"sealed", json_bytes(message.sealed)}});
}

std::string payload_of(const Handover& message) {
    return write_json(Json{
        {"tenant", message.tenant},
        {"contribution", json_digest(message.contribution)},
        {"sealed", json_bytes(message.sealed)},
        {"keyring", keyring_to_json(message.keyring)}});
}

std::string payload_of(const Confirmation& message) {
    return write_json(Json{
        {"tenant", message.tenant},
        {"handover", json_digest(message.handover)},
        {"mac", json_digest(message.mac)}});
}

std::string payload_of(const Adoption& message) {
    return write_json(Json{
        {"tenant", message.tenant},
        {"offer", json_digest(message.offer)},
        {"keyring", keyring_to_json(message.keyring)}});
}

std::vector<std::string> groups_from_json(JsonReader& reader) {
    std::vector<std::string> groups;
    for (const Json& one : reader.part("groups")) {
        std::string name = one.is_string() ? one.get<std::string>() : std::string();
        if (!is_group_name(name) || (!groups.empty() && groups.back() >= name)) {
            reader.fail();
        }
        groups.push_back(std::move(name));
    }
    if (groups.empty() || groups.size() > kGroupsMax) {
        reader.fail();
    }
    return groups;
}

}  // namespace

std::string sign_hello(const Hello& hello, const core::SigningKey& tenant_key) {
    return core::sign_jws(tenant_key, kHelloType, core::as_bytes(payload_of(hello)));
}

Result<Hello> verify_hello(std::string_view jws) {
    const auto key = key_inside(jws, "signing");
    if (!key) {
        return malformed("hello");
    }
    const auto payload = core::verify_jws(*key, kHelloType, jws);
    if (!payload.has_value()) {
        return forged("hello");
    }
    JsonReader reader(core::as_text(*payload));
    const auto sealing = reader.point("sealing");
    if (!sealing) {
        return malformed("hello");
    }
    Hello hello{
        .tenant = reader.plain_name("tenant"),
        .signing = key->point(),
        .sealing = *sealing,
        .groups = groups_from_json(reader)};
    if (!reader.ok() || payload_of(hello) != core::as_text(*payload)) {
        return malformed("hello");
    }
    return hello;
}

std::string sign_offer(const Offer& offer, const core::SigningKey& identity) {
    return core::sign_jws(identity, kOfferType, core::as_bytes(payload_of(offer)));
}

Result<Offer> verify_offer(std::string_view jws) {
    const auto key = key_inside(jws, "identity");
    if (!key) {
        return malformed("offer");
    }
    const auto payload = core::verify_jws(*key, kOfferType, jws);
    if (!payload.has_value()) {
        return forged("offer");
    }
    JsonReader reader(core::as_text(*payload));
    const auto contribution_key = reader.point("contribution_key");
    if (!contribution_key) {
        return malformed("offer");
    }
    Offer offer{
        .tenant = reader.plain_name("tenant"),
        .hello = reader.digest("hello"),
        .identity = key->point(),
        .contribution_key = *contribution_key,
        .commitment = reader.digest("commitment")};
    if (!reader.ok() || payload_of(offer) != core::as_text(*payload)) {
        return malformed("offer");
    }
    return offer;
}

std::string sign_contribution(
    const ContributionMessage& message, const core::SigningKey& tenant_key
) {
    return core::sign_jws(tenant_key, kContributionType, core::as_bytes(payload_of(message)));
}

Result<ContributionMessage> verify_contribution(
    std::string_view jws, const core::VerifyingKey& tenant_key
) {
    const auto payload = core::verify_jws(tenant_key, kContributionType, jws);
    if (!payload.has_value()) {
        return forged("contribution");
    }
    JsonReader reader(core::as_text(*payload));
    ContributionMessage message{
        .tenant = reader.plain_name("tenant"),
        .offer = reader.digest("offer"),
        .sealed = reader.bytes("sealed")};
    if (!reader.ok() || payload_of(message) != core::as_text(*payload)) {
        return malformed("contribution");
    }
    return message;
}

std::string sign_handover(const Handover& message, const core::SigningKey& identity) {
    return core::sign_jws(identity, kHandoverType, core::as_bytes(payload_of(message)));
}

Result<Handover> verify_handover(std::string_view jws, const core::VerifyingKey& identity) {
    const auto payload = core::verify_jws(identity, kHandoverType, jws);
    if (!payload.has_value()) {
        return forged("handover");
    }
    JsonReader reader(core::as_text(*payload));
    auto keyring = keyring_from_json(reader.part("keyring"));
    if (!keyring.has_value()) {
        return keyring.error();
    }
    Handover message{
        .tenant = reader.plain_name("tenant"),
        .contribution = reader.digest("contribution"),
        .sealed = reader.bytes("sealed"),
        .keyring = *std::move(keyring)};
    if (!reader.ok() || payload_of(message) != core::as_text(*payload)) {
        return malformed("handover");
    }
    return message;
}

std::string sign_confirmation(const Confirmation& message, const core::SigningKey& tenant_key) {
    return core::sign_jws(tenant_key, kConfirmationType, core::as_bytes(payload_of(message)));
}

Result<Confirmation> verify_confirmation(
    std::string_view jws, const core::VerifyingKey& tenant_key
) {
    const auto payload = core::verify_jws(tenant_key, kConfirmationType, jws);
    if (!payload.has_value()) {
        return forged("confirmation");
    }
    JsonReader reader(core::as_text(*payload));
    Confirmation message{
        .tenant = reader.plain_name("tenant"),
        .handover = reader.digest("handover"),
        .mac = reader.digest("mac")};
    if (!reader.ok() || payload_of(message) != core::as_text(*payload)) {
        return malformed("confirmation");
    }
    return message;
}

std::string sign_adoption(const Adoption& message, const core::SigningKey& tenant_key) {
    return core::sign_jws(tenant_key, kAdoptionType, core::as_bytes(payload_of(message)));
}

Result<Adoption> verify_adoption(std::string_view jws, const core::VerifyingKey& tenant_key) {
    const auto payload = core::verify_jws(tenant_key, kAdoptionType, jws);
    if (!payload.has_value()) {
        return forged("adoption");
    }
    JsonReader reader(core::as_text(*payload));
    auto keyring = keyring_from_json(reader.part("keyring"));
    if (!keyring.has_value()) {
        return keyring.error();
    }
    Adoption message{
        .tenant = reader.plain_name("tenant"),
        .offer = reader.digest("offer"),
        .keyring = *std::move(keyring)};
    if (!reader.ok() || payload_of(message) != core::as_text(*payload)) {
        return malformed("adoption");
    }
    return message;
}

}  // namespace pgveil::share
