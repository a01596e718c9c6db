#include "keyshare/attest/bytes_out.hpp"
#include "keyshare/catalogue/key_message.hpp"
#include "keyshare/catalogue/key_record.hpp"
#include "keyshare/catalogue/key_transfer.hpp"
#include "keyshare/catalogue/seen_versions.hpp"
#include "keyshare/core/jws.hpp"

#include <gmock/gmock.h>

#include <array>

namespace pgveil::catalogue {
namespace {

using attest::Migration;
using testing::HasSubstr;

constexpr std::int64_t kFrom = 1'000'000;
constexpr std::int64_t kUntil = 2'000'000;
constexpr std::int64_t kWithin = 1'500'000;

/// What a TPM with this attestation key would say of a key.
attest::Signed said_by(
    const core::SigningKey& attestation,
    std::uint16_t kind,
    const attest::Sha256Digest& extra,
    const attest::Name& name
) {
    const auto& point = attestation.verifying_key().point();
    const attest::Name signer =
        attest::qualified_name(attest::name_of(attest::KeyKind::kAttestation, point));
    attest::BytesOut out;
    out.u32(0xff544347).u16(kind).sized(signer).sized(extra);
    out.u32(0).u32(9).u32(1).u32(0).raw(std::array{std::uint8_t{1}}).u32(0).u32(0);
    out.sized(name);
    constexpr std::uint16_t kCreation = 0x801a;
    out.sized(kind == kCreation ? core::ByteView(extra) : core::ByteView(name));
    return {out.bytes(), attestation.sign(out.bytes())};
}

class Catalogue : public testing::Test {
protected:
    KeyOrder order() const {
        const attest::MigrationAuthority authority{
            authority_.verifying_key().point(), attest::migration_purpose("acme")};
        return {
            "acme",
            "invoices 2026",
            "billing",
            "signs invoices",
            {Migration::kControlled, attest::KeyUse::kSigning, authority},
            kFrom,
            {kFrom, kUntil}};
    }

    KeyRecord record_of(const KeyOrder& order) const {
        const auto& point = key_.verifying_key().point();
        const auto& tpm = tpm_.verifying_key().point();
        constexpr std::uint16_t kCreation = 0x801a;
        const auto creation =
            said_by(tpm_, kCreation, digest_of(order), attest::name_of(order.design, point));
        return {order, point, tpm, creation, tpm, 1, KeyState::kPreActive, kFrom, {}};
    }

    std::string refusal(const std::string& jws) const {
        const auto read = verify_record(jws, tenant_.verifying_key(), "acme");
        return read.has_value() ? std::string("believed") : read.error().message;
    }

    core::SigningKey tenant_ = core::SigningKey::generate();
    core::SigningKey tpm_ = core::SigningKey::generate();
    core::SigningKey key_ = core::SigningKey::generate();
    core::SigningKey authority_ = core::SigningKey::generate();
};

TEST_F(Catalogue, T10_ARecordIsTheTenantsAndTellsEverything) {
    const KeyRecord record = record_of(order());
    const auto read = verify_record(sign_record(record, tenant_), tenant_.verifying_key(), "acme");
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(digest_of(read->order), digest_of(record.order));
    EXPECT_EQ(read->order.label, "invoices 2026");
    EXPECT_EQ(read->order.owner, "billing");
    EXPECT_EQ(read->order.period, record.order.period);
    EXPECT_EQ(read->order.design.authority, record.order.design.authority);
    EXPECT_EQ(read->name(), record.name());
    EXPECT_EQ(read->state, KeyState::kPreActive);
}

TEST_F(Catalogue, T10_ARecordOfSomebodyElseOrAnotherTenantIsRefused) {
    const KeyRecord record = record_of(order());
    const core::SigningKey stranger = core::SigningKey::generate();
    EXPECT_EQ(refusal(sign_record(record, tenant_)), "believed");
    EXPECT_THAT(refusal(sign_record(record, stranger)), HasSubstr("not signed by this tenant"));
    std::string altered = sign_record(record, tenant_);
    altered.at(altered.find('.') + 10) ^= 1;
    EXPECT_THAT(refusal(altered), HasSubstr("altered"));
    KeyOrder foreign = order();
    foreign.tenant = "globex";
    foreign.design.authority->purpose = attest::migration_purpose("globex");
    EXPECT_THAT(refusal(sign_record(record_of(foreign), tenant_)), HasSubstr("of tenant globex"));
}

TEST_F(Catalogue, T10_MetadataAndKeyBelongTogetherByTheTpmsWord) {
    // Even the tenant's own signature does not attach other metadata to a key.
    const auto refused = [&](auto&& change) {
        KeyRecord record = record_of(order());
        change(record);
        return refusal(sign_record(record, tenant_));
    };
    EXPECT_EQ(refused([](KeyRecord&) {}), "believed");
    const auto not_made = HasSubstr("was not made as its record says");
    EXPECT_THAT(refused([](KeyRecord& one) { one.order.owner = "sales"; }), not_made);
    EXPECT_THAT(refused([](KeyRecord& one) { one.order.period.until_s += 1; }), not_made);
    EXPECT_THAT(
        refused([](KeyRecord& one) {
            one.order.design = {Migration::kNone, attest::KeyUse::kSigning, {}};
        }),
        not_made
    );
    EXPECT_THAT(
        refused([&](KeyRecord& one) { one.point = tenant_.verifying_key().point(); }), not_made
    );
    EXPECT_THAT(
        refused([&](KeyRecord& one) {
            constexpr std::uint16_t kCertify = 0x8017;  // there, but perhaps not made there
            one.creation = said_by(tpm_, kCertify, digest_of(one.order), one.name());
        }),
        not_made
    );
}

TEST_F(Catalogue, T10_NothingButTheCanonicalTextIsRead) {
    const std::string jws = sign_record(record_of(order()), tenant_);
    for (std::size_t size = 0; size < jws.size(); size += 7) {
        EXPECT_NE(refusal(jws.substr(0, size)), "believed") << size;
    }
    const auto parts = core::parse_jws(jws);
    std::string payload(core::as_text(parts->payload));
    payload.insert(1, " ");
    const std::string spaced =
        core::sign_jws(tenant_, "pgveil-key-record", core::as_bytes(payload));
    EXPECT_THAT(refusal(spaced), HasSubstr("not one that this version"));
}

TEST(KeyState, T11_TheLifeOfAKey) {
    const Cryptoperiod period{kFrom, kUntil};
    EXPECT_EQ(state_at(KeyState::kPreActive, period, kFrom - 1), KeyState::kPreActive);
    EXPECT_EQ(state_at(KeyState::kPreActive, period, kFrom), KeyState::kActive);
    for (const KeyState live : {KeyState::kPreActive, KeyState::kActive, KeyState::kSuspended}) {
        EXPECT_EQ(state_at(live, period, kUntil), KeyState::kDeactivated) << name_of(live);
    }
    EXPECT_EQ(state_at(KeyState::kSuspended, period, kWithin), KeyState::kSuspended);
    for (const KeyState end : {KeyState::kCompromised, KeyState::kDestroyed}) {
        EXPECT_EQ(state_at(end, period, kUntil + 1), end) << name_of(end);
    }
    EXPECT_TRUE(may_become(KeyState::kActive, KeyState::kSuspended));
    EXPECT_TRUE(may_become(KeyState::kSuspended, KeyState::kActive));
    EXPECT_FALSE(may_become(KeyState::kDeactivated, KeyState::kActive));
    EXPECT_FALSE(may_become(KeyState::kCompromised, KeyState::kActive));
    for (int to = 0; to <= static_cast<int>(KeyState::kDestroyed); ++to) {
        EXPECT_FALSE(may_become(KeyState::kDestroyed, static_cast<KeyState>(to))) << to;
        EXPECT_EQ(parse_state(name_of(static_cast<KeyState>(to))), static_cast<KeyState>(to));
    }
}

TEST_F(Catalogue, T11_AKeyPastItsCryptoperiodIsUsedForNothingNew) {
    const KeyRecord record = record_of(order());
    EXPECT_FALSE(check_usable(record, kFrom - 1).has_value());
    EXPECT_TRUE(check_usable(record, kWithin).has_value());
    const auto over = check_usable(record, kUntil);
    ASSERT_FALSE(over.has_value());
    EXPECT_THAT(over.error().message, HasSubstr("cryptoperiod is over"));
    const auto suspended = with_state(record, KeyState::kSuspended, kWithin, "audit");
    ASSERT_TRUE(suspended.has_value()) << suspended.error().message;
    EXPECT_EQ(suspended->version, 2U);
    EXPECT_FALSE(check_usable(*suspended, kWithin).has_value());
    EXPECT_TRUE(with_state(*suspended, KeyState::kActive, kWithin, "").has_value());
    EXPECT_FALSE(with_state(*suspended, KeyState::kActive, kUntil, "").has_value());
    const auto destroyed = with_state(*suspended, KeyState::kDestroyed, kUntil, "");
    ASSERT_TRUE(destroyed.has_value());
    EXPECT_FALSE(with_state(*destroyed, KeyState::kActive, kWithin, "").has_value());
}

TEST_F(Catalogue, T10_OldRowsThatAreBackAreNoticed) {
    SeenVersions seen{"acme", {}};
    EXPECT_TRUE(note_version(seen, "a", 3).has_value());
    EXPECT_TRUE(note_version(seen, "a", 3).has_value());
    EXPECT_TRUE(note_version(seen, "b \"quoted\"", 1).has_value());
    const std::string text = sign_seen(seen, tenant_);
    auto read = verify_seen(text, tenant_.verifying_key(), "acme");
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->versions, seen.versions);
    const auto older = note_version(*read, "a", 2);
    ASSERT_FALSE(older.has_value());
    EXPECT_THAT(older.error().message, HasSubstr("put old rows back"));
    const core::SigningKey stranger = core::SigningKey::generate();
    EXPECT_FALSE(verify_seen(text, stranger.verifying_key(), "acme").has_value());
    EXPECT_FALSE(verify_seen(text, tenant_.verifying_key(), "globex").has_value());
}

TEST_F(Catalogue, T4_TextsOfAMoveReadBackAndNothingElseDoes) {
    const auto root = core::SigningKey::generate().verifying_key().point();
    KeyTarget target{root, tpm_.verifying_key().point(), {}};
    constexpr std::uint16_t kCertify = 0x8017;
    target.certificate = said_by(tpm_, kCertify, target_binding(), target.parent());
    const std::string text = to_text(target);
    ASSERT_TRUE(parse_target(text).has_value()) << parse_target(text).error().message;
    EXPECT_EQ(parse_target(text)->parent(), target.parent());
    target.storage_root = key_.verifying_key().point();  // certified was another
    EXPECT_FALSE(parse_target(to_text(target)).has_value());

    const KeyTransfer transfer{"jws", {1}, {2, 3}, {4}};
    const auto read = parse_transfer(to_text(transfer));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->private_part, transfer.private_part);
    const KeyCertificate certificate{target_binding(), "jws", target.certificate};
    ASSERT_TRUE(parse_certificate(to_text(certificate)).has_value());
    for (const std::string& good : {to_text(transfer), to_text(certificate), text}) {
        for (std::size_t size = 0; size < good.size(); size += 3) {
            const std::string cut = good.substr(0, size);
            EXPECT_FALSE(parse_transfer(cut).has_value()) << size;
            EXPECT_FALSE(parse_certificate(cut).has_value()) << size;
            EXPECT_FALSE(parse_target(cut).has_value()) << size;
        }
    }
}

TEST_F(Catalogue, AMessageOpensWithItsKeyOnlyAndUnaltered) {
    const core::Scalar scalar = core::generate_scalar();
    const auto key = core::PublicPoint::of_scalar(scalar);
    const std::string content = "a passphrase";
    const std::string text = to_text(
        core::seal_to_point(kMessagePurpose, *key, core::as_bytes(content), core::system_random())
    );
    const auto message = parse_message(text);
    ASSERT_TRUE(message.has_value()) << message.error().message;
    const auto agreed = core::ecdh_x(scalar, message->point);
    const auto opened = core::open_agreed(kMessagePurpose, *message, agreed->reveal());
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(core::as_text(opened->reveal()), content);

    EXPECT_FALSE(core::open_agreed("another purpose", *message, agreed->reveal()).has_value());
    const auto other = core::ecdh_x(core::generate_scalar(), message->point);
    EXPECT_FALSE(core::open_agreed(kMessagePurpose, *message, other->reveal()).has_value());
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::string altered = text;
        altered[at] = altered[at] == '0' ? '1' : '0';
        const auto read = parse_message(altered);
        if (read.has_value()) {
            const auto again = core::ecdh_x(scalar, read->point);
            EXPECT_FALSE(core::open_agreed(kMessagePurpose, *read, again->reveal()).has_value())
                << at;
        }
    }
}

}  // namespace
}  // namespace pgveil::catalogue
