#include "keyshare/tenant/key_desk.hpp"

#include "keyshare/core/random.hpp"
#include "keyshare/share/tenant.hpp"
#include "keyshare/tenant/attestation.hpp"
#include "keyshare/user/passphrase.hpp"
#include "keyshare/user/private_file.hpp"

#include <utility>

namespace pgveil::tenant {

namespace {

constexpr std::size_t kSeenMax = std::size_t{16} * 1024 * 1024;

std::string seen_path(const Home& home) {
    return home.directory() + "/keys";
}

Result<catalogue::SeenVersions> read_seen(const Home& home) {
    const HomeState& state = home.state();
    const std::string path = seen_path(home);
    if (!user::exists(path)) {
        return catalogue::SeenVersions{state.tenant, {}};
    }
    const auto text = user::read_public_file(path, kSeenMax);
    if (!text) {
        return text.error();
    }
    auto seen = catalogue::verify_seen(*text, state.identity.signing.verifying_key(), state.tenant);
    if (!seen.has_value()) {
        return user::unusable(
            path + ": " + seen.error().message +
            ". Restore it, or remove it: then old rows of the dictionary go unnoticed once"
        );
    }
    return *std::move(seen);
}

}  // namespace

Result<Home> open_home_for_keys(const Context& context) {
    const auto passphrase = user::read_secret(
        context.passphrase, "passphrase of " + context.home, user::Asking::kKnown
    );
    return passphrase ? Home::open(context.home, *passphrase) : passphrase.error();
}

Result<KeyDesk> KeyDesk::open(const Context& context, const std::string& url) {
    auto home = open_home_for_keys(context);
    if (!home) {
        return home.error();
    }
    auto seen = read_seen(*home);
    if (!seen) {
        return seen.error();
    }
    auto dictionary = KeyDictionary::connect(url);
    if (!dictionary) {
        return dictionary.error();
    }
    return KeyDesk(std::move(*home), std::move(*dictionary), std::move(*seen));
}

Result<catalogue::KeyRecord> KeyDesk::verify(const std::string& jws) const {
    auto record =
        catalogue::verify_record(jws, state().identity.signing.verifying_key(), state().tenant);
    return record.has_value() ? Result<catalogue::KeyRecord>(*std::move(record))
                              : user::failed(record.error().message);
}

Result<KnownKey> KeyDesk::verify_row(KeyRow row) {
    auto record = verify(row.record);
    if (!record) {
        return user::failed("row " + row.id + " of the dictionary: " + record.error().message);
    }
    const auto noted = catalogue::note_version(seen_, record->order.label, record->version);
    if (!noted.has_value()) {
        return user::failed(noted.error().message);
    }
    return KnownKey{std::move(row), std::move(*record)};
}

Result<KnownKey> KeyDesk::find(const std::string& label) {
    auto rows = dictionary_.with_label(label);
    if (!rows) {
        return rows.error();
    }
    if (rows->size() != 1) {
        return user::failed(
            "there is no key \"" + label + "\" in the dictionary at " + dictionary_.peer() +
            (seen_.versions.contains(label) ? ": there was one, and somebody took it away"
                                            : ": see `pgveil-tenant key list`")
        );
    }
    auto known = verify_row(std::move(rows->front()));
    if (known && known->record.order.label != label) {
        return user::failed(
            "the dictionary answered with key \"" + known->record.order.label + "\" for \"" +
            label + "\": somebody moved its rows"
        );
    }
    return known;
}

Result<void> KeyDesk::remember(const catalogue::KeyRecord& record) {
    const auto noted = catalogue::note_version(seen_, record.order.label, record.version);
    if (!noted.has_value()) {
        return user::failed(noted.error().message);
    }
    const std::string text = catalogue::sign_seen(seen_, state().identity.signing);
    return user::replace_private_file(seen_path(home_), core::as_bytes(text));
}

Result<void> KeyDesk::add(const catalogue::KeyRecord& record, tpm::SealedSecret object) {
    const auto seen = seen_.versions.find(record.order.label);
    if (seen != seen_.versions.end() && record.version <= seen->second) {
        return user::failed(
            "key \"" + record.order.label +
            "\" was in the dictionary before, in a newer version: restore its row"
        );
    }
    const KeyRow row{
        fresh_uuid(core::system_random()),
        catalogue::sign_record(record, state().identity.signing),
        std::move(object)};
    // As whoever reads it will.
    if (auto verified = verify(row.record); !verified) {
        return verified.error();
    }
    if (auto added = dictionary_.add(row, record.order); !added) {
        return added;
    }
    return remember(record);
}

Result<void> KeyDesk::change(KnownKey key) {
    key.row.record = catalogue::sign_record(key.record, state().identity.signing);
    if (auto changed = dictionary_.change(key.row); !changed) {
        return changed;
    }
    return remember(key.record);
}

Result<KeyTpm> open_tpm(const std::string& place) {
    auto tpm = tpm::Tpm::open(place, std::nullopt);
    if (!tpm.has_value()) {
        return user::failed(tpm.error().message);
    }
    const auto attestation = tpm->attestation_key();
    if (!attestation.has_value()) {
        return user::failed(attestation.error().message);
    }
    return KeyTpm{std::move(*tpm), *attestation};
}

Result<void> check_attestation_key(
    const Context& context,
    const HomeState& state,
    const core::PublicPoint& attestation,
    const std::string& said
) {
    const std::string found = share::fingerprint_text(attestation.fingerprint());
    if (!said.empty()) {
        const auto expected = share::parse_fingerprint(said);
        if (!expected.has_value()) {
            return user::unusable("--attestation: " + expected.error().message);
        }
        return *expected == attestation.fingerprint()
                   ? Result<void>()
                   : user::failed("this is another TPM: its attestation key is " + found);
    }
    if (state.attestation.empty()) {
        context.console.note(
            "no TPM is pinned (pgveil-tenant attest ask), so its word is taken: attestation key " +
            found
        );
        return {};
    }
    const auto pinned = parse_attestation(state.attestation.reveal());
    if (pinned && pinned->keys.attestation == attestation) {
        // Until it has answered, its attestation key is but a claim.
        return pinned->clock ? Result<void>()
                             : user::failed(
                                   "the TPM that this home has pinned has not answered yet: run "
                                   "`pgveil-tenant attest verify` first"
                               );
    }
    return user::failed(
        "this is not the TPM that this home has pinned: its attestation key is " + found +
        ". If it is the right one, name it: --attestation '" + found + "'"
    );
}

}  // namespace pgveil::tenant
