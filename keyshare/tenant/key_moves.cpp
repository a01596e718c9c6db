#include "keyshare/attest/approval.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/tenant/key_commands.hpp"
#include "keyshare/tenant/key_texts.hpp"
#include "keyshare/user/fresh_token.hpp"

#include <utility>

// The way of a key from one TPM to another.
namespace pgveil::tenant {

Result<void> show_key_target(const Context& context, const KeyArguments& arguments) {
    auto place = open_tpm(arguments.tpm);
    if (!place) {
        return place.error();
    }
    auto said = place->tpm.certify_storage_root(catalogue::target_binding());
    if (!said.has_value()) {
        return user::failed(said.error().message);
    }
    context.console.print(catalogue::to_text(catalogue::KeyTarget{
        place->tpm.storage_root_point(), place->attestation, *std::move(said)}));
    context.console.note(
        "attestation key of this TPM: " + share::fingerprint_text(place->attestation.fingerprint())
    );
    return {};
}

namespace {

/// A target whose TPM the person knows by name.
Result<catalogue::KeyTarget> named_target(const std::string& file, const std::string& attestation) {
    auto target = read_text_as(file, &catalogue::parse_target);
    if (!target) {
        return target;
    }
    const std::string found = share::fingerprint_text(target->attestation.fingerprint());
    const auto said = share::parse_fingerprint(attestation);
    if (!said.has_value()) {
        return user::unusable(
            "name the TPM that the key is to go to by the fingerprint of its attestation key, as "
            "its own machine shows it: --attestation; the file says '" +
            found + "'"
        );
    }
    if (*said != target->attestation.fingerprint()) {
        return user::failed("this target is another TPM: its attestation key is " + found);
    }
    return target;
}

}  // namespace

Result<void> allow_key_target(const Context& context, const KeyArguments& arguments) {
    const auto home = open_home_for_keys(context);
    if (!home) {
        return home.error();
    }
    const auto target = named_target(arguments.file, arguments.attestation);
    if (!target) {
        return target.error();
    }
    const HomeState& state = home->state();
    const attest::Approval approval = attest::approve(
        attest::approver_of(state.identity.signing),
        attest::duplication_policy(target->parent()),
        attest::migration_purpose(arguments.tenant.empty() ? state.tenant : arguments.tenant)
    );
    context.console.print(attest::to_text(approval) + "\n");
    return {};
}

namespace {

Result<std::optional<tpm::MovePermit>> permit_in(
    const std::string& file, const catalogue::KeyRecord& record, const catalogue::KeyTarget& target
) {
    const auto& authority = record.order.design.authority;
    if (!authority) {
        return std::optional<tpm::MovePermit>();
    }
    if (file.empty()) {
        return user::unusable(
            "key \"" + record.order.label +
            "\" moves by leave of its authority only: ask it to run `pgveil-tenant key allow`, and "
            "give the line it prints by --permit FILE"
        );
    }
    const auto text = user::read_public_file(file, kTransferTextMax);
    if (!text) {
        return text.error();
    }
    const auto lines = attest::parse_approvals(*text);
    if (!lines.has_value()) {
        return user::unusable(file + ": " + lines.error().message);
    }
    for (const attest::Approval& line : *lines) {
        if (line.policy == attest::duplication_policy(target.parent()) &&
            attest::verify(line, authority->key, authority->purpose)) {
            return std::optional(tpm::MovePermit{*authority, line});
        }
    }
    return user::failed(
        "the authority of key \"" + record.order.label + "\" has not allowed this target (" + file +
        "): it is for another, for another tenant's keys, or of somebody else"
    );
}

}  // namespace

Result<void> export_key(const Context& context, const KeyArguments& arguments) {
    auto desk = KeyDesk::open(context, arguments.dictionary);
    if (!desk) {
        return desk.error();
    }
    const auto known = desk->find(arguments.label);
    if (!known) {
        return known.error();
    }
    const catalogue::KeyRecord& record = known->record;
    if (record.order.design.migration == attest::Migration::kNone) {
        return user::failed(
            "key \"" + record.order.label +
            "\" is of kind NMK: its TPM never lets it go. Order "
            "another, of kind mk or cmk"
        );
    }
    const auto object = object_of(*known);
    if (!object) {
        return object.error();
    }
    const auto target = named_target(arguments.target, arguments.attestation);
    if (!target) {
        return target.error();
    }
    const auto permit = permit_in(arguments.permit, record, *target);
    if (!permit) {
        return permit.error();
    }
    auto place = open_tpm(arguments.tpm);
    if (!place) {
        return place.error();
    }
    const auto moving = place->tpm.duplicate(*object, target->storage_root, *permit);
    if (!moving.has_value()) {
        return user::failed(moving.error().message);
    }
    context.console.print(catalogue::to_text(catalogue::KeyTransfer{
        known->row.record, moving->public_part, moving->private_part, moving->seed}));
    return {};
}

namespace {

/// The key in this TPM, which says so itself.
Result<KnownKey> arrived(
    KeyTpm& place, const catalogue::KeyTransfer& transfer, catalogue::KeyRecord record
) {
    if (transfer.public_part != attest::public_area(record.order.design, record.point)) {
        return user::failed("the file holds another key than its record says");
    }
    auto object =
        place.tpm.import_key({transfer.public_part, transfer.private_part, transfer.seed});
    if (!object.has_value()) {
        return user::failed(object.error().message);
    }
    attest::Sha256Digest nonce{};
    core::system_random().fill(nonce);
    const auto certificate = certified(place, *object, record, transfer.record, nonce);
    if (!certificate) {
        return certificate.error();
    }
    record.held_by = place.attestation;
    record.changed_at_s = user::seconds_now();
    record.reason = "moved";
    ++record.version;
    return KnownKey{{{}, {}, *std::move(object)}, std::move(record)};
}

/// Into the row that has the key already, or a new one.
Result<void> put_into(KeyDesk& desk, KnownKey key, std::vector<KeyRow> rows) {
    if (rows.empty()) {
        return desk.add(key.record, *std::move(key.row.object));
    }
    auto known = desk.verify_row(std::move(rows.front()));
    if (!known) {
        return known.error();
    }
    if (known->record.name() != key.record.name()) {
        return user::failed(
            "the dictionary has another key \"" + key.record.order.label + "\": nothing was changed"
        );
    }
    // What happened to the key since the export stands there, and counts.
    known->record.held_by = key.record.held_by;
    known->record.changed_at_s = key.record.changed_at_s;
    known->record.reason = key.record.reason;
    ++known->record.version;
    known->row.object = std::move(key.row.object);
    return desk.change(std::move(*known));
}

}  // namespace

Result<void> import_key(const Context& context, const KeyArguments& arguments) {
    auto desk = KeyDesk::open(context, arguments.dictionary);
    if (!desk) {
        return desk.error();
    }
    const auto transfer = read_text_as(arguments.file, &catalogue::parse_transfer);
    if (!transfer) {
        return transfer.error();
    }
    const auto record = desk->verify(transfer->record);
    if (!record) {
        return record.error();
    }
    auto rows = desk->dictionary().with_label(record->order.label);
    if (!rows) {
        return rows.error();
    }
    if (rows->size() == 1 && desk->verify_row(rows->front()) &&
        desk->verify_row(rows->front())->record.state == catalogue::KeyState::kDestroyed) {
        return user::failed("key \"" + record->order.label + "\" was destroyed: it stays so");
    }
    auto place = open_tpm(arguments.tpm);
    if (!place) {
        return place.error();
    }
    auto trusted =
        check_attestation_key(context, desk->state(), place->attestation, arguments.attestation);
    if (!trusted) {
        return trusted;
    }
    auto key = arrived(*place, *transfer, *record);
    if (!key) {
        return key.error();
    }
    if (auto put = put_into(*desk, std::move(*key), std::move(*rows)); !put) {
        return put;
    }
    context.console.note(
        "key \"" + record->order.label + "\" is in this TPM, and in the dictionary as such"
    );
    return {};
}

}  // namespace pgveil::tenant
