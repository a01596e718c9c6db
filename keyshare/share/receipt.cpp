#include "keyshare/share/receipt.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/share/json_fields.hpp"
#include "keyshare/share/keyring_json.hpp"

#include <array>
#include <optional>
#include <utility>

namespace pgveil::share {
namespace {

constexpr std::string_view kType = "pgveil-receipt";

struct OutcomeName {
    Outcome outcome;
    std::string_view name;
};

constexpr std::array kOutcomes{
    OutcomeName{Outcome::kApplied, "applied"},
    OutcomeName{Outcome::kExpired, "expired"},
    OutcomeName{Outcome::kRefused, "refused"}};

std::string_view name_of(Outcome outcome) {
    for (const OutcomeName& one : kOutcomes) {
        if (one.outcome == outcome) {
            return one.name;
        }
    }
    core::invariant(false, "every outcome has a name");
    return {};
}

std::optional<Outcome> outcome_named(std::string_view name) {
    for (const OutcomeName& one : kOutcomes) {
        if (one.name == name) {
            return one.outcome;
        }
    }
    return std::nullopt;
}

std::string payload_of(const Receipt& receipt) {
    return write_json(Json{
        {"tenant", receipt.tenant},
        {"seq", receipt.sequence},
        {"hash", json_digest(receipt.hash)},
        {"result", name_of(receipt.outcome)},
        {"reason", receipt.reason},
        {"at", receipt.at_s},
        {"store_version", receipt.store_version},
        {"keyring", keyring_to_json(receipt.keyring)},
        {"command_key_id", receipt.next_command_key.key_id},
        {"command_key", receipt.next_command_key.point.text()}});
}

Result<Receipt> parse(std::string_view payload) {
    const Error malformed{
        ErrorCode::kMalformed, "the receipt has a form this program does not know"};
    JsonReader reader(payload);
    const auto outcome = outcome_named(reader.text("result"));
    const auto point = reader.point("command_key");
    auto keyring = keyring_from_json(reader.part("keyring"));
    if (!reader.ok() || !outcome || !keyring.has_value()) {
        return malformed;
    }
    Receipt receipt{
        .tenant = reader.plain_name("tenant"),
        .sequence = reader.u64("seq"),
        .hash = reader.digest("hash"),
        .outcome = *outcome,
        .reason = reader.text("reason"),
        .at_s = reader.time("at"),
        .store_version = reader.u64("store_version"),
        .keyring = *std::move(keyring),
        .next_command_key = {reader.u32("command_key_id"), *point}};
    if (!reader.ok() || payload_of(receipt) != payload) {
        return malformed;
    }
    return receipt;
}

}  // namespace

std::string sign_receipt(const Receipt& receipt, const core::SigningKey& identity) {
    return core::sign_jws(identity, kType, core::as_bytes(payload_of(receipt)));
}

Result<Receipt> verify_receipt(
    std::string_view jws, const core::VerifyingKey& pinned_identity, std::string_view tenant
) {
    const auto payload = core::verify_jws(pinned_identity, kType, jws);
    if (!payload.has_value()) {
        return Error{
            ErrorCode::kForged,
            "the receipt does not carry the signature of the pinned proxy: it was altered, or "
            "comes from another "
            "proxy"};
    }
    auto receipt = parse(core::as_text(*payload));
    if (receipt.has_value() && receipt->tenant != tenant) {
        return Error{ErrorCode::kForeign, "the receipt is for tenant " + receipt->tenant};
    }
    return receipt;
}

Result<Receipt> verify_receipt_of(
    std::string_view jws,
    std::string_view command_jws,
    const core::VerifyingKey& pinned_identity,
    std::string_view tenant
) {
    auto receipt = verify_receipt(jws, pinned_identity, tenant);
    if (!receipt.has_value()) {
        return receipt;
    }
    const auto hash = core::jws_hash(command_jws);
    if (!hash.has_value() || receipt->hash != *hash) {
        return Error{
            ErrorCode::kOutOfOrder,
            "the receipt is for another command (number " + std::to_string(receipt->sequence) +
                ")"};
    }
    return receipt;
}

}  // namespace pgveil::share
