#include "keyshare/core/base64url.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/tenant/key_commands.hpp"
#include "keyshare/tenant/key_texts.hpp"
#include "keyshare/user/fresh_token.hpp"

#include <algorithm>
#include <utility>

// What a key is used for at its TPM, and what the TPM says of it.
namespace pgveil::tenant {

namespace {

constexpr std::size_t kMessageMax = std::size_t{1} << 30U;

Result<attest::Sha256Digest> nonce_in(const std::string& hex) {
    attest::Sha256Digest nonce{};
    if (hex.empty()) {
        core::system_random().fill(nonce);
        return nonce;
    }
    const auto bytes = core::from_hex(hex);
    if (!bytes.has_value() || bytes->size() != nonce.size()) {
        return user::unusable("--nonce: 64 hexadecimal digits");
    }
    std::ranges::copy(*bytes, nonce.begin());
    return nonce;
}

}  // namespace

Result<tpm::SealedSecret> object_of(const KnownKey& key) {
    if (key.row.object) {
        return *key.row.object;
    }
    return user::failed(
        "nothing of key \"" + key.record.order.label +
        "\" is left for a TPM to load: it was destroyed, or its row altered"
    );
}

Result<catalogue::KeyCertificate> certified(
    KeyTpm& place,
    const tpm::SealedSecret& object,
    const catalogue::KeyRecord& record,
    const std::string& jws,
    const attest::Sha256Digest& nonce
) {
    const auto binding = catalogue::certificate_binding(nonce, jws);
    auto said = place.tpm.certify(object, binding);
    if (!said.has_value()) {
        return user::failed(said.error().message);
    }
    const auto believed =
        attest::verify_certificate(*said, place.attestation, binding, record.name());
    if (!believed.has_value()) {
        return user::failed(believed.error().message);
    }
    return catalogue::KeyCertificate{nonce, jws, *std::move(said)};
}

Result<void> certify_key(const Context& context, const KeyArguments& arguments) {
    auto desk = KeyDesk::open(context, arguments.dictionary);
    if (!desk) {
        return desk.error();
    }
    const auto known = desk->find(arguments.label);
    const auto nonce = nonce_in(arguments.nonce);
    if (!known || !nonce) {
        return known ? nonce.error() : known.error();
    }
    const auto object = object_of(*known);
    if (!object) {
        return object.error();
    }
    auto place = open_tpm(arguments.tpm);
    if (!place) {
        return place.error();
    }
    const auto certificate = certified(*place, *object, known->record, known->row.record, *nonce);
    if (!certificate) {
        return certificate.error();
    }
    context.console.print(catalogue::to_text(*certificate));
    return {};
}

Result<void> verify_key(const Context& context, const KeyArguments& arguments) {
    const auto home = open_home_for_keys(context);
    if (!home) {
        return home.error();
    }
    const HomeState& state = home->state();
    const auto read = read_text_as(arguments.file, &catalogue::parse_certificate);
    if (!read) {
        return read.error();
    }
    const auto record = catalogue::verify_record(
        read->record, state.identity.signing.verifying_key(), state.tenant
    );
    if (!record.has_value()) {
        return user::failed(record.error().message);
    }
    const auto nonce = nonce_in(arguments.nonce);
    if (!nonce) {
        return nonce.error();
    }
    if (!arguments.nonce.empty() && *nonce != read->nonce) {
        return user::failed("the certificate answers another question (nonce)");
    }
    auto trusted = check_attestation_key(context, state, record->held_by, arguments.attestation);
    if (!trusted) {
        return trusted;
    }
    const auto believed = attest::verify_certificate(
        read->certificate,
        record->held_by,
        catalogue::certificate_binding(read->nonce, read->record),
        record->name()
    );
    if (!believed.has_value()) {
        return user::failed(believed.error().message);
    }
    const auto& authority = record->order.design.authority;
    context.console.print(
        "certified: " + std::string(catalogue::name_of(record->order.design.migration)) +
        " key \"" + record->order.label + "\"" +
        (authority ? ", moved by leave of " + authority->key.text() + " only" : "") + "\n"
    );
    return {};
}

Result<void> sign_with_key(const Context& context, const KeyArguments& arguments) {
    auto desk = KeyDesk::open(context, arguments.dictionary);
    if (!desk) {
        return desk.error();
    }
    const auto known = desk->find(arguments.label);
    if (!known) {
        return known.error();
    }
    const auto usable = catalogue::check_usable(known->record, user::seconds_now());
    if (!usable.has_value()) {
        return user::failed(usable.error().message);
    }
    const auto object = object_of(*known);
    if (!object) {
        return object.error();
    }
    const auto message = user::read_public_file(arguments.file, kMessageMax);
    if (!message) {
        return message.error();
    }
    auto place = open_tpm(arguments.tpm);
    if (!place) {
        return place.error();
    }
    const auto signature = place->tpm.sign(*object, core::sha256(core::as_bytes(*message)));
    if (!signature.has_value()) {
        return user::failed(signature.error().message);
    }
    if (!core::VerifyingKey(known->record.point).verify(core::as_bytes(*message), *signature)) {
        return user::failed("the TPM answered with a signature of another key");
    }
    context.console.print(core::base64url_encode(*signature) + "\n");
    return {};
}

}  // namespace pgveil::tenant
